/** "xs-ota/moddable" in an app for the desktop simulator. */
export * from "xs-ota/hal/moddable-sim/device";
