/** A double that takes its time: what one part does stays in order, what two do may change places. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Queues } from "./lag";

/** Steps whose lags are these, in turn. */
function done(lags: readonly number[], steps: readonly (readonly ["push" | "answer", string])[]): string[] {
  const due: { readonly at: number; readonly run: () => void }[] = [];
  const left = [...lags];
  const queues = new Queues({
    milliseconds: () => left.shift()!,
    after: (at, run) => void due.push({ at, run }),
  });
  const device = {};
  const order: string[] = [];
  for (const [part, what] of steps) queues.run(part, device, () => order.push(what));
  for (const { run } of due.sort((a, b) => a.at - b.at)) run();
  return order;
}

test("one part keeps its order, whatever its lags", () => {
  const pushes = [1, 2, 3].map((number) => ["push", `push ${number}`] as const);
  assert.deepEqual(done([300, 20, 100], pushes), ["push 1", "push 2", "push 3"]);
});

test("an answer overtakes a push, and a push an answer", () => {
  const steps = [["push", "push"] as const, ["answer", "answer"] as const];
  assert.deepEqual(done([300, 20], steps), ["answer", "push"]);
  assert.deepEqual(done([20, 300], steps), ["push", "answer"]);
});

test("without a lag everything is done at once", () => {
  let ran = false;
  new Queues(undefined).run("push", {}, () => (ran = true));
  assert.ok(ran);
});
