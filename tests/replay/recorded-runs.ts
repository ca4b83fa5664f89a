/**
 * Random lives of a board, recorded: a scenario of the power-cut search, cuts and faults drawn from a seed. Each start of
 * the firmware has a recorder, and what the job did there is kept to compare it with the replay.
 */
import { isDeepStrictEqual } from "node:util";
import { OtaAgent } from "../../src/agent/agent";
import type { JobEffect, JobEvent } from "../../src/job/effects";
import { Recorder } from "../../src/recorder/recorder";
import type { Failed } from "../../src/recorder/recorder";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { AgentDevice } from "../powercut/simulation/agent-device";
import { BootCycle, cutAt } from "../powercut/simulation/boot-cycle";
import type { MakeDevice } from "../powercut/simulation/device";
import { JobDevice, POLICY } from "../powercut/simulation/job-device";
import { NETWORK_FAULTS, parseNetworkFault } from "../powercut/simulation/network-faults";
import { TENCENT_DEVICE, platformOf } from "../powercut/simulation/platforms";
import { Random } from "../powercut/simulation/random";
import { SCENARIO_NAMES, scenario } from "../powercut/simulation/scenarios";
import { SimulationState } from "../powercut/simulation/simulation-state";

/** Hands out each recording. */
class WatchedRecorder extends Recorder {
  constructor(
    random: number,
    readonly onRecording: (recording: Uint8Array) => void,
    most?: number,
  ) {
    super(random, most);
  }
  override bytes(failed?: Failed, earlier?: readonly Uint8Array[]): Uint8Array {
    const recording = super.bytes(failed, earlier);
    this.onRecording(recording);
    return recording;
  }
}

/** One start of the firmware. */
export interface Start {
  readonly recording: Uint8Array;
  readonly effects: readonly JobEffect[];
}

export interface Tally {
  runs: number;
  starts: number;
  failures: number;
  identical: number;
  /** Of these, begun at a snapshot. */
  cut: number;
  incomplete: number;
  /** A replay that claims other effects than the device had, or a violation of an invariant: there must be none. */
  readonly wrong: string[];
  readonly doubts: Map<string, number>;
  /** Bytes of the longest recording. */
  longest: number;
}

export const newTally = (): Tally => ({
  runs: 0,
  starts: 0,
  failures: 0,
  identical: 0,
  cut: 0,
  incomplete: 0,
  wrong: [],
  doubts: new Map(),
  longest: 0,
});

/** Keys of records that hold a URL, or bytes of an image. */
const HIDDEN = ["job", "next", "head", "phead"];

/** What a replay can tell of an effect: no URL, and no bytes of a file. */
export const visible = (effects: readonly JobEffect[]): unknown[] =>
  effects.map((effect) => {
    if (effect.type === "put-bytes") return HIDDEN.includes(effect.key) ? { ...effect, bytes: undefined } : effect;
    return withoutBytes(effect);
  });

const withoutBytes = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => name !== "url" && field !== undefined)
      .map(([name, field]) => [name, withoutBytes(field)]),
  );
};

/** No part of a URL but its scheme, and nothing that the device signs in with. */
const checkSilent = ({ recording, effects }: Start): void => {
  const told = Buffer.from(recording).toString("latin1");
  const hidden: string[] = [TENCENT_DEVICE.deviceSecret];
  for (const effect of effects)
    // On ThingsBoard over MQTT a URL is title and version, which a recording may tell.
    if ((effect.type === "download" || effect.type === "renew") && effect.url.startsWith("http")) {
      const { pathname, search, host } = new URL(effect.url);
      hidden.push(pathname, search, `//${host}`);
    }
  for (const secret of hidden) if (secret.length > 0 && told.includes(secret)) throw new Error(`recorded: ${secret}`);
};

/** Compares the replay of one start with what the device did. */
export const judge = (start: Start, line: string, tally: Tally): void => {
  tally.starts++;
  tally.longest = Math.max(tally.longest, start.recording.length);
  checkSilent(start);
  const { run } = readRecording(start.recording);
  const { steps, doubt } = replay(run);
  if (run.end?.cause !== undefined) tally.failures++;
  if (doubt !== undefined) {
    tally.incomplete++;
    tally.doubts.set(doubt, (tally.doubts.get(doubt) ?? 0) + 1);
    return;
  }
  const replayed = visible(steps.flatMap(({ effects }) => effects));
  const done = visible(start.effects);
  // Where entries were dropped the replay begins at a snapshot.
  const cut = run.entries.some(({ kind }) => kind === "gap");
  if (cut) tally.cut++;
  if (isDeepStrictEqual(replayed, cut ? done.slice(done.length - replayed.length) : done)) tally.identical++;
  else tally.wrong.push(line);
};

/** Runs what `seed` draws. `most`: bytes of a recording; a small one makes entries go. */
export const randomRun = (seed: number, tally: Tally, most?: number): void => {
  const random = new Random(seed);
  const name = random.pick(SCENARIO_NAMES);
  const asAgent = random.below(3) === 0;
  const kinds = Object.keys(NETWORK_FAULTS);
  const network = asAgent ? `${random.pick(kinds)}${1 + random.below(8)}x${random.below(9_000)}` : "";
  const line = `seed ${seed}: ${name} ${network}`;
  let recorder: WatchedRecorder | undefined;
  const finish = (): void => {
    recorder?.bytes();
    recorder = undefined;
  };
  const make: MakeDevice = (surroundings) => {
    finish();
    const effects: JobEffect[] = [];
    const own = new WatchedRecorder(random.fraction(), (recording) => judge({ recording, effects }, line, tally), most);
    recorder = own;
    const handled = (_event: JobEvent, done: readonly JobEffect[]): void => void effects.push(...done);
    // A host that takes recordings.
    if (!asAgent)
      return Object.assign(new JobDevice(surroundings, handled, 0, () => own), { recorded: () => undefined });
    return new AgentDevice(surroundings, parseNetworkFault(network), (options, which) => {
      const agent = new OtaAgent({ ...options, recorder: own, platform: platformOf(which), policy: POLICY });
      Object.assign(agent["host"], { handled });
      return agent;
    });
  };
  let simulation = SimulationState.begin(scenario(name, "small"));
  let cuts = random.below(4);
  for (let over = false; !over;) {
    let next: SimulationState | undefined;
    let wait = random.below(160);
    const cycle = new BootCycle(simulation, make, (point, inside) => {
      if (cuts === 0 || wait-- > 0) return undefined;
      cuts--;
      next = cutAt(inside, point, { kind: random.below(2) === 0 ? "a" : "b", value: 0 });
      return "stop";
    });
    over = cycle.run() || next === undefined;
    finish();
    simulation = next ?? simulation;
  }
  tally.runs++;
  // What the recorder writes changes nothing of the update.
  for (const { check, message } of simulation.ledger.violations) tally.wrong.push(`${line}: ${check}: ${message}`);
};
