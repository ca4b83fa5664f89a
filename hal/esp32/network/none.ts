/** "xs-ota/network" where the application has brought the network up before it starts the agent, and keeps it so. */
import type { BringUpOptions } from "./bring-up";

export const bringUp = ({ clock, up }: BringUpOptions): void => {
  clock.set(up, 0);
};
