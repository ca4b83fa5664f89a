/** What the agent does where hawkBit, or a proxy in front of it, answers otherwise than it should. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { springError } from "../doubles/hawkbit/answers";
import { answer } from "../doubles/http/message";
import { CONTROLLER, situation } from "./fleet-of-one";

const PATHS = { poll: /\/dev-1$/, document: /deploymentBase\/\d+(\?|$)/, file: /artifacts/, report: /feedback$/ };

for (const [where, path] of Object.entries(PATHS))
  for (const status of [401, 404, 429, 500])
    test(`${status} to ${where}, twice: the update goes on`, async () => {
      const world = await situation();
      const id = await world.assign("0.2.0");
      world.double.faults.push({ path, answer: answer(status) }, { path, answer: answer(status) });
      world.until("finished", () => ["finished", "error"].includes(world.status(id)));
      assert.equal(world.status(id), "finished");
      assert.equal(world.double.faults.length, 0, "the faults were met");
    });

test("a file that is missing for good: the server is asked a few times, then the action fails with the cause", async () => {
  const world = await situation();
  const id = await world.assign("0.2.0");
  const gone = springError(404, "Not Found", "/");
  for (let count = 0; count < 200; count++) world.double.faults.push({ path: PATHS.file, answer: gone });
  world.until("error", () => world.status(id) === "error");
  assert.ok(world.requests(/artifacts.* 404$/).length <= 20, `${world.requests(/artifacts/).length} requests`);
  assert.match(world.double.repository.actionOf(CONTROLLER, id).entries.at(-1)!.messages.join(), /does not exist/);
});

test("trap 13: a JSON error in chunked form in mid-download leads to a poll, and to the cancellation", async () => {
  const world = await situation();
  const id = await world.assign("0.2.0");
  world.untilState("downloading");
  world.clock.advance(500);
  await world.cancel(id);
  world.until("canceled", () => world.status(id) === "canceled");
  assert.equal(world.requests(/artifacts.* 404$/).length <= 2, true);
  const chunked = world.double.exchanges.filter(
    ({ answer: { status, framing } }) => status === 404 && framing === "chunked",
  );
  assert.ok(chunked.length > 0, "the double answers in chunks");
  assert.equal(world.device.version, "0.1.0");
});

test("trap 7: a cancellation that comes in the trial is rejected, and the action ends with its outcome", async () => {
  const world = await situation();
  const id = await world.assign("0.2.0");
  world.untilState("trial");
  await world.cancel(id);
  world.until("finished", () => world.status(id) === "finished");
  assert.equal(world.requests(/POST .*cancelAction.* 200$/).length, 1);
  assert.ok(world.double.exchanges.some(({ request }) => Buffer.from(request.body).includes('"rejected"')));
  assert.equal(world.device.version, "0.2.0");
});

test("a gateway token registers the device, which is then updated", async () => {
  const world = await situation({ gateway: true });
  world.until("registered", () => world.double.repository.targets.has(CONTROLLER));
  const id = await world.assign("0.2.0");
  world.until("finished", () => world.status(id) === "finished");
});

test("an application that declines closes the action with failure", async () => {
  const world = await situation({ onOffer: (_offer, answerOf) => answerOf("reject") });
  const id = await world.assign("0.2.0");
  world.until("error", () => world.status(id) === "error");
  assert.match(world.double.repository.actionOf(CONTROLLER, id).entries.at(-1)!.messages.join(), /declined/);
});

test("an idle day: a poll every five minutes and nothing else", async () => {
  const world = await situation();
  world.clock.advance(3_600_000);
  const before = world.double.exchanges.length;
  world.clock.advance(86_400_000);
  const polls = world.double.exchanges.slice(before);
  assert.ok(Math.abs(polls.length - 288) <= 2, `${polls.length} requests`);
  assert.ok(polls.every(({ request: { method } }) => method === "GET"));
});
