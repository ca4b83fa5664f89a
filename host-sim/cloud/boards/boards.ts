import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BoundedLog } from "../core/bounded-log";
import type { Cloud } from "../core/cloud";
import { recordingsTopic } from "../core/devices/recordings";
import { randomDevice } from "../core/platforms/sides";
import { isDiskFull, StoreError } from "../core/state/store-error";
import { GOOD, WEAK, WeakLink, type LinkQuality, type Target } from "../../faults/weak-link";
import { BoardProcess } from "./board-process";
import { flashMap, type FlashMap } from "./flash-map";
import { checkName, freeName } from "./names";

/** One simulated board: a snapshot, plain data. */
export interface SimulatedBoard {
  readonly name: string;
  /** Id of its device in the cloud. */
  readonly device: string;
  readonly power: boolean;
  readonly weak: boolean;
  readonly engine: "xs" | "node";
  /** Why it went off by itself. */
  readonly problem?: string;
  /** What it booted last. */
  readonly slot?: string;
  readonly version?: string;
  readonly trial?: boolean;
}

export interface BoardLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** As `xs-ota device` prints it. */
  readonly event: Readonly<Record<string, unknown>>;
}

export interface BoardsOptions {
  readonly cloud: Cloud;
  /** Holds a folder and a device.json for each board. */
  readonly folder: string;
  /** Where this process itself reaches the cloud's listeners, and the broker unless that wants TLS. */
  readonly http: () => Target;
  readonly mqtt: () => Target | undefined;
  readonly engine: "xs" | "node";
  /** Of a link that is not weak; default: what a chip makes of Wi-Fi. */
  readonly goodLink?: LinkQuality;
  readonly now: () => number;
  readonly changed: (board: SimulatedBoard) => void;
  readonly removed: (name: string) => void;
}

interface Entry {
  board: SimulatedBoard;
  readonly factory: string;
  readonly events: BoundedLog<BoardLine>;
  link: WeakLink | undefined;
  process: BoardProcess | undefined;
  /** Switching takes time: one after the other. */
  turn: Promise<void>;
}

/** Each is one or two processes of its own and some 100 MB; for more there is `xs-ota fleet`. */
export const BOARDS_MAX = 16;
/** Platform of a board for which none is named. */
const DEFAULT_KIND = "tencent";
const EVENTS_KEPT = 300;

/**
 * Simulated boards of this cloud. Each one that is on is an `xs-ota device` process, so that SIGKILL cuts its power. It
 * reaches the cloud through a link of its own, good or weak.
 */
export class Boards {
  readonly #options: BoardsOptions;
  readonly #entries = new Map<string, Entry>();
  #open = false;

  /** Brings back those that were there. */
  constructor(options: BoardsOptions) {
    this.#options = options;
    for (const row of options.cloud.database?.all("SELECT name, device, body FROM boards ORDER BY rowid") ?? []) {
      const { factory, ...body } = JSON.parse(String(row["body"])) as StoredBoard;
      if (!options.cloud.devices.get(String(row["device"]))) continue;
      this.#keep({ name: String(row["name"]), device: String(row["device"]), ...body }, factory);
    }
  }

  /** Powers those that were on. The cloud listens. */
  async start(): Promise<void> {
    this.#open = true;
    for (const entry of this.#entries.values()) {
      if (!entry.board.power) continue;
      const off = (error: Error): void => this.#change(entry, { power: false, problem: problemOf(error) });
      await this.#on(entry).catch(off);
    }
  }

