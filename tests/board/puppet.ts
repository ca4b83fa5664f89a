/** Simulated boards whose firmware is a few lines of a test instead of the agent. */
import { build } from "esbuild";
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Board } from "../../host-sim/board/board";
import type { BoardEvent, BoardOptions } from "../../host-sim/board/board";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import type { FirmwareConfiguration } from "../../host-sim/board/firmware/configuration";
import { buildImage } from "../../hal/model-chip/build-image";
import { temporaryFolder } from "../kit/folder";

let bridge: Promise<string> | undefined;

async function bundleBridge(): Promise<string> {
  const path = JSON.stringify(fileURLToPath(new URL("../../host-sim/board/firmware/bridge-ports.ts", import.meta.url)));
  const contents = `import { bridgePorts } from ${path};
    globalThis.board = bridgePorts(issueCommand, VERSION);
    globalThis.handleCommand = board.handle;
    globalThis.say = (event) => board.emit(JSON.stringify(event));`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    target: "es2022",
  });
  return outputFiles[0]!.text;
}

/** Source of a firmware that runs `code`, which finds `board`, the ports, and `say(event)`. */
export async function puppetSource(version: string, code: string): Promise<string> {
  bridge ??= bundleBridge();
  return `var VERSION=${JSON.stringify(version)};\n${await bridge}\n${code}`;
}

export async function puppetImage(version: string, code: string): Promise<Uint8Array> {
  return buildImage({ version, payload: Buffer.from(await puppetSource(version, code)) });
}

/** The events of a board, past and to come. Several callers may wait at a time. */
export class EventLog {
  readonly events: BoardEvent[] = [];
  readonly #waiters: (() => void)[] = [];

  readonly note = (event: BoardEvent): void => {
    this.events.push(event);
    for (const waiter of this.#waiters.splice(0)) waiter();
  };

  async until(name: string, times = 1): Promise<BoardEvent> {
    const found = (): BoardEvent[] => this.events.filter(({ event }) => event === name);
    while (found().length < times) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    return found()[times - 1]!;
  }

  names(): string[] {
    return this.events.map(({ event }) => event);
  }
}

export interface PuppetBoard {
  readonly board: Board;
  readonly eventLog: EventLog;
  /** Puts an image into a slot, as a download would. */
  fill(slot: 0 | 1, image: Uint8Array): void;
}

/** A new board whose factory firmware is version 0.1.0 and runs `code`; closed after the test. */
export async function puppetBoard(
  t: TestContext,
  code: string,
  options: Partial<BoardOptions> = {},
): Promise<PuppetBoard> {
  const eventLog = new EventLog();
  const board = await Board.open({
    folder: temporaryFolder(t),
    configuration: {} as FirmwareConfiguration,
    factory: () => puppetImage("0.1.0", code),
    createEngine: createNodeEngine,
    onEvent: eventLog.note,
    ...options,
  });
  t.after(() => board.close());
  const fill = (slot: 0 | 1, image: Uint8Array): void => {
    const { chip, table } = board.folder;
    const { address, size } = table.slots[slot];
    assert.ok(image.length <= size);
    chip.powerOn();
    for (let at = 0; at < size; at += 4096) chip.erase(address + at);
    chip.program(address, image);
  };
  return { board, eventLog, fill };
}
