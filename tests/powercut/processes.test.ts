/**
 * The board as a process of its own, in XS and over real TCP, is killed (SIGKILL) at many moments of several updates.
 * After each kill its flash file, its output and the cloud are checked.
 *
 *     XS_OTA_SEED=7 XS_OTA_KILLS=300 node --import tsx --test tests/powercut/processes.test.ts       other and more moments
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FLASH_FILE, openBoardFolder } from "../../host-sim/board/board-folder";
import { randomDevice } from "../../host-sim/cloud/core/platforms/sides";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import { isFinal } from "../../host-sim/cloud/core/devices/tasks";
import type { Task } from "../../host-sim/cloud/core/devices/tasks";
import { readReport } from "../../host-sim/cloud/core/platforms/tencent/report";
import { Device } from "../../host-sim/demo/device-process";
import { Random } from "./simulation/random";
import { TRIALS_MAX } from "../../src/constants";
import { temporaryFolder } from "../kit/folder";
import { momentsOf } from "./moments";
import type { Moment } from "./moments";
import { look, slotOf, writeAppKeys, wrongNow, wrongSince } from "./outside";
import type { Boot, Seen } from "./outside";
import { endOfErases, erasesOfCut } from "./checks/erase-bounds";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

const SEED = Number(process.env["XS_OTA_SEED"] ?? 1);
const KILLS = Number(process.env["XS_OTA_KILLS"] ?? 15);

const FACTORY = "0.1.0";
const SECTOR = 4_096;
/** Bytes that one kill may cost: a sector, and what may be in flight. */
const CUT_COSTS = SECTOR + 16_384;
/** Bytes per second: slow enough that kills fall into the download. */
const THROTTLE = 400_000;
/** Trials that a kill ends before the update is left alone: fewer than TRIALS_MAX, so that the update succeeds. */
const TRIALS_CUT = TRIALS_MAX - 1;
const MAX_ATTEMPTS = TRIALS_CUT + 2;
/** Milliseconds after which the test counts as hanging, on a busy machine too. */
const WEDGED = 900_000 + KILLS * 2_000;

interface Outcome {
  readonly version: string;
  readonly done: boolean;
  readonly payload: string;
  readonly cycle: number;
}

interface BootCycle {
  readonly boots: readonly Boot[];
  readonly confirmed: readonly string[];
}

class Bench {
  readonly images = new Map<string, Uint8Array>();
  readonly faulty = new Set<string>();
  readonly cycles: BootCycle[] = [];
  readonly outcomes: Outcome[] = [];
  readonly phases = new Map<string, number>();
  readonly moments = new Map<string, number>();
  readonly #finals = new Map<string, number>();
  /** Responses of the file server that are under way. */
  #responses = 0;
  #quiet: () => void = () => undefined;
  kills = 0;
  device: Device | undefined;
  seen!: Seen;
  /** Most bytes served again for one kill, and most erases of an update beyond its sectors. */
  mostAgain = 0;
  mostErases = 0;

