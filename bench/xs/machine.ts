/** The script in an XS engine of its own: turns with what they cost. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Engine, TurnMeter } from "../../host-sim/board/engine";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { vendorPlugin } from "../../scripts/build-vendor.mjs";

let bundled: Promise<string> | undefined;

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("script.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    minify: true,
    legalComments: "none",
    plugins: [vendorPlugin()],
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

export class Machine {
  readonly #engine: Engine;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** `answer`: what the script asks. Rejects if the engine is not built or the script does not load. */
  static async start(answer: (request: Uint8Array) => Uint8Array): Promise<Machine> {
    bundled ??= bundle();
    const source = await bundled;
    const engine = createXsEngine({ answer });
    const machine = new Machine(engine);
    await machine.#measured(engine.run(source));
    return machine;
  }

  turn(kind: number, payload: Uint8Array = new Uint8Array(0)): Promise<TurnMeter> {
    return this.#measured(this.#engine.turn(Buffer.concat([Uint8Array.of(kind), payload])));
  }

  stop(): void {
    this.#engine.stop();
  }

  async #measured(turn: Promise<TurnMeter | undefined>): Promise<TurnMeter> {
    const meter = await turn;
    if (meter === undefined) throw new Error(`the script ended: ${(await this.#engine.ended).message}`);
    return meter;
  }
}
