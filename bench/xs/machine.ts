/** The script in an XS engine of its own: turns with what they cost. */
import type { Engine, TurnMeter } from "../../host-sim/board/engine";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { xsScript } from "../../host-sim/board/firmware/xs-script";

let bundled: Promise<string> | undefined;

export class Machine {
  readonly #engine: Engine;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** `answer`: what the script asks. Rejects if the engine is not built or the script does not load. */
  static async start(answer: (request: Uint8Array) => Uint8Array): Promise<Machine> {
    bundled ??= xsScript(new URL("script.ts", import.meta.url));
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
