/**
 * The scenarios in which the power is cut. Each is a whole update, from a board with factory firmware to an
 * acknowledged outcome. A scenario says what the cloud does and what the new firmware is like; the device is under
 * test.
 */
import { compressible, lyingPatchOf, patchOf, related, wholeOf } from "./container-images";
import { hawkbitScenarios } from "./hawkbit-scenarios";
import { GONE, image, push, refused, rolledBack } from "./push";
import type { Push } from "./push";
import { SECTOR } from "../../../src/constants";
import { thingsboardScenarios } from "./thingsboard-scenarios";

export type ScenarioPlatform =
  | "tencent"
  | "thingspanel-v0"
  | "thingspanel-v1"
  | "static"
  | "thingsboard"
  | "thingsboard-http"
  | "hawkbit";

export interface Scenario {
  readonly name: string;
  /** One line for people. */
  readonly about: string;
  readonly platform: ScenarioPlatform;
  readonly factory: Uint8Array;
  readonly scale: Scale;
  readonly pushes: readonly Push[];
  /**
   * After a power cut the connection comes up only when the device has nothing else to do: the job continues by itself.
   */
  readonly lateLink?: boolean;
  /** Broker and file server are away for so many ms, from the first start of new firmware on. */
  readonly outage?: number;
  /** The first PUBACK of each report is lost together with the connection. */
  readonly losesAcks?: boolean;
}

/** Size of a scenario's images: "whole" for the main search, "small" where power cuts are combined. */
export type Scale = "whole" | "small";
/** Bytes: 22 sectors, which are two blocks, and 4 sectors; the last one of each in part. */
const SIZES: { readonly [scale in Scale]: number } = { whole: 21 * 4096 + 1234, small: 3 * 4096 + 1234 };

const FACTORY = "0.1.0";

export function scenario(name: string, scale: Scale = "whole"): Scenario {
  const make = SCENARIOS[name];
  if (make === undefined)
    throw new Error(`no scenario ${JSON.stringify(name)}; there are ${SCENARIO_NAMES.join(", ")}`);
  const key = `${scale}/${name}`;
  const known: Scenario = made.get(key) ?? {
    name,
    scale,
    platform: "tencent",
    factory: image(FACTORY, SIZES.small),
    ...make(SIZES[scale]),
  };
  made.set(key, known);
  return known;
}

const made = new Map<string, Scenario>();

type Made = Pick<Scenario, "about" | "pushes"> & Partial<Scenario>;

