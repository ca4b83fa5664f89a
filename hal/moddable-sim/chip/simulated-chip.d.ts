/** Declarations of the bundle. */
import type { MakeImage, Manufacture, Start } from "../../hal/moddable-sim/chip/interface";

export const makeImage: MakeImage;
export const manufacture: Manufacture;
export const start: Start;
