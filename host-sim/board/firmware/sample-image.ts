import { buildImage } from "../../../hal/model-chip/build-image";
import { firmwarePayload } from "./bundle";
import type { Fault } from "./bundle";

/** Bytes, 48 sectors: small for firmware, and large enough for a download in several steps. */
export const SAMPLE_SIZE = 48 * 4096;

/** An image of this agent. `size`: its exact length. Throws one line where that is too small. */
export async function sampleImage(version: string, fault?: Fault, size = SAMPLE_SIZE): Promise<Uint8Array> {
  return buildImage({ version, payload: await firmwarePayload(version, fault), size });
}
