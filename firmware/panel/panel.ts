/**
 * What the firmware shows of itself. The manifest chooses: a drawing one where there is a screen, else one that shows
 * nothing. Types only.
 */
import type { Notice, Running } from "xs-ota";

export interface Panel {
  show(notice: Notice): void;
}

/** `name` of the device, for its owner. */
export type MakePanel = (name: string, running: Running) => Panel;
