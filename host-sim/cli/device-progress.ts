import type { WriteStream } from "node:tty";
import type { BoardEvent } from "../board/board";

const WIDTH = 30;

/** Shows a board's events on a terminal: a bar for the download, a line for every other event. */
export class Narrator {
  readonly #stream: WriteStream;
  #bar = false;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** Ends the bar before stdout writes: both may be the same terminal. */
  clear(): void {
    if (this.#bar) this.#stream.write("\r\u001B[K");
    this.#bar = false;
  }

  tell(event: BoardEvent): void {
    const { percent } = event as { percent?: number };
    if (event.event === "state" && percent !== undefined) {
      const done = Math.round((percent / 100) * WIDTH);
      this.#stream.write(`\r[${"#".repeat(done)}${".".repeat(WIDTH - done)}] ${percent} %\u001B[K`);
      this.#bar = true;
      return;
    }
    this.#stream.write(`${this.#bar ? "\n" : ""}${words(event)}\n`);
    this.#bar = false;
  }
}

/** States that say little by their names. */
const STATES: Readonly<Record<string, string>> = {
  trial: "tries the new firmware out",
  "awaiting-link": "waits for the cloud before it restarts",
  deciding: "finds out whether the cloud can be reached",
};

/** An event as one line for people. */
export function words(event: BoardEvent): string {
  const is = event as Readonly<Record<string, unknown>>;
  switch (event.event) {
    case "boot":
      return `boots ${is["version"]} from ${is["slot"]}${is["trial"] === true ? ", on trial" : ""} (${is["reason"]})`;
    case "reset":
      return `reset (${is["reason"]}): ${is["message"]}${is["wait"] === undefined ? "" : `; again in ${is["wait"]} ms`}`;
    case "offer":
      return `offered ${is["version"]}, ${is["size"]} bytes`;
    case "resume":
      return `resumes at ${is["offset"]}`;
    case "state":
      if (is["state"] === "fail") return `update failed (${is["code"]}): ${is["message"]}`;
      return STATES[String(is["state"])] ?? String(is["state"]);
    case "trial":
      return `on trial: ${is["stage"]}; ${is["secondsLeft"]} s left`;
    case "reboot":
      return `restarts into ${is["slot"]}`;
    case "confirmed":
      return `${is["version"]} is confirmed`;
    case "rollback":
      return `${is["version"]} was rolled back`;
    case "bootloader":
      return is["rollsBack"] === true
        ? "the bootloader rolls back what is not confirmed"
        : "the bootloader has no rollback; the start-up of new firmware stands in for it";
    case "budget":
      return `${is["counter"]} of ${is["version"]}: ${is["left"]} left`;
    case "recording":
      return `recorded: xs-ota replay ${is["file"]}`;
    case "sleep":
      return `sleeps for ${is["seconds"]} s`;
    default:
      return `${event.event}${is["message"] === undefined ? "" : `: ${is["message"]}`}`;
  }
}
