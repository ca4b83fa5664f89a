/** The whole agent with an installer of the application's own, over real sockets against the local cloud. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { NodeClock } from "../../host-sim/board/node-clock";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { NodeNetwork } from "../../host-sim/board/node-network";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { OtaAgent } from "../../src/index";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { firmware as bytesOf, withCloud } from "../cloud/helpers";
import { MemoryModule } from "../kit/memory-module";
import { image } from "../job/job-fixture";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

const FILE = bytesOf(20_000);

/** A second processor behind a slow line: it takes bytes in memory, and its time at the end. */
class Processor extends MemoryModule {
  readonly calls: string[] = [];
  finished: (error?: Error) => void = () => {};
  #wake: () => void = () => {};
  readonly finishing = new Promise<void>((resolve) => (this.#wake = resolve));

  override begin({ version, size }: { version: string; size: number }, offset: number): void {
    this.calls.push(`begin ${version} ${size} ${offset}`);
  }
  finish(done: (error?: Error) => void): void {
    this.calls.push("finish");
    this.finished = done;
    this.#wake();
  }
  override abort(): void {
    this.calls.push("abort");
  }
}

async function withAgent(processor: Processor, use: (cloud: Cloud, id: string) => Promise<void>): Promise<void> {
  await withCloud({}, async (cloud) => {
    const id = cloud.addDevice("thingspanel", { profile: "v0", username: "token-123" });
    const board = new MemoryBoard({ factoryImage: image("0.1.0"), table: partitionTableFor(4 << 20) });
    board.powerOn();
    const crypto = new NodeCrypto();
    const agent = new OtaAgent({
      ports: { ...board.ports, network: new NodeNetwork(), crypto, clock: new NodeClock() },
      platform: new ThingsPanelPlatform(
        { profile: "v0", username: "token-123", clientId: "c", brokerHost: "127.0.0.1" },
        crypto,
      ),
      broker: { host: "127.0.0.1", port: cloud.mqttPort, tls: false },
      policy: { allowHttp: true },
      modules: { mcu2: processor },
    });
    const reported = new Promise<void>((resolve) =>
      cloud.on("device", ({ version }) => version !== undefined && resolve()),
    );
    agent.start();
    try {
      await reported;
      await use(cloud, id);
    } finally {
      agent.stop();
    }
  });
}

test("an installer may take its time; 100 follows it, once", async () => {
  const processor = new Processor();
  await withAgent(processor, async (cloud, id) => {
    const task = cloud.push(id, await cloud.packages.add(FILE, { version: "m1" }), { fields: { module: "mcu2" } });
    await processor.finishing;
    assert.deepEqual(processor.held.subarray(0, FILE.length), FILE);
    assert.equal(cloud.tasks.get(task.id)?.status, "upgrading");
    processor.finished();
    processor.finished();
    assert.deepEqual(
      [(await cloud.settled(task.id)).status, processor.calls],
      ["success", ["begin m1 20000 0", "finish"]],
    );
    processor.finished(new Error("too late"));
    // A second report of the first task would come before the answer to this one.
    const next = await cloud.settled(
      cloud.push(id, await cloud.packages.add(FILE, { version: "m2" }), { fields: { module: "voice" } }).id,
    );
    assert.deepEqual([next.code, next.message], [-1, 'this device has no module "voice"']);
    assert.deepEqual(cloud.violations(), []);
  });
});

test("an installer that fails, by word or by throwing, is quoted, and told to forget what it has", async () => {
  for (const fails of [(processor: Processor) => processor.finished(new Error("no answer")), undefined]) {
    const processor = new Processor();
    if (fails === undefined)
      processor.finish = () => {
        throw new Error("no answer");
      };
    await withAgent(processor, async (cloud, id) => {
      const task = cloud.push(id, await cloud.packages.add(FILE, { version: "m1" }), { fields: { module: "mcu2" } });
      if (fails !== undefined) {
        await processor.finishing;
        fails(processor);
      }
      const { code, message } = await cloud.settled(task.id);
      assert.deepEqual([code, message, processor.calls.at(-1)], [-1, "module mcu2: no answer", "abort"]);
    });
  }
});
