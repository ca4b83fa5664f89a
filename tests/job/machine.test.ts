/**
 * The table of the update job against what happens: long random walks through the machine, with boots in between, take
 * every transition that `Next` declares and no other.
 */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { nextStates } from "../../scripts/docs/next-states";
import { SECTOR } from "../../src/constants";
import { NOT_ON_TRIAL } from "../../hal/model-chip/start-up";
import type { BootFacts, JobEffect, JobEvent } from "../../src/job/effects";
import { DEFAULTS, TABLE, UpdateJob } from "../../src/job/machine";
import { DEFAULT_POLICY } from "../../src/job/policy";
import { readRecords } from "../../src/job/records";
import type { StateName } from "../../src/job/states";
import type { Offer } from "../../src/job/types";
import type { ResetReason, SlotState } from "../../src/ports";
import { readImage } from "../../host-sim/delta/pack";
import { containerOf } from "../kit/containers";
import { Random } from "../powercut/simulation/random";
import { RULES, image, offerOf } from "./job-fixture";

const FILE = image("0.2.0", 12_000);
const SAME = image("0.1.0", 12_000);
const NEWER = image("0.3.0", 12_000);
const SIGNER = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
/** The sectors of its patch do not begin with those of its head. */
const CONTAINER = containerOf(FILE, [SAME], { key: SIGNER });
const PATCH_AT = Math.floor(CONTAINER.container.parts[1]!.offset / SECTOR) * SECTOR;
const RUNNING = readImage(SAME, "what runs").base;
const SLOT_SIZE = 1 << 20;
const ASSETS = Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff);
const component = { component: "assets", module: "assets" };
const bare = ({ digest: _digest, ...rest }: Offer): Offer => rest;

/** Each with the file that is delivered for it; the last one does not match its digest. */
const OFFERS: readonly (readonly [Offer, Uint8Array])[] = [
  [offerOf(FILE, "0.2.0"), FILE],
  [offerOf(NEWER, "0.3.0"), NEWER],
  [offerOf(CONTAINER.bytes, "0.2.0"), CONTAINER.bytes],

  [bare(offerOf(FILE, "0.2.0", { url: "http://files/bare" })), FILE],
  [offerOf(FILE, "0.2.0", { size: 0 }), FILE],
  [offerOf(SAME, "0.1.0"), SAME],
  [offerOf(SAME, "0.1.0", { size: 0 }), SAME],
  [bare(offerOf(SAME, "0.1.0")), SAME],
  [offerOf(ASSETS, "a1", component), ASSETS],
  [bare(offerOf(ASSETS, "a2", { ...component, url: "http://files/assets" })), ASSETS],
  [offerOf(FILE, "0.2.0", { size: 64 << 20 }), FILE],
  [offerOf(FILE, "0.4.0", { digest: { algorithm: "MD5", hex: "0".repeat(32) } }), FILE],
];

type Rarely = Extract<JobEffect["type"], "confirm" | "rollback" | "download" | "verify" | "activate" | "put-bytes">;
const FAILURES: readonly (Rarely | "erase" | "open-component" | "report")[] = [
  "confirm",
  "rollback",
  "download",
  "verify",
  "activate",
  "put-bytes",
  "erase",
  "open-component",
  "report",
];

/** States that an event from outside seldom meets. */
const SHORT: readonly StateName[] = ["verifying", "expanding", "committing"];
/** Answers come at once there. */
const BUSY: readonly StateName[] = ["storing", "choosing", "expanding"];
const LONG_WAITS: readonly StateName[] = ["awaiting-link", "restart", "deciding"];

