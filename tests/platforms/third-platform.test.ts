/** A further dialect is one file: the job does the rest, without a line changed. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { JobDesk, image } from "../job/job-desk";
import { ThirdPlatform } from "./third-platform";

const next = image("0.2.0");
const job = { version: "0.2.0", url: "http://files/fw.bin", sha256: createHash("sha256").update(next).digest("hex") };

function device(): { desk: JobDesk; push(message: object): void; said(): unknown[] } {
  const platform = new ThirdPlatform("dev-1");
  const desk = new JobDesk({ platform: platform.name, rules: platform.rules });
  desk.connect();
  return {
    desk,
    push(message) {
      const incoming = platform.parse(platform.subscriptions[0]!, Buffer.from(JSON.stringify(message)));
      if (incoming.kind === "offer") desk.push(incoming.offer);
      else if (incoming.kind === "refused")
        desk.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
    },
    said: () =>
      desk.reports
        .flatMap(({ report }) => platform.encode(report)?.payload ?? [])
        .map((text) => (JSON.parse(text) as { state: unknown }).state),
  };
}

test("a third cloud: an update over a power cut, from the job to DONE", () => {
  const { desk, push, said } = device();
  push(job);
  desk.deliver(next, 8_192);
  desk.powerOn();
  desk.wait();
  desk.deliver(next);
  desk.ack("burning");
  desk.connect();
  desk.ack("outcome");
  assert.equal(desk.running.version, "0.2.0");
  assert.deepEqual([...new Set(said())], ["LOADING", "INSTALLING", "DONE"]);
});

test("a third cloud: what it can not mean is answered, what is no job is not", () => {
  const { push, said } = device();
  push({ ...job, sha256: "?" });
  push({ hello: 1 });
  assert.deepEqual(said(), ["FAILED"]);
});
