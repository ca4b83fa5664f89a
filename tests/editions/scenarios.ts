/**
 * Updates between edition 1 of the agent and this one. The minor number of a version tells which agent that firmware
 * contains: version 0.2.0 of the editions [1, "this"] contains this agent.
 */
import { encodeFirmwareBlock } from "../../src/image/firmware-block";
import { buildImage } from "../../hal/model-chip/build-image";
import { image, push, refused, rolledBack } from "../powercut/simulation/push";
import type { Behaviour, Push } from "../powercut/simulation/push";
import type { Scenario } from "../powercut/simulation/scenarios";

export type Edition = 1 | "this";

export interface EditionScenario {
  readonly updates: Scenario;
  /** `cuts`: power cuts so far. */
  readonly editionOf: (version: string, cuts: number) => Edition;
  /** The board is found with version 0.2.0 about to start its trial, and without a job record. */
  readonly withoutRecord?: true;
}

/** Three sectors and a bit. */
const SIZE = 3 * 4096 + 1234;

/** One object for each version: the simulated cloud identifies a file by it. */
const files = new Map<string, Uint8Array>();
function file(version: string): Uint8Array {
  const made = files.get(version) ?? image(version, SIZE);
  files.set(version, made);
  return made;
}

const good = (version: string, change: Partial<Omit<Push, "offer">> = {}): Push => push(file(version), version, change);
const bad = (version: string, behaviour: Behaviour, message: RegExp): Push =>
  push(file(version), version, { behaviour, ends: rolledBack(message) });
const refusedLater = (version: string): Push =>
  push(file(version), version, { ends: refused(/was rolled back before/) });

/** A firmware block of a later format in an image that is right otherwise. */
function laterBlock(version: string): Uint8Array {
  const custom = encodeFirmwareBlock({ product: "xs-ota-board", version, securityFloor: 0 });
  custom[4] = 2;
  return buildImage({ version, size: SIZE, custom, payload: new TextEncoder().encode(`firmware ${version}`) });
}

type Pushes = Pick<Scenario, "about" | "pushes"> & Partial<Scenario>;

/** Each runs from either edition to the other; 0.3.0 is of the first one again. */
const UPDATES: { readonly [name: string]: () => Pushes } = {
  good: () => ({ about: "a good update, then the next one back", pushes: [good("0.2.0"), good("0.3.0")] }),
  unhealthy: () => ({
    about: "the new firmware's health check fails; pushed again it is refused, the next one is good",
    pushes: [
      bad("0.2.0", "unhealthy", /health check failed|failed in its trial/),
      refusedLater("0.2.0"),
      good("0.3.0"),
    ],
  }),
  throws: () => ({
    about: "the new firmware throws at its start; pushed again it is refused",
    pushes: [bad("0.2.0", "throws", /failed in its trial/), refusedLater("0.2.0")],
  }),
  hangs: () => ({
    about: "the new firmware hangs until the watchdog resets it",
    pushes: [bad("0.2.0", "hangs", /failed in its trial/), refusedLater("0.2.0")],
  }),
  offline: () => ({
    about: "the new firmware does not reach the cloud; pushed again it does",
    pushes: [bad("0.2.0", "offline", /cloud not reached|could not connect/), good("0.2.0")],
  }),
  waits: () => ({
    about: "the next firmware is pushed while the first is on trial",
    pushes: [good("0.2.0", { nextInTrial: true }), good("0.3.0")],
  }),
  superseded: () => ({
    about: "another firmware is pushed in the middle of the download",
    pushes: [good("0.2.0", { supersededAt: SIZE >> 1 }), good("0.3.0")],
  }),
  acks: () => ({
    about: "the first PUBACK of each report is lost with its connection",
    losesAcks: true,
    pushes: [good("0.2.0")],
  }),
  mismatch: () => ({
    about: "the digest in the offer is not the file's; then the right one",
    pushes: [
      push(file("0.2.0"), "0.2.0", {
        offer: { digest: { algorithm: "MD5", hex: "0".repeat(32) } },
        ends: { cause: "digest-mismatch", message: /of what is in flash is/ },
      }),
      good("0.2.0"),
    ],
  }),
  "later block": () => ({
    about: "a firmware block of format 2 is refused; then a good update",
    pushes: [push(laterBlock("0.2.0"), "0.2.0", { ends: refused(/firmware block of format 2/) }), good("0.3.0")],
  }),
};

function updatesOf(name: string, pushes: Pushes): Scenario {
  return { name: `editions: ${name}`, platform: "tencent", factory: file("0.1.0"), scale: "small", ...pushes };
}

const minor = (version: string): number => Number(version.split(".")[1]);

function between(from: Edition, to: Edition): EditionScenario[] {
  const order = `${from} to ${to}`;
  const updates = Object.entries(UPDATES).map(([name, pushes]): EditionScenario => ({
    updates: updatesOf(`${order}, ${name}`, pushes()),
    editionOf: (version) => (minor(version) === 2 ? to : from),
  }));
  const pushes = { about: "", pushes: [good("0.2.0")] };
  return [
    ...updates,
    {
      updates: updatesOf(`${order}, without a record`, {
        ...pushes,
        about: "the new firmware is on trial and finds no job record",
      }),
      editionOf: (version) => (minor(version) === 2 ? to : from),
      withoutRecord: true,
    },
    {
      updates: updatesOf(`${order}, exchanged by cable`, {
        ...pushes,
        about: "after each power cut the other edition goes on with the same records, in either slot",
      }),
      editionOf: (_, cuts) => (cuts % 2 === 0 ? from : to),
    },
  ];
}

/** The lower version that ran before is pushed again. */
const DOWNGRADE: EditionScenario = {
  updates: updatesOf("this to 1, lower version", {
    about: "edition 1 follows as a lower version than the one that runs",
    factory: file("0.2.0"),
    pushes: [good("0.1.0")],
  }),
  editionOf: (version) => (minor(version) === 2 ? "this" : 1),
};

export const SCENARIOS: readonly EditionScenario[] = [...between(1, "this"), ...between("this", 1), DOWNGRADE];
