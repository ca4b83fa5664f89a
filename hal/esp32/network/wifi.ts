/**
 * "xs-ota/network" over Wi-Fi, with the settings `ssid` and `wifiPassword`; `password` serves where that is absent. From
 * that name relative imports lead nowhere.
 */
import WiFi from "embedded:network/interface/wifi";
import type { BringUpOptions } from "./bring-up";
import { LinkKeeper } from "xs-ota/hal/esp32/network/keeper";

export const bringUp = (options: BringUpOptions): void => {
  const keeper = new LinkKeeper(options, () => {
    const wifi = new WiFi({ onChanged: () => keeper.changed() });
    return {
      connect() {
        // Read anew at each attempt: they may have been set meanwhile. Not kept, not traced.
        const ssid = options.setting("ssid") ?? "";
        // `password` is a platform's own too.
        const password = options.setting("wifiPassword") ?? options.setting("password") ?? "";
        if (ssid === "") throw new Error("no Wi-Fi: the setting ssid is missing");
        wifi.connect(password === "" ? { SSID: ssid } : { SSID: ssid, password });
      },
      disconnect: () => wifi.disconnect(),
      get connection() {
        return wifi.connection;
      },
    };
  });
  keeper.start();
};
