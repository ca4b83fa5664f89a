import type { ServerResponse } from "node:http";
import type { Boards, SimulatedBoard } from "../boards/boards";
import type { Cloud } from "../core/cloud";

/** What has changed, by topic: ids, or true where there are too many to name. */
export type Changes = { [topic in Topic]?: readonly string[] | true };
export type Topic = "packages" | "devices" | "messages" | "rollouts" | "boards" | "journal" | "broker" | "warnings";

/** Milliseconds in which changes are gathered: a thousand devices that report every second are four events. */
const GATHER = 250;
/** Ids named in one event. */
const IDS_MAX = 50;
const LISTENERS_MAX = 50;
/** Milliseconds between heartbeats, so that both ends notice a dead connection. */
const HEARTBEAT = 15_000;
/** Milliseconds between two reads of the flash of a board that a listener watches. */
const FLASH = 400;

interface Listener {
  readonly response: ServerResponse;
  readonly board: string | undefined;
  lastFlash: string;
}

/**
 * Server-sent events for consoles: the names of what has changed. A listener asks for what it shows, so that the stream
 * stays small with any number of devices, and a listener that missed an event loses nothing. Only a watched board's
 * flash map goes out whole.
 */
export class EventStream {
  readonly #boards: Boards;
  readonly #listeners = new Set<Listener>();
  readonly #changed = new Map<Topic, Set<string> | true>();
  #gathering: NodeJS.Timeout | undefined;
  #beat: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;

  /** `boards`: for the flash maps. */
  constructor(cloud: Cloud, boards: Boards) {
    this.#boards = boards;
    cloud.on("device", ({ id }) => this.changed("devices", id));
    cloud.on("deviceRemoved", (id) => this.changed("devices", id));
    cloud.on("message", ({ id }) => this.changed("messages", id));
    cloud.on("task", ({ device, rollout }) => {
      this.changed("devices", device);
      if (rollout !== undefined) this.changed("rollouts", rollout);
    });
    cloud.on("rollout", ({ id }) => this.changed("rollouts", id));
    cloud.on("rolloutRemoved", (id) => this.changed("rollouts", id));
    cloud.on("violation", () => this.changed("journal", ""));
    cloud.on("refused", () => this.changed("journal", ""));
    cloud.on("storage", () => this.changed("warnings", ""));
    cloud.on("broker", () => this.changed("broker", ""));
  }

  changed(topic: Topic, id: string): void {
    if (this.#listeners.size === 0) return;
    const ids = this.#changed.get(topic) ?? new Set();
    if (ids !== true) ids.add(id);
    this.#changed.set(topic, ids !== true && ids.size > IDS_MAX ? true : ids);
    this.#gathering ??= setTimeout(() => this.#send(), GATHER);
  }

  board({ name, device }: Pick<SimulatedBoard, "name" | "device">): void {
    this.changed("boards", name);
    this.changed("devices", device);
  }

  /** Takes the response over. False: there are too many listeners. `board`: its flash map is wanted as well. */
  open(response: ServerResponse, board: string | undefined): boolean {
    if (this.#listeners.size >= LISTENERS_MAX) return false;
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" });
    const listener: Listener = { response, board, lastFlash: "" };
    response.write("retry: 1000\nevent: hello\ndata: {}\n\n");
    this.#listeners.add(listener);
    response.once("close", () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    });
    this.#beat ??= setInterval(() => this.#toAll(": still here\n\n"), HEARTBEAT);
    this.#watch ??= setInterval(() => this.#flash(), FLASH);
    if (board !== undefined) this.#flash();
    return true;
  }

  /** Ends all streams. */
  close(): void {
    for (const { response } of this.#listeners) response.end();
    this.#rest();
  }

  #send(): void {
    this.#gathering = undefined;
    const changes = Object.fromEntries(
      [...this.#changed].map(([topic, ids]) => [topic, ids === true ? true : [...ids]]),
    );
    this.#changed.clear();
    this.#toAll(`event: changes\ndata: ${JSON.stringify(changes)}\n\n`);
  }

  #toAll(text: string): void {
    for (const listener of this.#listeners) write(listener, text);
  }

  #flash(): void {
    const maps = new Map<string, string>();
    for (const listener of this.#listeners) {
      const { board } = listener;
      if (board === undefined) continue;
      let map = maps.get(board);
      if (map === undefined) maps.set(board, (map = this.#mapOf(board)));
      if (map === "" || map === listener.lastFlash) continue;
      listener.lastFlash = map;
      write(listener, `event: flash\ndata: ${map}\n\n`);
    }
  }

  /** "" while there is none, or it can not be read in the middle of a change. */
  #mapOf(board: string): string {
    try {
      return JSON.stringify(this.#boards.flash(board));
    } catch {
      return "";
    }
  }

  #rest(): void {
    clearInterval(this.#beat);
    clearInterval(this.#watch);
    clearTimeout(this.#gathering);
    this.#beat = this.#watch = this.#gathering = undefined;
    this.#changed.clear();
  }
}

/** A listener that does not read is let go: it asks for everything anew when it comes back. */
function write({ response }: Listener, text: string): void {
  if (response.writableNeedDrain) response.destroy();
  else response.write(text);
}
