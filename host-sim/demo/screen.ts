import type { WriteStream } from "node:tty";
import { words } from "../cli/device-progress";
import type { BoardEvent } from "../board/board";
import type { Line } from "./device-process";

const WIDTH = 40;
/** Percent between two lines where there is no terminal to draw on. */
const STEP = 20;

/** Output of the demonstration: a moving bar on a terminal, a few lines elsewhere. */
export class Screen {
  readonly #stream: WriteStream;
  #bar = false;
  #shown = -STEP;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  line(text: string): void {
    this.#stream.write(`${this.#bar ? "\n" : ""}${text}\n`);
    this.#bar = false;
  }

  event(event: Line): void {
    const percent = event["percent"];
    if (typeof percent !== "number") return this.line(`  board: ${words(event as BoardEvent)}`);
    const done = Math.round((percent / 100) * WIDTH);
    const bar = `  [${"█".repeat(done)}${"░".repeat(WIDTH - done)}] ${percent} %`;
    if (this.#stream.isTTY) {
      this.#stream.write(`\r${bar}\u001B[K`);
      this.#bar = true;
    } else if (percent === 100 || percent >= this.#shown + STEP) {
      this.#shown = percent;
      this.line(bar);
    }
  }
}
