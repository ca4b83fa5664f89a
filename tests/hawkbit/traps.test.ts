/** What clients of hawkBit get wrong, and the agent does not: each trap that needs the whole agent to be met. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer } from "../doubles/http/message";
import { artifact } from "../doubles/hawkbit/model";
import { CONTROLLER, SIZE, situation } from "./fleet-of-one";
import type { Situation } from "./fleet-of-one";
import { checkRequests } from "./request-checks";

/** Requests of a whole download: 12 KiB each at least. A server of 0.7.0 or before takes a thousand of an action. */
const RANGES = Math.ceil(SIZE / 12_288);
const END = /^(finished|error|canceled)$/;
const endOf = (world: Situation, id: string): string => {
  world.until("an end", () => END.test(world.status(id)));
  checkRequests(world.double);
  return world.status(id);
};
const lastMessages = ({ double }: Situation, id: string): string =>
  double.repository.actionOf(CONTROLLER, id).entries.at(-1)!.messages.join(" ");
const assigned = async (world: Situation, firmware: string): Promise<string> =>
  (await world.double.operator.assign(CONTROLLER, firmware))!;

test("trap 5: connections end after every second request, and what was asked for behind that is asked for again", async () => {
  const world = await situation({ server: { requestsPerConnection: 2 } });
  const id = await world.assign("0.2.0");
  assert.equal(endOf(world, id), "finished");
  // Requests that are dropped behind an answer cost no bytes: each range is answered once.
  assert.equal(world.requests(/artifacts.* 206$/).length, RANGES);
});

test("traps 5 and 20: a download takes a request for each 12 KiB, and a dozen entries of the history", async () => {
  const world = await situation();
  const id = await world.assign("0.2.0");
  assert.equal(endOf(world, id), "finished");
  assert.equal(world.requests(/artifacts/).length, RANGES);
  assert.ok(world.history(id).length <= 14, world.history(id).join());
});

test("trap 6: an action that is deleted with its target in mid-download leads to polls, not to requests of the file", async () => {
  const world = await situation();
  await world.assign("0.2.0");
  world.untilState("downloading");
  await world.double.operator.deleteDevice(CONTROLLER);
  const before = world.double.exchanges.length;
  world.pass(3_600_000);
  const after = world.double.exchanges.slice(before);
  const files = after.filter(({ request }) => request.target.includes("/artifacts/"));
  assert.ok(files.length <= 2, `${files.length} requests of the file`);
  assert.ok(after.length <= 120, `${after.length} requests in an hour`);
  assert.equal(world.device.version, "0.1.0");
});

test("trap 8: a superseded action whose failure was not taken yet ends as cancelled, and the target is in sync after the next", async () => {
  const world = await situation();
  const lost = Array.from({ length: 400 }, () => ({ path: /\/artifacts\//, answer: answer(404) }));
  world.double.faults.push(...lost);
  const first = await world.assign("0.2.0");
  world.untilState("downloading");
  world.double.faults.push(...Array.from({ length: 400 }, () => ({ path: /feedback$/, answer: answer(500) })));
  world.untilState("reporting");
  const second = await world.assign("0.3.0");
  world.double.faults.length = 0;
  assert.equal(endOf(world, first), "canceled");
  assert.equal(endOf(world, second), "finished");
  world.until("in sync", () => world.double.repository.target(CONTROLLER).updateStatus === "in_sync");
});

test("trap 9: nothing but the confirmed firmware tells success", async () => {
  const world = await situation();
  const id = await world.assign("0.2.0");
  const confirmed = (): boolean => world.device.notices.some(({ event }) => event === "confirmed");
  while (!confirmed()) {
    assert.ok(world.double.repository.actionOf(CONTROLLER, id).active, "closed before the trial was over");
    world.step();
  }
  assert.equal(endOf(world, id), "finished");
});

test("trap 10: an action that is still offered after a rollback ends with failure, by the firmware that runs", async () => {
  const world = await situation();
  const id = await assigned(world, await world.upload("0.2.0", "throw"));
  world.untilState("burning");
  // What is said of the rollback is lost a few times, and the power goes in between.
  world.double.faults.push(...Array.from({ length: 6 }, () => ({ path: /feedback$/, answer: answer(500) })));
  world.untilState("reporting");
  world.powerCut();
  assert.equal(endOf(world, id), "error");
  assert.match(lastMessages(world, id), /^rolled-back: /);
  assert.equal(world.device.version, "0.1.0");
});

test("trap 12: a document with forty artifacts, longer than the device takes, ends its action with the cause", async () => {
  const world = await situation();
  const firmware = await world.upload("0.2.0");
  const [module] = world.double.repository.set(firmware).modules;
  for (let index = 0; index < 40; index++)
    module!.artifacts.push(artifact(`part-${index}.bin`, Buffer.from(`part ${index}`), 0));
  const id = await assigned(world, firmware);
  assert.equal(endOf(world, id), "error");
  assert.match(lastMessages(world, id), /too long/);
  assert.equal(world.requests(/artifacts/).length, 0);
});

test("trap 14: a server behind a proxy that does not know it: links to another host and scheme change nothing", async () => {
  const world = await situation({ server: { links: { artifactHost: "https://internal:8443" } } });
  assert.equal(endOf(world, await world.assign("0.2.0")), "finished");
});

test("trap 16: a file with a blank in its name", async () => {
  const world = await situation();
  const id = await assigned(world, await world.upload("0.2.0", undefined, { fileName: "my app 0.2.0.bin" }));
  assert.equal(endOf(world, id), "finished");
});

test("trap 17: with the action's thousand entries used up, progress is dropped, and success is still told", async () => {
  const world = await situation();
  const id = await world.assign("0.2.0");
  world.untilState("downloading");
  const status = { execution: "proceeding", result: { finished: "none" } };
  while (world.ask("POST", `/deploymentBase/${id}/feedback`, { status }).status === 200);
  assert.equal(endOf(world, id), "finished");
});

test("trap 17: a rate limiter that takes no report for the whole trial keeps good firmware from nothing but its outcome", async () => {
  const world = await situation();
  const id = await world.assign("0.2.0");
  world.untilState("trial");
  world.double.faults.push(...Array.from({ length: 30 }, () => ({ path: /feedback$/, answer: answer(429) })));
  assert.equal(endOf(world, id), "finished");
  assert.equal(world.device.version, "0.2.0");
});

test("trap 19: every document is asked for as JSON", async () => {
  const world = await situation();
  assert.equal(endOf(world, await world.assign("0.2.0")), "finished");
  for (const { request } of world.double.exchanges)
    if (!request.target.includes("/artifacts/")) assert.equal(request.headers["accept"], "application/json");
});