  constructor(
    readonly cloud: Cloud,
    readonly id: string,
    readonly config: string,
    readonly state: string,
  ) {
    cloud.on("message", (_, { direction, payload }) => {
      const { report } = readReport(payload);
      if (
        direction === "down" ||
        report?.type !== "report_progress" ||
        (report.state !== "done" && report.state !== "fail")
      )
        return;
      this.outcomes.push({
        version: report.version,
        done: report.state === "done",
        payload,
        cycle: this.cycles.length,
      });
    });
    cloud.onRequest((_, response) => {
      this.#responses++;
      response.once("close", () => --this.#responses === 0 && this.#quiet());
      return false;
    });
    cloud.on("task", (task) => isFinal(task) && this.#finals.set(task.id, (this.#finals.get(task.id) ?? 0) + 1));
  }

  async image(version: string, faulty: boolean): Promise<Uint8Array> {
    const image = await sampleImage(version, faulty ? "throw" : undefined);
    this.images.set(version, image);
    if (faulty) this.faulty.add(version);
    return image;
  }

  /** Runs one update from its push to its end, with kills at moments from `random`. */
  async update(version: string, faulty: boolean, random: Random): Promise<void> {
    const file = await this.cloud.packages.add(await this.image(version, faulty), { name: `${version}.bin` });
    const [start, from] = [this.seen, this.kills];
    const task = this.cloud.push(this.id, file);
    let [trials, lost] = [0, 0];
    let moments = momentsOf(random, file.size, faulty);
    while (!this.#isOver(task)) {
      if (trials >= TRIALS_CUT) moments = [];
      const came = await this.#runUntil(file, task, moments);
      await this.#cutPower(came?.name ?? "its end", version);
      if (this.#onTrial) trials++;
      lost = this.#checkCosts(start, file, lost, this.kills - from);
      moments = came === undefined ? [] : moments.slice(moments.indexOf(came) + 1);
    }
    this.#checkEnd(this.cloud.tasks.get(task.id)!, file, faulty);
  }

  /**
   * Powers the board on until the first of the moments comes, or a later one that is a milestone. Undefined: the update
   * is over.
   */
  async #runUntil(file: Package, task: Task, moments: readonly Moment[]): Promise<Moment | undefined> {
    const device = Device.start(this.config, this.state);
    this.device = device;
    const stop: (() => void)[] = [];
    let found: Moment | undefined;
    const come = new Promise<Moment>((resolve) => {
      const now = (moment: Moment): void => {
        if (found !== undefined) return;
        found = moment;
        // Without a delay the kill happens in this very turn of the event loop.
        if (moment.delay === 0) void device.kill();
        setTimeout(() => resolve(moment), moment.delay);
      };
      const scene = { device, cloud: this.cloud, file, state: this.state };
      for (const moment of moments.filter(({ milestone }, index) => milestone || index === 0))
        stop.push(moment.watch(scene, () => now(moment)));
    });
    const over = new Promise<undefined>((resolve) => {
      // The board deletes the job's record when it has the PUBACK of the outcome: a write to flash, after the cloud's
      // event.
      const check = (): void => void (this.#isOver(task) && resolve(undefined));
      const watcher = watch(join(this.state, FLASH_FILE), check);
      this.cloud.on("task", check);
      stop.push(
        () => watcher.close(),
        () => this.cloud.off("task", check),
      );
      check();
    });
    try {
      return await Promise.race([come, over, device.until("the power went", () => false).then(() => undefined)]);
    } catch (error) {
      // Only a moment without delay may have ended the process.
      if (found?.delay !== 0) throw error;
      return await come;
    } finally {
      for (const each of stop) each();
    }
  }

  /** The cloud has the outcome, and the board has its acknowledgement. */
  #isOver(task: Task): boolean {
    return isFinal(this.cloud.tasks.get(task.id)!) && look(this.state, this.images).job === undefined;
  }

  async #cutPower(moment: string, version: string): Promise<void> {
    const device = this.device!;
    await device.kill();
    // The broker reports the end of a connection after it has handled everything from it, which all belongs to this
    // cycle.
    while (this.cloud.devices.get(this.id)?.online === true) await once(this.cloud, "device");
    if (this.#responses > 0) await new Promise<void>((resolve) => (this.#quiet = resolve));
    this.device = undefined;
    this.kills++;
    const boots = device.events.filter(({ event }) => event === "boot") as unknown as Boot[];
    const confirmed = device.events
      .filter(({ event }) => event === "confirmed")
      .map((event) => String(event["version"]));
    const before = this.seen;
    this.seen = look(this.state, this.images);
    const valid = this.seen.entries
      .filter((entry) => entry?.state === "valid")
      .map((entry) => slotOf(this.seen, entry!.slot).holds ?? "");
    this.cycles.push({ boots, confirmed: [...confirmed, ...valid] });
    const phase = phaseOf(this.seen, boots);
    for (const [counts, key] of [
      [this.phases, phase],
      [this.moments, moment],
    ] as const)
      counts.set(key, (counts.get(key) ?? 0) + 1);
    const wrong = [
      ...wrongNow(this.seen, this.images, this.faulty),
      ...wrongSince(before, this.seen, boots),
      ...this.cloud.violations().map(({ rule }) => rule),
    ];
    this.#none(wrong, `kill ${this.kills} (${moment}), ${version}, ${phase}`);
  }

  get #onTrial(): boolean {
    return this.seen.entries.some((entry) => entry?.state === "pending");
  }

  /** `lost`: bytes that earlier kills have cost. Returns them with those of this one. `kills`: of this update. */
  #checkCosts(start: Seen, file: Package, lost: number, kills: number): number {
    const { job, slots } = this.seen;
    const whole =
      slots.some(({ holds }) => holds === file.version) ||
      (job?.version === file.version && job.phase !== "downloading");
    const stored = whole ? file.size : job?.version === file.version ? job.stored : 0;
    const { bytes } = this.cloud.traffic.ofPackage(file.id);
    const again = Math.max(lost, bytes - stored);
    const sectors = Math.ceil(file.size / SECTOR);
    const erases =
      Math.max(...start.slots.map(({ label, wear }) => slotOf(this.seen, label).wear.erases - wear.erases)) - sectors;
    this.mostAgain = Math.max(this.mostAgain, again - lost);
    this.mostErases = Math.max(this.mostErases, erases);
    const wrong: string[] = [];
    if (again - lost > CUT_COSTS)
      wrong.push(
        `this kill costs ${again - lost} bytes: ${bytes} were served in all, ${stored} are stored, ${lost} were lost before`,
      );
    if (erases > endOfErases(sectors) - sectors + erasesOfCut(sectors) * kills)
      wrong.push(`${erases} erases more than sectors, after ${kills} kills`);
    this.#none(wrong, `${file.version}, kill ${this.kills}`);
    return again;
  }

