/** Declarations of the bundle. */
import type { Manufacture, Start } from "../../hal/moddable-sim/chip/interface";

export const manufacture: Manufacture;
export const start: Start;