  /** Every board loses its power, and has it again at the next `start`. */
  async stop(): Promise<void> {
    this.#open = false;
    await Promise.all([...this.#entries.values()].map((entry) => this.#inTurn(entry, () => this.#off(entry, true))));
  }

  list(): SimulatedBoard[] {
    return [...this.#entries.values()].map(({ board }) => board);
  }

  get(name: string): SimulatedBoard | undefined {
    return this.#entries.get(name)?.board;
  }

  /** Oldest first. */
  events(name: string): BoardLine[] {
    return this.#entries.get(name)?.events.entries() ?? [];
  }

  /** A new board with factory firmware, switched on. Throws one line. */
  async add(
    wish: { readonly name?: string; readonly version?: string; readonly platform?: string } = {},
  ): Promise<SimulatedBoard> {
    const { cloud, engine } = this.#options;
    if (this.#entries.size >= BOARDS_MAX)
      throw new Error(`at most ${BOARDS_MAX} simulated boards; xs-ota fleet runs more`);
    const names = new Set([...this.#entries.keys(), ...cloud.devices.list().map((device) => device.name)]);
    const name = wish.name ?? freeName((one) => names.has(one));
    checkName(name);
    if (names.has(name)) throw new Error(`there is a device ${name} already`);
    const { platform, identity } = randomDevice(wish.platform ?? DEFAULT_KIND, name);
    const device = cloud.addDevice(platform, identity);
    const factory = wish.version ?? "0.1.0";
    const entry = this.#keep({ name, device, power: true, weak: false, engine }, factory);
    rmSync(this.#folder(name), { recursive: true, force: true });
    this.#save(entry);
    try {
      await this.#on(entry);
    } catch (error) {
      await this.remove(name);
      throw error;
    }
    return entry.board;
  }

  /** False is a power cut, at this instant. */
  async power(name: string, on: boolean): Promise<SimulatedBoard> {
    const entry = this.#entry(name);
    await this.#inTurn(entry, async () => {
      if (on === (entry.process !== undefined)) return;
      if (on) await this.#on(entry);
      const { problem: _, ...board } = entry.board;
      entry.board = board;
      this.#change(entry, { power: on });
      if (!on) await this.#off(entry);
    });
    return entry.board;
  }

  /** Behind the weak link, or out of it again; connections that are open feel it at once. */
  weaken(name: string, weak: boolean): SimulatedBoard {
    const entry = this.#entry(name);
    if (!this.#options.mqtt()) throw new Error("a broker that wants TLS can not be put behind the link");
    if (entry.link) entry.link.quality = this.#quality(weak);
    this.#change(entry, { weak });
    return entry.board;
  }

  /** With its flash and its device. */
  async remove(name: string): Promise<void> {
    const entry = this.#entry(name);
    await this.#inTurn(entry, () => this.#off(entry, true));
    this.#entries.delete(name);
    const { cloud, removed } = this.#options;
    cloud.keeper?.write(`board ${name}`, (database) => database.run("DELETE FROM boards WHERE name = ?", name));
    cloud.removeDevice(entry.board.device);
    rmSync(this.#folder(name), { recursive: true, force: true });
    rmSync(this.#config(name), { force: true });
    removed(name);
  }

  /** Throws one line while the board is being made. */
  flash(name: string): FlashMap {
    const { board } = this.#entry(name);
    return flashMap(this.#folder(name), board.power ? board.slot : undefined);
  }

  #keep(board: SimulatedBoard, factory: string): Entry {
    const entry = {
      board,
      factory,
      events: new BoundedLog<BoardLine>(EVENTS_KEPT),
      link: undefined,
      process: undefined,
      turn: Promise.resolve(),
    };
    this.#entries.set(board.name, entry);
    return entry;
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new Error(`no simulated board ${name}`);
    return entry;
  }

  #inTurn(entry: Entry, work: () => Promise<void>): Promise<void> {
    const done = entry.turn.then(work);
    entry.turn = done.catch(() => undefined);
    return done;
  }

  async #on(entry: Entry): Promise<void> {
    if (!this.#open) return;
    const { name, weak, engine, device } = entry.board;
    const { cloud, mqtt, http, now } = this.#options;
    const target = mqtt();
    entry.link ??= await WeakLink.open({
      targets: [http(), ...(target ? [target] : [])],
      quality: this.#quality(weak),
    });
    const [httpPort, mqttPort] = entry.link.ports;
    cloud.route(device, `http://127.0.0.1:${httpPort}`);
    const config = cloud.deviceConfig(device);
    const own = mqttPort === undefined ? {} : { mqtt: { host: "127.0.0.1", port: mqttPort, tls: false } };
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    writeFileSync(
      this.#config(name),
      JSON.stringify({ ...config, ...own, allowHttp: true, diagnosticsTopic: recordingsTopic(device) }),
      { mode: 0o600 },
    );
    entry.process = new BoardProcess({
      config: this.#config(name),
      state: this.#folder(name),
      version: entry.factory,
      engine,
      onEvent: (event) => {
        entry.events.add({ at: now(), event });
        const { slot, version, trial } = event as { slot?: string; version?: string; trial?: boolean };
        const booted = event.event === "boot" && slot !== undefined && version !== undefined;
        this.#change(
          entry,
          booted ? { slot, version, trial: trial === true } : event.event === "confirmed" ? { trial: false } : {},
        );
      },
      onExit: (reason) => {
        entry.process = undefined;
        if (reason !== undefined) this.#change(entry, { power: false, problem: reason });
      },
    });
    this.#change(entry, {});
  }

  /** The link's ports stay as long as the cloud runs: download URLs that the board remembers name them. */
  async #off(entry: Entry, forGood = false): Promise<void> {
    await entry.process?.cutPower();
    entry.link?.cut();
    if (forGood) await entry.link?.close();
    if (forGood) entry.link = undefined;
    this.#change(entry, {});
  }

  #change(entry: Entry, change: Partial<SimulatedBoard>): void {
    const { power, weak } = entry.board;
    entry.board = { ...entry.board, ...change };
    if (power !== entry.board.power || weak !== entry.board.weak || change.version !== undefined) this.#save(entry);
    this.#options.changed(entry.board);
  }

  #save({ board: { name, device, ...body }, factory }: Entry): void {
    const stored: StoredBoard = { ...body, factory };
    this.#options.cloud.keeper?.write(`board ${name}`, (database) =>
      database.run(
        "INSERT INTO boards(name, device, body) VALUES(?, ?, ?) ON CONFLICT(name) DO UPDATE SET body = excluded.body",
        name,
        device,
        JSON.stringify(stored),
      ),
    );
  }

  #quality(weak: boolean): LinkQuality {
    return weak ? WEAK : (this.#options.goodLink ?? GOOD);
  }

  #folder(name: string): string {
    return join(this.#options.folder, name);
  }

  #config(name: string): string {
    return join(this.#options.folder, `${name}.json`);
  }
}

function problemOf(error: Error): string {
  return isDiskFull(error) ? new StoreError(error).message : error.message;
}

type StoredBoard = Omit<SimulatedBoard, "name" | "device"> & { readonly factory: string };
