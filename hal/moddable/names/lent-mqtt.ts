/** "xs-ota/lent-mqtt" in a Moddable app. */
export * from "xs-ota/hal/moddable/lent-mqtt";
