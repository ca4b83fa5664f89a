/** A device without a screen. */
import type { MakePanel } from "./panel";

export const makePanel: MakePanel = () => ({ show() {} });
