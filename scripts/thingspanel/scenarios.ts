/** What has to come right on a ThingsPanel server, whether it is a real one or the played one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import { Device } from "../../host-sim/demo/device-process";

/** A server, and one device that it knows. */
export interface Server {
  readonly profile: "v0" | "v1";
  /** What its device.json has to say. */
  readonly device: Record<string, unknown>;
  /** Resolves when the device has subscribed, and has reported its version where it does that. */
  ready(device: Device): Promise<void>;
  /** A new task of that device. */
  push(image: Uint8Array, version: string): Promise<Task>;
}

export interface Task {
  /** Resolves when it is over; rejects when it takes too long. */
  settled(): Promise<{ readonly success: boolean; readonly text: string }>;
  /** What people do in the console. */
  cancel(): Promise<void>;
}

/** A board in front of a server. It keeps its flash and, but for power cuts, its process from scenario to scenario. */
export class Bench {
  readonly server: Server;
  device: Device;
  readonly #paths: readonly [config: string, state: string];

  constructor(server: Server, folder: string) {
    this.server = server;
    this.#paths = [join(folder, "device.json"), join(folder, "board")];
    writeFileSync(this.#paths[0], JSON.stringify(server.device), { mode: 0o600 });
    this.device = Device.start(...this.#paths);
  }

  async cutPower(): Promise<void> {
    await this.device.kill();
    this.device = Device.start(...this.#paths);
  }

  get offers(): number {
    return this.device.events.filter(({ event }) => event === "offer").length;
  }
}

/** Bytes: enough for a middle of the download. */
const SIZE = 400_000;

const imageOf = (version: string, fault?: Fault): Promise<Uint8Array> => sampleImage(version, fault, SIZE);

/** In this order: each leaves the board with the firmware that the next one expects. */
export const SCENARIOS: readonly { readonly title: string; run(bench: Bench): Promise<void> }[] = [
  {
    title: "an update over a power cut in the download",
    async run(bench) {
      const { server } = bench;
      await server.ready(bench.device);
      const task = await server.push(await imageOf("0.2.0"), "0.2.0");
      await bench.device.until("20 %", ({ percent }) => Number(percent) >= 20);
      await bench.cutPower();
      const next = await bench.device.until(
        "resume",
        ({ event, state }) => event === "resume" || state === "verifying",
      );
      assert.equal(next.event, "resume", "the cut came before the end of the download");
      const { success, text } = await task.settled();
      assert.ok(success, text);
    },
  },
  {
    title: "firmware that throws is rolled back, the task says so, and the server does not push it for ever",
    async run(bench) {
      const { server, device } = bench;
      await server.ready(device);
      const before = bench.offers;
      const task = await server.push(await imageOf("0.3.0", "throw"), "0.3.0");
      const { success, text } = await task.settled();
      assert.ok(!success && text.startsWith("trial: the new firmware did not come to powerOn"), text);
      // The version that the old firmware reports after it must not bring the task back.
      await server.ready(device);
      assert.equal(bench.offers, before + 1, "pushed once");
      // On v0 a failed task swallows the reports of all later ones.
      await task.cancel();
    },
  },
  {
    title: "the next version goes in after that",
    async run({ server }) {
      const task = await server.push(await imageOf("0.4.0"), "0.4.0");
      const { success, text } = await task.settled();
      assert.ok(success, text);
    },
  },
];
