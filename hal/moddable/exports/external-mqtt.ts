/** "xs-ota/external-mqtt" in a Moddable app. */
export * from "xs-ota/hal/moddable/external-mqtt";
