import { Session } from "node:inspector";

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** URLs of the project's code that parses input from outside; in a bundle for Node, of all that tests share. */
export const OURS = /\/(src|host-sim\/(board|config))\/[^?]*\.ts|\/build\/tests-[^/]*\/chunk-[^?]*\.mjs/;

/** A place in a script: the first character of a block that ran. */
export interface Place {
  readonly url: string;
  readonly offset: number;
}

/** By script: 1 for each character that ran. */
export type Covered = ReadonlyMap<string, Uint8Array>;

/** V8's block coverage of the code under test, read once for each batch of inputs. */
export class Coverage {
  readonly #session = new Session();
  readonly #known = new Map<string, Uint8Array>();
  readonly #code: RegExp;

  /** `code`: URLs of the scripts that count. */
  constructor(code: RegExp) {
    this.#code = code;
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Characters of code reached so far. */
  get size(): number {
    let size = 0;
    for (const covered of this.#known.values()) for (const flag of covered) size += flag;
    return size;
  }

  /** The code that ran since the last call. */
  take(): Covered {
    const { result } = this.#post("Profiler.takePreciseCoverage") as { result: Script[] };
    const taken = new Map<string, Uint8Array>();
    for (const { url, functions } of result) {
      if (!this.#code.test(url)) continue;
      const length = functions.reduce((end, { ranges }) => Math.max(end, ranges[0]?.endOffset ?? 0), 0);
      const covered = new Uint8Array(length);
      // Outer ranges come before inner ones: a block that did not run has its own range inside another.
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges) covered.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      taken.set(url, covered);
    }
    return taken;
  }

  /** Returns the new places, and remembers them. */
  learn(taken: Covered): Place[] {
    const fresh: Place[] = [];
    for (const [url, covered] of taken) {
      const before = this.#known.get(url) ?? new Uint8Array(0);
      const known = new Uint8Array(Math.max(before.length, covered.length));
      known.set(before);
      let inside = false;
      for (let offset = 0; offset < covered.length; offset++) {
        const isNew = covered[offset] === 1 && known[offset] === 0;
        if (isNew && !inside) fresh.push({ url, offset });
        if (isNew) known[offset] = 1;
        inside = isNew;
      }
      this.#known.set(url, known);
    }
    return fresh;
  }

  close(): void {
    this.#session.disconnect();
  }

  #post(method: string, params?: object): unknown {
    let answer: unknown;
    this.#session.post(method, params, (error, result) => {
      if (error !== null) throw new Error(`${method}: ${error.message}`);
      answer = result;
    });
    return answer;
  }
}
