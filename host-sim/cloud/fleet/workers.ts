import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { DeviceOrder, FleetEvent, FromWorker, ToWorker, WorkerOrder } from "./messages";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** The processes that a fleet runs in. */
export class Workers {
  readonly #children: readonly ChildProcess[];
  readonly #memory: number[];
  readonly #onEvent: (event: FleetEvent) => void;
  /** Rejects when one of them ends or reports a fault. */
  readonly failed: Promise<never>;
  #stopping = false;

  constructor(count: number, onEvent: (event: FleetEvent) => void) {
    this.#onEvent = onEvent;
    this.#children = Array.from({ length: count }, () =>
      // tsx and its tsconfig.json are looked for from the current folder on.
      fork(WORKER, {
        cwd: dirname(WORKER),
        execArgv: ["--import", "tsx"],
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      }),
    );
    this.#memory = this.#children.map(() => 0);
    this.failed = new Promise((_, reject) => {
      for (const [index, child] of this.#children.entries()) {
        child.on("message", (message: FromWorker) => {
          if (message.type === "failed") reject(new Error(message.message));
          if (message.type !== "events") return;
          this.#memory[index] = Math.max(this.#memory[index]!, message.memory);
          for (const event of message.events) this.#onEvent(event);
        });
        child.once("close", (code, signal) => {
          if (!this.#stopping) reject(new Error(`a process of the fleet ended with ${signal ?? code}`));
        });
      }
    });
    this.failed.catch(() => undefined);
  }

  /** Deals the devices out; resolves when all are ready and are being switched on. */
  async start(devices: readonly DeviceOrder[], order: Omit<WorkerOrder, "devices">): Promise<void> {
    const ready = this.#children.map(async (child, index) => {
      const mine = devices.filter((_, number) => number % this.#children.length === index);
      const message: ToWorker = { type: "order", order: { ...order, devices: mine, seed: order.seed + index } };
      child.send(message);
      for (;;) {
        const [answer] = (await once(child, "message")) as [FromWorker];
        if (answer.type === "ready") return;
      }
    });
    await Promise.race([Promise.all(ready), this.failed]);
  }

  /** Most that all of them together had in RAM, bytes. */
  get memory(): number {
    return this.#memory.reduce((sum, one) => sum + one, 0);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const closed = once(child, "close");
        child.send({ type: "stop" } satisfies ToWorker, () => undefined);
        await closed;
      }),
    );
  }
}
