/** "xs-ota/network" over Ethernet. Pins and PHY are the board's: `defines.ethernet` of its manifest. */
import Ethernet from "embedded:network/interface/ethernet";
import type { BringUpOptions } from "./bring-up";
import { LinkKeeper } from "xs-ota/hal/esp32/network/keeper";

export const bringUp = (options: BringUpOptions): void => {
  const keeper = new LinkKeeper(options, () => {
    const ethernet = new Ethernet({ onChanged: () => keeper.changed() });
    return {
      connect: () => ethernet.connect(),
      disconnect: () => ethernet.disconnect(),
      get connection() {
        return ethernet.connection;
      },
    };
  });
  keeper.start();
};
