/** "xs-ota/moddable" in an app for an ESP32. */
export * from "xs-ota/hal/esp32/device";