  #checkEnd(task: Task, file: Package, faulty: boolean): void {
    const { version, size } = file;
    const wrong: string[] = [];
    const expect = (holds: boolean, words: string): void => void (holds || wrong.push(words));
    expect(task.status === (faulty ? "failure" : "success"), `it ended as ${task.status}: ${task.message}`);
    if (faulty) expect(/did not come to powerOn/.test(task.message ?? ""), `its end is ${task.message}`);
    expect(this.#finals.get(task.id) === 1, `${this.#finals.get(task.id)} ends`);
    const outcomes = this.outcomes.filter((one) => one.version === version);
    expect(
      new Set(outcomes.map(({ payload }) => payload)).size === 1,
      `outcomes: ${outcomes.map(({ payload }) => payload).join(" ")}`,
    );
    for (const { done, cycle } of outcomes) {
      const cycles = this.cycles.slice(0, cycle + 1);
      const ran = cycles.some(({ boots }) => boots.some((boot) => boot.version === version));
      expect(ran, "it has an outcome and never ran");
      if (!done) continue;
      expect(this.cycles[cycle]?.boots.at(-1)?.version === version, "done was reported by another firmware");
      expect(
        cycles.some(({ confirmed }) => confirmed.includes(version)),
        "done was reported, and nobody saw it confirmed",
      );
    }
    const { next, entries, job } = this.seen;
    const runs = next.bricked === undefined ? next.version : "nothing";
    expect((runs === version) !== faulty, `${runs} runs in the end`);
    expect(
      next.bricked === undefined &&
        !next.trial &&
        entries.some((entry) => entry?.decides === true && entry.slot === next.slot && entry.state === "valid"),
      "what runs in the end is unconfirmed",
    );
    expect(job === undefined, "the job is left in the end");
    expect(
      this.cloud.traffic.ofPackage(file.id).bytes >= size,
      `${this.cloud.traffic.ofPackage(file.id).bytes} bytes served of ${size}`,
    );
    this.#none(wrong, `end of ${version}`);
  }

  #none(wrong: readonly string[], where: string): void {
    assert.deepEqual(wrong, [], `seed ${SEED}, ${where}: ${wrong.join("; ")}`);
  }
}

/** The phase of the update at a kill, by the content of flash. */
function phaseOf({ entries, job }: Seen, boots: readonly Boot[]): string {
  if (boots.length === 0) return "before the firmware runs";
  if (entries.some((entry) => entry?.state === "pending")) return "on trial";
  if (entries.some((entry) => entry?.state === "new")) return "switched, not yet started";
  if (job === undefined) return "no update";
  if (job.outcome !== undefined) return "fail waits for its PUBACK";
  if (job.phase === "committing") return "the head goes in";
  if (job.phase === "confirmed") return "confirmed, done waits for its PUBACK";
  if (job.phase === "trial") return "between trial and verdict";
  return job.stored === 0 ? "before the first sector" : "in the download";
}

test(
  `${KILLS} kills of the board's process during good and faulty updates lose nothing`,
  { timeout: WEDGED },
  async (t) => {
    assert.ok(
      Number.isSafeInteger(SEED) && Number.isSafeInteger(KILLS) && KILLS > 0,
      "XS_OTA_SEED and XS_OTA_KILLS are whole numbers",
    );
    const started = performance.now();
    const folder = temporaryFolder(t);
    const cloud = await createCloud({ throttle: THROTTLE });
    await cloud.start();
    const id = cloud.addDevice("tencent", randomDevice("tencent", "board-1").identity);
    const [config, state] = [join(folder, "device.json"), join(folder, "board")];
    writeFileSync(config, JSON.stringify({ ...cloud.deviceConfig(id), maxAttempts: MAX_ATTEMPTS }), { mode: 0o600 });
    const bench = new Bench(cloud, id, config, state);
    t.after(async () => {
      await bench.device?.kill();
      await cloud.stop();
    });
    const board = await openBoardFolder(state, undefined, () => bench.image(FACTORY, false));
    writeAppKeys(board.chip, board.table.nvs);
    board.close();
    bench.seen = look(state, bench.images);

    const random = new Random(SEED);
    let updates = 0;
    for (; updates < 4 || bench.kills < KILLS; updates++)
      await bench.update(`0.${updates + 2}.0`, updates % 3 === 1, random);

    const words = (counts: ReadonlyMap<string, number>): string =>
      [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
    t.diagnostic(
      `seed ${SEED}: ${bench.kills} kills over ${updates} updates in ${((performance.now() - started) / 1000).toFixed(0)} s`,
    );
    t.diagnostic(`where the update stood: ${words(bench.phases)}`);
    t.diagnostic(`moments: ${words(bench.moments)}`);
    t.diagnostic(
      `at most ${bench.mostAgain} bytes served again for one kill, ${bench.mostErases} erases beyond its sectors`,
    );
    assert.ok(bench.kills >= KILLS);
    assert.ok(bench.phases.size >= 5, `the kills fell into few phases: ${words(bench.phases)}`);
  },
);