/** One device: its store outlives boots, its flash holds what the walk says. */
class Walk {
  readonly seen = new Set<string>();
  readonly #random: Random;
  readonly #store = new Map<string, number | Uint8Array>();
  #job: UpdateJob | undefined;
  #now = 0;
  #file = FILE;
  #answers: JobEvent[] = [];
  /** Where the next bytes of a block belong. */
  #at = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#boot();
  }

  /** The number of events; the machine must take each of them in every state. */
  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      const { name } = this.#running;
      const end = !("offer" in TABLE[name]) && name !== "starting";
      if (this.#one(end ? 3 : name === "expanding" ? 12 : 150)) this.#boot();
      // In the middle of a sector little else happens: give it its chance.
      else this.#handle((this.#one(BUSY.includes(name) ? 3 : 20) ? undefined : this.#answers.shift()) ?? this.#event());
    }
  }

  get #running(): UpdateJob {
    return this.#job!;
  }

  #one(of: number): boolean {
    return this.#random.below(of) === 0;
  }
  #pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)]!;
  }

  /** Mostly what the bootloader makes of the state before: firmware on trial, or the old one after a rollback. */
  #boot(): void {
    const before = this.#one(4) ? undefined : this.#job?.name;
    const isNew = before === "activating" || (before !== "rolling-back" && this.#one(3));
    const facts: BootFacts = {
      running: {
        slot: isNew ? "ota_1" : "ota_0",
        version: isNew ? (this.#offered(before) ?? this.#pick(["0.2.0", "0.3.0"])) : "0.1.0",
        project: "xs-ota-board",
        chip: 0,
        state: this.#pick<SlotState>(isNew ? ["pending", "pending", "valid"] : ["valid", "valid", "valid", "pending"]),
      },
      target: isNew ? "ota_0" : "ota_1",
      slotSize: SLOT_SIZE,
      blockSectors: 16,
      resetReason: this.#pick<ResetReason>(["power-on", "software", "panic", "deep-sleep"]),
      startUp: { ...NOT_ON_TRIAL, wakes: this.#pick([0, 0, 20]) },
      targetStarted: undefined,
      lastInvalid: before === "rolling-back" ? "ota_1" : this.#pick([undefined, undefined, "ota_1"]),
      stored: readRecords({
        getNumber: (key) => this.#store.get(key) as number | undefined,
        getBytes: (key) => this.#store.get(key) as Uint8Array | undefined,
      }),
    };
    const trust = this.#one(4) ? { refusalOfSignature: () => (this.#one(2) ? "unsigned" : undefined) } : {};
    this.#job = new UpdateJob(
      {
        platform: {
          name: "tencent",
          rules: { ...RULES, renewable: !this.#one(3), versionReport: !this.#one(3), wantedState: this.#one(3) },
        },
        policy: { ...DEFAULT_POLICY, allowHttp: true, allowNoDigest: true, allowForeign: true },
        capacityOf: (name) => (name === "assets" ? 1 << 16 : undefined),
        digest: (algorithm) => {
          const hash = createHash(algorithm.toLowerCase());
          return { write: (bytes) => void hash.update(bytes), close: () => hash.digest() };
        },
        ...trust,
      },
      facts,
    );
    this.#answers = [];
    this.#handle({ type: "boot" }, facts.stored.pendingOffer === undefined);
  }

  #offered(before: StateName | undefined): string | undefined {
    return before === "activating" ? this.#job?.task?.version : undefined;
  }

  #handle(event: JobEvent, counts = true): void {
    const { name } = this.#running;
    const effects = this.#running.handle(event, this.#now);
    if (counts && this.#running.name !== name) this.seen.add(`${name} -> ${this.#running.name}`);
    for (const effect of effects) this.#execute(effect);
  }

  #execute(effect: JobEffect): void {
    switch (effect.type) {
      case "put-number":
        return void this.#store.set(effect.key, effect.value);
      case "put-bytes":
        return void this.#store.set(effect.key, effect.bytes);
      case "delete":
        return void this.#store.delete(effect.key);
      case "compare":
        return void this.#answers.push({ type: "compared", equal: !this.#one(12) });
      case "read":
        return void this.#answers.push({ type: "bytes", bytes: this.#read(effect.offset, effect.length) });
      case "identify":
        return void this.#answers.push({ type: "running-image", image: this.#pick([RUNNING, RUNNING, undefined]) });
      case "expand-begin":
        this.#at = effect.start;
        return;
      case "expand":
        this.#answers.push({ type: "expanded", bytes: FILE.slice(this.#at, this.#at + effect.length) });
        this.#at += effect.length;
        return;
      case "verify":
        return void this.#answers.push(
          this.#one(8)
            ? { type: "effect-failed", effect: "verify", message: "checksum" }
            : { type: "verified", length: this.#one(8) ? 1 << 20 : 5000 },
        );
      case "yield":
        return void this.#answers.push({ type: "turn" });
      case "ask":
        if (effect.question === "consent" && !this.#one(6))
          this.#answers.push({ type: "consent", decision: this.#one(8) ? "reject" : "accept" });
    }
  }

  /** The tail of the slot holds the container, its front what that makes. */
  #read(offset: number, length: number): Uint8Array {
    if (this.#file !== CONTAINER.bytes) return this.#file.subarray(offset, offset + length);
    if (offset < SLOT_SIZE / 2) return FILE.subarray(offset, offset + length);
    const staged = this.#pick([CONTAINER.bytes, CONTAINER.bytes.subarray(PATCH_AT)]);
    const at = SLOT_SIZE - Math.ceil(staged.length / SECTOR) * SECTOR;
    return staged.subarray(Math.max(0, offset - at), Math.max(0, offset - at) + length);
  }

  #offset(): number {
    const stored = readRecords({
      getNumber: (key) => this.#store.get(key) as number | undefined,
      getBytes: () => undefined,
    });
    if (this.#file === CONTAINER.bytes && !this.#one(3))
      return ((stored.stagedOffset ?? 0) & 0xffff) * SECTOR + this.#pick([0, PATCH_AT]);
    const offset = this.#running.target === "firmware" ? stored.firmwareOffset : stored.componentOffset;
    return ((offset ?? 0) & 0xffff) * SECTOR;
  }

  #tick(): JobEvent {
    this.#now = Math.max(this.#now, this.#running.deadline() ?? this.#now);
    return { type: "tick" };
  }

  /** Something that may come from outside. What the state waits for comes more often. */
  #event(): JobEvent {
    const size = this.#file.length;
    if (this.#running.name === "storing" && this.#one(12)) return { type: "finished" };
    if (SHORT.includes(this.#running.name) && this.#one(8)) return { type: "withdrawn" };
    switch (this.#random.below(this.#running.name === "downloading" ? 26 : 16)) {
      case 0:
      case 1: {
        // Another offer would supersede a job that waits long.
        if (LONG_WAITS.includes(this.#running.name) && !this.#one(8)) return this.#tick();
        const [offer, file] = this.#pick(OFFERS);
        if (this.#running.task === undefined) this.#file = file;
        return { type: "offer", offer };
      }
      case 2:
        return { type: "link", up: !this.#one(this.#running.name === "restart" ? 2 : 4) };
      case 3:
        return { type: "acked", token: this.#pick(["version", "burning", "outcome", "refused"]) };
      case 4:
        return { type: "acked", token: "outcome" };
      case 5:
        return { type: "consent", decision: this.#pick(["accept", "reject"]) };
      case 6:
        return { type: "restart" };
      case 7:
        return { type: "health", ok: !this.#one(3), message: "sensor missing" };
      case 8:
        return { type: "install", ok: !this.#one(3), message: "busy" };
      case 9:
      case 10:
        return this.#tick();
      case 11:
        return { type: "effect-failed", effect: this.#pick(FAILURES), message: "worn out" };
      case 12:
        return { type: "expired", message: "403" };
      case 13:
        return this.#pick<JobEvent>([
          { type: "forget" },
          { type: "withdrawn" },
          { type: "sleep", seconds: 600 },
          { type: "rewind", offset: 0 },
          { type: "start-over", reason: "changed" },
          { type: "finished" },
          { type: "download-failed", cause: "download", message: "404" },
          { type: "refused", task: { version: "9" }, outcome: { kind: "fail", cause: "rejected", message: "no url" } },
        ]);
      case 14:
      case 15:
        return { type: "total", size, validator: undefined };
      default: {
        const offset = this.#offset();
        return offset >= size
          ? { type: "finished" }
          : { type: "sector", offset, bytes: this.#file.subarray(offset, offset + SECTOR) };
      }
    }
  }
}

const NEXT = nextStates();

test("random walks take every declared transition and no other", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 240; seed++) {
    const walk = new Walk(seed);
    walk.run(3_000);
    for (const each of walk.seen) seen.add(each);
  }
  const declared = [...NEXT].flatMap(([from, states]) => states.map((state) => `${from} -> ${state}`));
  assert.deepEqual(
    [...seen].filter((each) => !declared.includes(each)).sort(),
    [],
    "transitions that are not declared",
  );
  assert.deepEqual(
    declared.filter((each) => !seen.has(each)),
    [],
    "transitions that are declared and never taken",
  );
});

test("the table has a row for each state, and the states are those that have next states", () => {
  assert.deepEqual(Object.keys(TABLE).sort(), [...NEXT.keys()].sort());
  for (const states of NEXT.values()) for (const state of states) assert.ok(NEXT.has(state), state);
});

test("tables are frozen: a preloaded object that is not costs a chip memory", () => {
  for (const table of [TABLE, DEFAULTS, ...Object.values(TABLE)]) assert.ok(Object.isFrozen(table));
});

test("the machine alone assigns a state", () => {
  const folder = new URL("../../src/job/", import.meta.url);
  const assignments = readdirSync(folder).flatMap((file) =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(/[\w.]*\b(?:state|currentState)\s*=[^=>].*/g)].map(
      ([text]) => `${file}: ${text.slice(0, 60)}`,
    ),
  );
  assert.deepEqual(
    assignments.filter((each) => !/: (const )?state = /.test(each)),
    ["machine.ts: this.currentState = next.state;"],
  );
});

test("every state and every event that has a handler is known by name", () => {
  const names: readonly StateName[] = Object.keys(TABLE) as StateName[];
  for (const name of names) for (const handler of Object.values(TABLE[name])) assert.equal(typeof handler, "function");
});