const SCENARIOS: { readonly [name: string]: (size: number) => Made } = {
  good: (size) => ({ about: "a good update", pushes: [push(image("0.2.0", size), "0.2.0")] }),

  alone: (size) => ({
    about: "a good update; after a cut the connection comes late, the job goes on by itself",
    lateLink: true,
    pushes: [push(image("0.2.0", size), "0.2.0")],
  }),

  acks: (size) => ({
    about: "a good update; each first PUBACK is lost with its connection",
    losesAcks: true,
    pushes: [push(image("0.2.0", size), "0.2.0")],
  }),

  twice: (size) => ({
    about: "two updates, the second back into the first slot",
    pushes: [push(image("0.2.0", size), "0.2.0"), push(image("0.3.0", size), "0.3.0")],
  }),

  throws: (size) => {
    const file = image("0.2.0", size);
    return {
      about: "the new firmware throws at start; pushed again it is refused",
      pushes: [
        push(file, "0.2.0", { behaviour: "throws", ends: rolledBack(/failed in its trial/) }),
        push(file, "0.2.0", { ends: refused(/was rolled back before/) }),
      ],
    };
  },

  hangs: (size) => ({
    about: "the new firmware stands still until the watchdog resets it; the next one is good",
    pushes: [
      push(image("0.2.0", size), "0.2.0", { behaviour: "hangs", ends: rolledBack(/failed in its trial/) }),
      push(image("0.2.1", size), "0.2.1"),
    ],
  }),

  sleeps: (size) => ({
    about: "the new firmware goes to deep sleep past the agent; the next one is good",
    pushes: [
      push(image("0.2.0", size), "0.2.0", { behaviour: "sleeps", ends: rolledBack(/slept before it was confirmed/) }),
      push(image("0.2.1", size), "0.2.1"),
    ],
  }),

  unhealthy: (size) => {
    const file = image("0.2.0", size);
    return {
      about: "the new firmware's health check fails; pushed again it is refused",
      pushes: [
        push(file, "0.2.0", { behaviour: "unhealthy", ends: rolledBack(/health check failed|failed in its trial/) }),
        push(file, "0.2.0", { ends: refused(/was rolled back before/) }),
      ],
    };
  },

  mute: (size) => ({
    about: "the new firmware's health check never answers",
    pushes: [
      push(image("0.2.0", size), "0.2.0", {
        behaviour: "mute",
        ends: rolledBack(/did not answer|failed in its trial/),
      }),
    ],
  }),

  offline: (size) => {
    const file = image("0.2.0", size);
    return {
      about: "the new firmware does not reach the cloud; pushed again it does, without a download",
      pushes: [
        push(file, "0.2.0", { behaviour: "offline", ends: rolledBack(/cloud not reached|could not connect/) }),
        push(file, "0.2.0"),
      ],
    };
  },

  outage: (size) => ({
    about: "the cloud is away during the trial and longer; the image is activated again without a download",
    outage: 10 * 60_000,
    pushes: [push(image("0.2.0", size), "0.2.0")],
  }),

  mismatch: (size) => {
    const file = image("0.2.0", size);
    return {
      about: "the digest in the offer is not the file's; then the right one",
      pushes: [
        push(file, "0.2.0", {
          offer: { digest: { algorithm: "MD5", hex: "0".repeat(32) } },
          ends: { cause: "digest-mismatch", message: /of what is in flash is/ },
        }),
        push(file, "0.2.0"),
      ],
    };
  },

  supersede: (size) => ({
    about: "another image is pushed in mid-download",
    pushes: [
      push(image("0.2.0", size), "0.2.0", { supersededAt: Math.floor(size / 2) }),
      push(image("0.3.0", size), "0.3.0"),
    ],
  }),

  broken: (size) => {
    const file = image("0.2.0", size);
    file[size - 2000] = (file[size - 2000] ?? 0) ^ 1;
    return {
      about: "a file with the right digest that is no image; pushed again it is refused; then a good one",
      pushes: [
        push(file, "0.2.0", { ends: refused(/^verify/) }),
        push(file, "0.2.0", { ends: refused(/was refused before/) }),
        push(image("0.3.0", size), "0.3.0"),
      ],
    };
  },

  tail: (size) => {
    const file = image("0.2.0", size);
    const part = file.slice(0, size - (size % 4096) - 4096);
    return {
      about: "a file whose missing end lies in the slot from before: bootable, yet not what was offered",
      pushes: [
        push(file, "0.2.0", {
          offer: { digest: { algorithm: "MD5", hex: "1".repeat(32) } },
          ends: { cause: "digest-mismatch", message: /of what is in flash is/ },
        }),
        push(part, "0.2.0", { ends: refused(/is longer than the file/) }),
      ],
    };
  },

  same: (size) => {
    const factory = image(FACTORY, size);
    return {
      about: "the running version is pushed: with its own digest done at once, with another refused",
      factory,
      pushes: [
        push(factory, FACTORY),
        push(image("0.2.0", size), FACTORY, { ends: refused(/runs already, with another digest/) }),
      ],
    };
  },

  waits: (size) => ({
    about: "the next image is pushed while the first is on trial",
    pushes: [push(image("0.2.0", size), "0.2.0", { nextInTrial: true }), push(image("0.3.0", size), "0.3.0")],
  }),

  files: (size) => ({
    about: "plain files: the manifest shows what is wanted; a good update, one that is rolled back, and the next",
    platform: "static",
    pushes: [
      push(image("0.2.0", size), "0.2.0"),
      push(image("0.3.0", size), "0.3.0", {
        behaviour: "unhealthy",
        ends: rolledBack(/health check failed|failed in its trial/),
      }),
      push(image("0.3.1", size), "0.3.1"),
    ],
  }),

  staged: (size) => ({
    about: "plain files: another release while one is downloaded, and another while one is on trial",
    platform: "static",
    pushes: [
      push(image("0.2.0", size), "0.2.0", { supersededAt: Math.floor(size / 2) }),
      push(image("0.3.0", size), "0.3.0", { nextInTrial: true }),
      push(image("0.4.0", size), "0.4.0"),
    ],
  }),

  ...thingsboardScenarios,

  ...hawkbitScenarios,

  panel: (size) => ({
    about: "ThingsPanel v0: size unknown, a push comes once",
    platform: "thingspanel-v0",
    pushes: [
      push(image("0.2.0", size), "0.2.0", { offer: { size: 0 } }),
      push(image("0.3.0", size), "0.3.0", {
        behaviour: "unhealthy",
        ends: rolledBack(/health check failed|failed in its trial/),
      }),
    ],
  }),

  panel1: (size) => ({
    about: "ThingsPanel v1: no version report, the next image is pushed while the first is on trial",
    platform: "thingspanel-v1",
    pushes: [
      push(image("0.2.0", size), "0.2.0", { nextInTrial: true }),
      push(image("0.3.0", size), "0.3.0", { offer: { size: 0 } }),
    ],
  }),

  delta: (size) => {
    const [factory, next] = [related(FACTORY, size), related("0.2.0", size)];
    return {
      about: "a container: a patch from the running image, then one from that, back into the first slot",
      factory,
      pushes: [
        push(next, "0.2.0", { container: patchOf(next, factory) }),
        push(related("0.3.0", size), "0.3.0", { container: patchOf(related("0.3.0", size), next) }),
      ],
    };
  },

  packed: (size) => {
    const file = compressible("0.2.0", size);
    return {
      about: "a container with no patch for this device: the compressed image",
      pushes: [push(file, "0.2.0", { container: patchOf(file, related("0.0.9", size)) })],
    };
  },

  turns: (size) => {
    const file = compressible("0.2.0", size, 1 / 3);
    const container = wholeOf(file);
    const half = SECTOR * Math.floor(container.length / SECTOR / 2);
    const fails = { restarts: true, ends: GONE };
    return {
      about: "a container and its image as a plain file take turns, both in part and with restarts; then the container",
      pushes: [
        push(file, "0.2.0", { ...fails, container, goneAt: half }),
        push(file, "0.2.0", { ...fails, container, goneAt: half + SECTOR }),
        push(file, "0.2.0", { ...fails, goneAt: half }),
        push(file, "0.2.0", { ...fails, goneAt: half + SECTOR }),
        push(file, "0.2.0", { ...fails, container, goneAt: half }),
        push(file, "0.2.0", { container }),
      ],
    };
  },

  lies: (size) => {
    const [factory, next] = [related(FACTORY, size), related("0.2.0", size)];
    const container = lyingPatchOf(next, factory);
    return {
      about: "a container that makes another file than it says; pushed again it is refused; then a good one",
      factory,
      pushes: [
        push(next, "0.2.0", { container, ends: refused(/makes another file/) }),
        push(next, "0.2.0", { container, ends: refused(/was refused before/) }),
        push(next, "0.2.0", { container: patchOf(next, factory) }),
      ],
    };
  },
};

export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);
