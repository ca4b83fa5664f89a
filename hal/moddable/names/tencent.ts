/** "xs-ota/tencent" in a Moddable app. */
export * from "xs-ota/src/platforms/tencent/dialect";
