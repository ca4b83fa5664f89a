/**
 * The least heap with which an update succeeds on the SDK's engine, found by halving, for bench/least-heap.json and the
 * table of docs/MODDABLE.md. Run by scripts/moddable-ram.mjs with "least".
 */
import { X509Certificate } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { buildImage } from "../../hal/model-chip/build-image";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless } from "./harness";

const IDENTITY = { productId: "A1B2C3D4E5", deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" };
const SIZE = 200_000;
/** Of a slot on a chip. */
const SLOT = 16;
/** Of its own, and anew: compiled perhaps by another compiler than the rest. */
const OUT = `${BUILD}-least`;
for (const out of [OUT, `${OUT}-whole`]) rmSync(out, { recursive: true, force: true });

interface Scenario {
  readonly name: string;
  readonly tls: boolean;
  readonly wholeRecords?: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "plain TCP", tls: false },
  { name: "TLS, records of 4 KiB", tls: true },
  { name: "TLS, records of 16 KiB", tls: true, wholeRecords: true },
];

/** Bytes of chunks, slots of heap and of stack: `creation` of a manifest. */
interface Heap {
  readonly chunk: number;
  readonly heap: number;
  readonly stack: number;
}
/** More than anything needs, and the grain of the search. */
const AMPLE: Heap = { chunk: 65_536, heap: 4_096, stack: 1_024 };
const GRAIN: Heap = { chunk: 1_024, heap: 64, stack: 16 };

const folder = mkdtempSync(join(tmpdir(), "xs-ota-least-"));
const headless = buildHeadless(OUT);
const RAM = join("tests", "moddable", "ram");
const app = build(join(ROOT, RAM), OUT, "instrument").path;

/** The same app from a copy of the sources that does not ask the server for small records, as if it declined. */
function appWithWholeRecords(): string {
  const copy = join(folder, "whole");
  for (const part of ["src", "hal", RAM]) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  const path = join(copy, "hal", "moddable", "tls-session.ts");
  const before = readFileSync(path, "utf8");
  const after = before.replace(/^ *tls_max_fragment_length: .*\n/m, "");
  if (after === before) throw new Error("tls-session.ts does not ask for small records any more");
  writeFileSync(path, after);
  return build(join(copy, RAM), `${OUT}-whole`, "instrument").path;
}

class Trials {
  readonly #scenario: Scenario;
  readonly #app: string;
  #number = 0;
  bits = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#app = scenario.wholeRecords === true ? appWithWholeRecords() : app;
  }

  /** Whether an update from 0.0.1 to 0.1.0 succeeds. */
  async succeeds(sizes: Heap): Promise<boolean> {
    const { tls } = this.#scenario;
    const cloud = await createCloud(tls ? { tls: { kind: "ec" } } : {});
    await cloud.start();
    const deviceName = `least-${this.#number++}`;
    const device = cloud.addDevice("tencent", { ...IDENTITY, deviceName });
    const root = join(folder, "root.der");
    if (tls) writeFileSync(root, new X509Certificate(cloud.root!).raw);
    const port = tls ? cloud.mqttsPort : cloud.mqttPort;
    const scenario = {
      platform: { kind: "tencent", authMode: "KEY", ...IDENTITY, deviceName },
      broker: { host: "127.0.0.1", port },
      ...(tls ? { root } : {}),
    };
    const run = new HeadlessRun(headless, this.#app, {
      XS_OTA_RAM: JSON.stringify(scenario),
      XS_OTA_CREATION: `${sizes.chunk} ${sizes.heap} ${sizes.stack}`,
    });
    try {
      await run.line(({ at, version }) => at === "idle" && version === "0.0.1");
      const image = buildImage({ version: "0.1.0", payload: Buffer.from("// for the meter"), size: SIZE });
      cloud.push(device, await cloud.packages.add(image));
      // What fails once fails for want of memory: the first warning is the end of the trial.
      const last = await run.line((line) => line["notice"] !== undefined || line["version"] === "0.1.0");
      this.bits = Number(run.lines.find(({ at }) => at === "nothing")?.["bits"] ?? 0);
      return last["notice"] === undefined;
    } catch {
      return false;
    } finally {
      await run.cut();
      await cloud.stop();
    }
  }

  /** The least of one size with which updates succeed while the others are ample. */
  async least(which: keyof Heap): Promise<number> {
    let [fails, succeeds] = [0, AMPLE[which] / GRAIN[which]];
    while (succeeds - fails > 1) {
      const middle = Math.floor((fails + succeeds) / 2);
      if (await this.succeeds({ ...AMPLE, [which]: middle * GRAIN[which] })) succeeds = middle;
      else fails = middle;
    }
    return succeeds * GRAIN[which];
  }
}

async function measure(scenario: Scenario): Promise<{ readonly name: string; readonly bytes: number } & Heap> {
  // The local cloud keeps records small for everybody.
  if (scenario.wholeRecords === true) TLSSocket.prototype.setMaxSendFragment = () => true;
  const trials = new Trials(scenario);
  if (!(await trials.succeeds(AMPLE)))
    throw new Error(`${scenario.name}: no update even with ${JSON.stringify(AMPLE)}`);
  let found = {
    chunk: await trials.least("chunk"),
    heap: await trials.least("heap"),
    stack: await trials.least("stack"),
  };
  // All three at once.
  while (!(await trials.succeeds(found)))
    found = { ...found, chunk: found.chunk + GRAIN.chunk, heap: found.heap + GRAIN.heap };
  const bytes = found.chunk + (found.heap + found.stack) * SLOT;
  console.error(`${scenario.name}: ${JSON.stringify(found)}, ${bytes} bytes; engine of ${trials.bits} bits`);
  return { name: scenario.name, ...found, bytes };
}

try {
  const rows = [];
  for (const scenario of SCENARIOS) rows.push(await measure(scenario));
  writeFileSync(join(ROOT, "bench", "least-heap.json"), `${JSON.stringify(rows, undefined, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
