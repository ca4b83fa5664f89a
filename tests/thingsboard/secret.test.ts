/** The access token stands in the path of the download URL. Nothing that people or the server read has it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describe } from "../../host-sim/board/describe";
import { jobOf } from "../../host-sim/cli/inspect-job";
import { answer, jsonAnswer } from "../doubles/http/message";
import type { HttpAnswer } from "../doubles/http/message";
import { firmwareImage } from "../kit/images";
import { MINUTE, SECOND, SIZE, Scene } from "./scene";

const REFUSALS: readonly HttpAnswer[] = [
  answer(400, { close: true }),
  answer(401, { close: true }),
  answer(404, { close: true }),
  answer(418),
  answer(429),
  answer(500, { close: true }),
  jsonAnswer(200, { status: 400 }, { framing: "chunked" }),
  answer(302, { headers: { Location: "ftp://elsewhere/" } }),
  answer(206, { headers: { "Content-Range": "bytes 0-9/11" }, body: new Uint8Array(10) }),
];

/** What `xs-ota inspect` says of the job, and what stands in flash. */
function inspected({ device }: Scene): { readonly words: string; readonly flash: string } {
  const { chip } = device.board;
  const { store } = describe(chip);
  const flash = store.map(({ value }) => (typeof value === "number" ? "" : Buffer.from(value).toString("latin1")));
  return { words: JSON.stringify(jobOf(store)), flash: flash.join() };
}

test("a whole life with every kind of failure: no log line, notice, report or inspection has the token", async () => {
  let bad = true;
  const scene = await Scene.make({
    http: true,
    latency: 50,
    policy: { trialSeconds: 30 },
    device: { onHealthCheck: (done) => done(!(bad && scene.device.version === "0.2.0"), "the pump does not answer") },
  });
  const { device, double } = scene;
  const words: string[] = [];
  const inDownload = (): void => scene.must(() => device.state === "downloading");
  device.powerOn();
  scene.pass(5 * SECOND);
  const { token } = double.repository.device(scene.id).credentials as { readonly token: string };

  // Each refusal, a while and then for good; the server away; power lost; another package; none.
  for (const [index, refusal] of REFUSALS.entries()) {
    await scene.offer(`0.1.${index + 1}`);
    inDownload();
    for (let times = 0; times < 30; times++) double.faults.push({ path: /firmware/, answer: refusal });
    scene.pass(20 * SECOND);
    const seen = inspected(scene);
    words.push(seen.words);
    if (device.state === "downloading") assert.ok(seen.flash.includes(token), "it stands in the job's record");
    scene.pass(2 * MINUTE);
    double.faults.length = 0;
    if (index === 0) scene.away = true;
    scene.cutPower();
    device.powerOn();
    scene.pass(MINUTE);
    scene.away = false;
    await scene.withdraw();
    scene.pass(MINUTE);
  }

  // An image of another version, a trial that fails and is repeated, and success.
  await scene.offer("0.1.20", { bytes: firmwareImage("0.1.21", SIZE) });
  scene.pass(MINUTE);
  await scene.offer("0.2.0");
  scene.must(() => device.version === "0.2.0");
  scene.must(() => device.version !== "0.2.0" && device.state === "idle");
  bad = false;
  scene.pass(MINUTE);
  await scene.operator.setShared(scene.id, { xs_ota_retry: 1 });
  scene.must(() => device.version === "0.2.0" && device.state === "idle");

  assert.ok(device.log.length > 10 && device.notices.length > 50);
  assertWithout(token, scene, words);
});

function assertWithout(token: string, { device, double, id }: Scene, words: readonly string[]): void {
  const sent = double.transport.received.map(({ payload }) => Buffer.from(payload).toString());
  for (const [what, text] of [
    ["log", JSON.stringify(device.log)],
    ["notices", JSON.stringify(device.notices)],
    ["reports", JSON.stringify([...double.repository.device(id).telemetry.values(), ...sent])],
    ["inspect", words.join()],
  ] as const)
    for (let at = 0; at + 8 <= token.length; at++)
      assert.ok(
        !text.includes(token.slice(at, at + 8)),
        `${what}: ${text.slice(Math.max(0, text.indexOf(token) - 80))}`,
      );
}
