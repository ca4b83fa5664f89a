/** "xs-ota/thingspanel" in a Moddable app. */
export * from "xs-ota/src/platforms/thingspanel/dialect";
