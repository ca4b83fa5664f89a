/** The image and the offers of the tests of a whole job. */
import { image, offerOf } from "./job-fixture";

export const next = image("0.2.0");
export const offer = offerOf(next, "0.2.0");
export const wrong = { ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } } as const;
