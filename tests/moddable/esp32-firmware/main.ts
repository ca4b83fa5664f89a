/**
 * The firmware at the root on the ESP32 port, in the SDK's engine. With `fault` in mc/config it is firmware that throws
 * before it reaches anybody.
 */
import config from "mc/config";
import Timer from "timer";
import "test/power";
import "firmware/main";

if (config["fault"] === "throw") {
  Timer.set(() => {
    throw new RangeError("deliberate");
  }, 0);
}
