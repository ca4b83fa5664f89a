/**
 * The chip's decoder, compiled for this machine. miniz, which the chips have in ROM, comes from the XS engine's sources
 * in @agoric/xsnap.
 */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ZLIB, compileMiniz, compiler } from "../esp32/native-chip";

const HERE = dirname(fileURLToPath(import.meta.url));
const DECODER = join(HERE, "..", "..", "hal", "moddable", "expand");
const FLAGS = ["-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

export interface Case {
  readonly old: Uint8Array;
  readonly block: Uint8Array;
  /** Place of the block in the file. */
  readonly start: number;
  readonly size: number;
  /** Bytes asked for at a time. */
  readonly step: number;
}

export interface Answer {
  /** 0, or one of the constants of expand.h. */
  readonly result: number;
  readonly bytes: Uint8Array;
}

export class NativeExpander {
  readonly #program: string;

  /** Compiles it in `folder`. Throws, with what to install, without a C compiler. */
  constructor(folder: string) {
    const cc = compiler();
    if (cc === undefined) throw new Error("no C compiler: install gcc or clang (Debian: gcc libc6-dev)");
    const run = (...args: string[]): void => {
      execFileSync(cc, [...args, "-I", DECODER, "-I", ZLIB], { stdio: ["ignore", "ignore", "inherit"] });
    };
    this.#program = join(folder, "expand-host");
    const miniz = compileMiniz(cc, folder);
    run(
      ...FLAGS,
      ...SANITIZERS,
      join(HERE, "native", "expand_host.c"),
      join(DECODER, "expand.c"),
      miniz,
      "-o",
      this.#program,
    );
  }

  expand(cases: readonly Case[]): Answer[] {
    const output = execFileSync(this.#program, { input: Buffer.concat(cases.map(encode)), maxBuffer: 1 << 28 });
    const answers: Answer[] = [];
    for (let at = 0; at < output.length;) {
      const length = output.readUInt32LE(at + 4);
      answers.push({ result: output.readInt32LE(at), bytes: new Uint8Array(output.subarray(at + 8, at + 8 + length)) });
      at += 8 + length;
    }
    return answers;
  }

  /** Decodes mutations of one case; throws where one is not within its bounds. Returns how many were refused. */
  fuzz(example: Case, count: number, seed: number): number {
    const output = execFileSync(this.#program, ["fuzz", `${count}`, `${seed}`], { input: encode(example) }).toString();
    return Number(/([0-9]+) refused/.exec(output)![1]);
  }
}

function encode({ old, block, start, size, step }: Case): Buffer {
  const head = Buffer.alloc(20);
  [old.length, block.length, start, size, step].forEach((value, index) => head.writeUInt32LE(value, 4 * index));
  return Buffer.concat([head, old, block]);
}
