/** "xs-ota/network" for the test: up at once, or never where the setting `network` says so. */
import type { BringUpOptions } from "../../../hal/esp32/network/bring-up";

export function bringUp({ clock, setting, up }: BringUpOptions): void {
  if (setting("network") !== "never") clock.set(up, 0);
}
