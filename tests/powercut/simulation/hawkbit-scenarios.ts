/** Scenarios on hawkBit: each push is an action of its own, and the operator may take one back. */
import { createHash } from "node:crypto";
import { image, push as pushByMd5, refused, rolledBack } from "./push";
import type { Push } from "./push";

interface Made {
  readonly about: string;
  readonly platform: "hawkbit";
  readonly pushes: readonly Push[];
}

/** The server knows the SHA-256 of each file. */
const push = (file: Uint8Array, version: string, change: Partial<Omit<Push, "offer">> = {}): Push => {
  const hex = createHash("sha256").update(file).digest("hex");
  return pushByMd5(file, version, { ...change, offer: { digest: { algorithm: "SHA256", hex } } });
};

export const hawkbitScenarios: { readonly [name: string]: (size: number) => Made } = {
  actions: (size) => {
    const bad = image("0.3.0", size);
    return {
      about: "hawkBit: a good update, one that is rolled back and refused when it is assigned again, and the next",
      platform: "hawkbit",
      pushes: [
        push(image("0.2.0", size), "0.2.0"),
        push(bad, "0.3.0", { behaviour: "unhealthy", ends: rolledBack(/health check failed|failed in its trial/) }),
        push(bad, "0.3.0", { ends: refused(/was rolled back before/) }),
        push(image("0.3.1", size), "0.3.1"),
      ],
    };
  },

  revoked: (size) => {
    const half = Math.floor(size / 2);
    return {
      about: "hawkBit: one superseded in mid-download, one superseded in its trial, one superseded by itself",
      platform: "hawkbit",
      pushes: [
        push(image("0.2.0", size), "0.2.0", { supersededAt: half }),
        push(image("0.3.0", size), "0.3.0", { nextInTrial: true }),
        push(image("0.4.0", size), "0.4.0", { supersededAt: half }),
        push(image("0.4.0", size), "0.4.0"),
      ],
    };
  },

  stopped: (size) => ({
    about: "hawkBit: cancelled in mid-download, and cancelled in the trial; then the next",
    platform: "hawkbit",
    pushes: [
      push(image("0.2.0", size), "0.2.0", { cancelledAt: 1 }),
      push(image("0.3.0", size), "0.3.0", { cancelledInTrial: true }),
      push(image("0.4.0", size), "0.4.0"),
    ],
  }),
};
