/** Containers of deltas, modules other than the firmware, and devices that sleep: on hawkBit as elsewhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { containerOf } from "../kit/containers";
import { FACTORY_VERSION, firmwareImage } from "../kit/images";
import { MemoryModule } from "../kit/memory-module";
import { CONTROLLER, SIZE, situation } from "./fleet-of-one";
import type { Situation } from "./fleet-of-one";
import { checkRequests } from "./request-checks";

const assign = async ({ double, until, status }: Situation, firmware: string): Promise<string> => {
  const id = (await double.operator.assign(CONTROLLER, firmware))!;
  until("an end", () => ["finished", "error"].includes(status(id)));
  checkRequests(double);
  return id;
};

test("an artifact that is a container: the device makes the image from the one that runs", async () => {
  const world = await situation();
  const { bytes } = containerOf(firmwareImage("0.2.0", SIZE), [firmwareImage(FACTORY_VERSION, SIZE)]);
  const id = await assign(world, await world.upload("0.2.0", undefined, { bytes }));
  assert.deepEqual([world.status(id), world.device.version], ["finished", "0.2.0"]);
});

/** A second processor in memory. */
class Processor extends MemoryModule {
  fails = false;

  finish(done: (error?: Error) => void): void {
    done(this.fails ? new Error("no answer") : undefined);
  }
}

test("a software module of another type goes to its installer, and ends without a restart", async () => {
  const processor = new Processor();
  const world = await situation({ modules: { mcu: processor } });
  const bytes = Buffer.alloc(20_000, "mcu");
  const id = await assign(world, await world.upload("m1", undefined, { part: "mcu", bytes }));
  assert.equal(world.status(id), "finished");
  assert.deepEqual(Buffer.from(processor.held.subarray(0, bytes.length)), bytes);
  assert.ok(!world.device.notices.some(({ event }) => event === "reboot"));
  assert.equal(world.double.repository.target(CONTROLLER).attributes.get("fw.version"), FACTORY_VERSION);
});

test("a module whose installer fails, or that the device has not, ends its action with failure and the reason", async () => {
  const processor = new Processor();
  processor.fails = true;
  const world = await situation({ modules: { mcu: processor } });
  for (const [part, reason] of [
    ["mcu", /module mcu: no answer/],
    ["voice", /no module "voice"/],
  ] as const) {
    const id = await assign(world, await world.upload("m1", undefined, { part, bytes: Buffer.alloc(9_000, part) }));
    assert.equal(world.status(id), "error");
    assert.match(world.double.repository.actionOf(CONTROLLER, id).entries.at(-1)!.messages.join(), reason);
  }
});

test("a device that sleeps ten minutes as soon as it may: each wake polls, and an update goes on from wake to wake", async () => {
  const world = await situation({ sleepSeconds: 600 });
  world.pass(3_600_000);
  assert.ok(world.requests(/\/dev-1 (200|304)$/).length >= 5, "it polls at each wake");
  const id = await assign(world, await world.upload("0.2.0"));
  assert.deepEqual([world.status(id), world.device.version], ["finished", "0.2.0"]);
  const told = (): string | undefined => world.double.repository.target(CONTROLLER).attributes.get("fw.version");
  world.until("its version is told", () => told() === "0.2.0");
});
