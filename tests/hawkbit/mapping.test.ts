/** What the platform makes of the documents of hawkBit, and what the double makes of its reports. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { IMAGE } from "../doubles/hawkbit/device";
import type { Incoming } from "../../src/platforms/platform";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import type { Polled } from "../../src/platforms/poll-platform";
import { splitUrl } from "../../src/http/url";
import type { HttpUrl } from "../../src/http/url";
import { CONFIG, platformBench, RUNNING } from "./platform";

const incomingOf = (polled: Polled): Incoming => {
  assert.ok(polled.kind === "read", polled.kind === "bad" ? polled.message : polled.kind);
  return polled.incoming;
};

const readDocument = (document: unknown, id = "8", config = CONFIG): Polled =>
  new HawkbitPlatform(config).polled(
    {
      body: Buffer.from(JSON.stringify(document)),
      url: splitUrl(`http://hb.example:8080/DEFAULT/controller/v1/dev-1/deploymentBase/${id}?c=1`) as HttpUrl,
    },
    RUNNING,
    undefined,
  );

const ARTIFACT = {
  filename: "app.bin",
  hashes: { md5: "cd".repeat(16), sha256: "ab".repeat(32) },
  size: 700_000,
  _links: {
    "download-http": { href: "http://hb.example:8080/DEFAULT/controller/v1/dev-1/softwaremodules/3/artifacts/app.bin" },
  },
};
const CHUNK = { part: "firmware", version: "1.2.0", name: "xs-app", artifacts: [ARTIFACT] };
const deployment = (change: object = {}, chunk: object = {}): object => ({
  id: "8",
  deployment: { download: "forced", update: "forced", chunks: [{ ...CHUNK, ...chunk }], ...change },
});
const urlOf = (href: string, config = CONFIG): string => {
  const artifacts = [{ ...ARTIFACT, _links: { "download-http": { href } } }];
  const incoming = incomingOf(readDocument(deployment({}, { artifacts }), "8", config));
  assert.ok(incoming.kind === "offer");
  return incoming.offer.url;
};

test("an action becomes an offer with its id, and its document is asked for once", async () => {
  const { poll, assign, pass, double } = await platformBench();
  assert.equal(incomingOf(poll().polled).kind, "withdrawn");
  const id = await assign("1.2.0");
  const { polled, asked } = poll();
  const incoming = incomingOf(polled);
  assert.ok(incoming.kind === "offer" && polled.kind === "read");
  const { url, ...offer } = incoming.offer;
  assert.deepEqual(offer, {
    version: "1.2.0",
    id,
    fetchOnly: false,
    size: IMAGE.length,
    digest: { algorithm: "SHA256", hex: createHash("sha256").update(IMAGE).digest("hex") },
  });
  assert.match(url, /^http:\/\/hb\.example:8080\/DEFAULT\/controller\/v1\/dev-1\/softwaremodules\/1\/artifacts\/app/);
  assert.equal(asked.length, 2);
  pass(60);
  const again = poll(polled.known);
  assert.deepEqual([incomingOf(again.polled).kind, again.asked], ["unchanged", ["GET "]]);
  assert.deepEqual(
    (await double.operator.action("dev-1", id)).history.map(({ type }) => type).includes("retrieved"),
    true,
  );
});

test("trap 1 and 9: an action is closed with success or failure, by the outcome alone", async () => {
  const { poll, report, assign, double } = await platformBench();
  for (const [outcome, status] of [
    [{ kind: "done" }, "finished"],
    [{ kind: "fail", cause: "rolled-back", message: "did not reach the cloud" }, "error"],
  ] as const) {
    const id = await assign(status === "finished" ? "1.0.0" : "1.1.0");
    poll();
    const task = { version: "1.0.0", id };
    for (const percent of [0, 30, 99]) assert.equal(report({ kind: "progress", task, percent }), 200);
    assert.equal(report({ kind: "burning", task }), 200);
    assert.ok((await double.operator.action("dev-1", id)).active);
    assert.equal(report({ kind: "outcome", task, outcome }), 200);
    const record = await double.operator.action("dev-1", id);
    assert.deepEqual([record.status, record.active], [status, false]);
    // Trap 2: nothing leads to the document of a closed action.
    assert.deepEqual(poll().asked, ["GET "]);
    assert.equal((await double.operator.action("dev-1", id)).status, status);
    assert.equal(report({ kind: "outcome", task, outcome }), 410);
  }
});

test("trap 3: no report has a timestamp", () => {
  const task = { version: "1.0.0", id: "8" };
  const platform = new HawkbitPlatform(CONFIG);
  for (const report of [
    { kind: "progress", task, percent: 0 },
    { kind: "burning", task },
    { kind: "outcome", task, outcome: { kind: "done" } },
    { kind: "withdrawal", task, accepted: true },
  ] as const)
    assert.doesNotMatch(platform.encode(report)!.body!, /time/);
});

test("traps 7 and 18: a cancel names its action; accepted it ends, rejected the action goes on", async () => {
  const { poll, report, assign, double } = await platformBench();
  const id = await assign("1.0.0");
  for (const [accepted, status] of [
    [false, "running"],
    [true, "canceled"],
  ] as const) {
    await double.operator.cancel("dev-1", id);
    const { polled, asked } = poll();
    assert.deepEqual(incomingOf(polled), { kind: "withdrawn", task: { version: "", id } });
    assert.deepEqual(asked, ["GET "]);
    assert.equal(report({ kind: "withdrawal", task: { version: "", id }, accepted }), 200);
    assert.equal((await double.operator.action("dev-1", id)).status, status);
  }
});

test("trap 11: ids are decimal strings of up to 64 bits", async () => {
  for (const firstAction of [10n, 100n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
    const { poll, report, assign, double } = await platformBench({ firstAction });
    const id = await assign("1.0.0");
    const incoming = incomingOf(poll().polled);
    assert.ok(incoming.kind === "offer");
    assert.equal(incoming.offer.id, String(firstAction));
    await double.operator.cancel("dev-1", id);
    assert.equal(report({ kind: "withdrawal", task: incoming.offer, accepted: true }), 200);
  }
});

test("trap 12: a document that is too long is refused for its action", () => {
  const url = splitUrl("http://hb.example:8080/DEFAULT/controller/v1/dev-1/deploymentBase/8") as HttpUrl;
  const polled = new HawkbitPlatform(CONFIG).polled({ body: new Uint8Array(), url, cut: true }, RUNNING, undefined);
  const incoming = incomingOf(polled);
  assert.ok(incoming.kind === "refused" && incoming.outcome.kind === "fail");
  assert.deepEqual([incoming.task.id, incoming.outcome.cause], ["8", "rejected"]);
});

test("trap 14: links are rebuilt on the device's own scheme and host; a CDN's is taken as it is, without the token", () => {
  const path = "/DEFAULT/controller/v1/dev-1/softwaremodules/3/artifacts/app.bin";
  assert.equal(urlOf(`http://internal:80${path}`), `http://hb.example:8080${path}`);
  const tls = { ...CONFIG, server: "https://fota.example/hb/" };
  assert.equal(urlOf(`http://fota.example${path}`, tls), `https://fota.example/hb${path}`);
  assert.equal(urlOf("https://cdn.example/3/app.bin?sig=a%2Fb"), "https://cdn.example/3/app.bin?sig=a%2Fb");
  const platform = new HawkbitPlatform(CONFIG);
  const headers = (url: string): readonly string[] => platform.fileHeaders(splitUrl(url) as HttpUrl);
  assert.deepEqual(headers(`http://hb.example:8080${path}`), ["Authorization: TargetToken secret"]);
  for (const other of ["https://cdn.example/3/app.bin", "https://hb.example:8080/x", "http://hb.example/x"])
    assert.deepEqual(headers(other), [], other);
});

test("trap 15: the version is sent unasked", async () => {
  const { report, double } = await platformBench();
  assert.equal(report({ kind: "version", version: "0.1.0" }), 200);
  assert.deepEqual((await double.operator.device("dev-1")).attributes, { "fw.version": "0.1.0" });
});

test("trap 16: a blank in a file's name is asked for as %20", () => {
  const href = "http://hb.example:8080/DEFAULT/controller/v1/dev-1/softwaremodules/3/artifacts/fw+a%2Bb.bin";
  assert.match(urlOf(href), /artifacts\/fw%20a%2Bb\.bin$/);
});

test("traps 17 and 20: a whole download changes its report four times", () => {
  const platform = new HawkbitPlatform(CONFIG);
  const task = { version: "1.0.0", id: "8" };
  const bodies = Array.from(
    { length: 101 },
    (_, percent) => platform.encode({ kind: "progress", task, percent })!.body!,
  );
  assert.equal(new Set(bodies.slice(0, 100)).size, 4);
});

test("a maintenance window that is closed is waited for, and its document is asked for again when it opens", async () => {
  const { poll, assign, pass, double } = await platformBench();
  const id = await assign("1.0.0", { window: { opensAt: double.repository.now() + 90_000, seconds: 60 } });
  const { polled } = poll();
  assert.ok(polled.kind === "read");
  assert.deepEqual(
    [polled.incoming.kind, polled.remark],
    ["withdrawn", `action ${id} waits for its maintenance window`],
  );
  pass(100);
  assert.equal(incomingOf(poll(polled.known).polled).kind, "offer");
});

test("an action that waits for its confirmation begins when somebody confirms it", async () => {
  const { poll, assign, device, double } = await platformBench();
  await double.operator.prepare({ confirmation: true });
  const id = await assign("1.0.0");
  assert.equal(incomingOf(poll().polled).kind, "withdrawn");
  device.request("POST", `/confirmationBase/${id}/feedback`, { confirmation: "confirmed" });
  assert.equal(incomingOf(poll().polled).kind, "offer");
});

test("what cannot be carried out is refused for its action, with the reason", () => {
  for (const [document, message] of [
    [{ id: "8" }, /no chunks/],
    [deployment({ chunks: [] }), /0 software modules/],
    [deployment({ chunks: [CHUNK, CHUNK] }), /2 software modules/],
    [deployment({}, { artifacts: [] }), /artifacts: 0/],
    [deployment({}, { artifacts: [ARTIFACT, ARTIFACT] }), /artifacts: 2/],
    [deployment({}, { artifacts: [{ ...ARTIFACT, hashes: {} }] }), /hashes/],
    [deployment({}, { artifacts: [{ ...ARTIFACT, size: 0 }] }), /size/],
    [deployment({}, { artifacts: [{ ...ARTIFACT, _links: {} }] }), /_links/],
  ] as const) {
    const incoming = incomingOf(readDocument(document));
    assert.ok(incoming.kind === "refused" && incoming.outcome.kind === "fail", message.source);
    assert.match(incoming.outcome.message, message);
    assert.equal(incoming.task.id, "8");
  }
});

test("another type of software module is a component", () => {
  const incoming = incomingOf(readDocument(deployment({}, { part: "mcu" })));
  assert.ok(incoming.kind === "offer");
  assert.deepEqual([incoming.offer.component, incoming.offer.module], ["mcu", "mcu"]);
});

test("the server names the interval, unless the device has its own", async () => {
  const intervalOf = async (pollingTime: string, change = {}): Promise<number | undefined> => {
    const { poll, double } = await platformBench({}, change);
    await double.operator.prepare({ pollingTime });
    const { polled } = poll();
    return polled.kind === "read" ? polled.interval : undefined;
  };
  assert.equal(await intervalOf("01:00:30"), 3_630_000);
  assert.equal(await intervalOf("01:00:30", { pollSeconds: 60 }), undefined);
  const url = splitUrl("http://hb.example:8080/DEFAULT/controller/v1/dev-1") as HttpUrl;
  const body = Buffer.from('{"config":{"polling":{"sleep":"00:00:00"}}}');
  const polled = new HawkbitPlatform(CONFIG).polled({ body, url }, RUNNING, undefined);
  assert.equal(polled.kind === "read" && polled.interval, 30_000, "never in a loop");
});

test("settings that cannot work are refused by name", () => {
  for (const [change, message] of [
    [{ server: "hb.example" }, /^server: /],
    [{ controllerId: "a b" }, /^controllerId: /],
    [{ controllerId: "a".repeat(129) }, /^controllerId: /],
    [{ tenant: "a/b" }, /^tenant: /],
    [{ targetToken: undefined }, /^targetToken: /],
    [{ gatewayToken: "g" }, /^targetToken: /],
    [{ targetToken: "a\r\nb" }, /^targetToken: /],
  ] as const)
    assert.throws(() => new HawkbitPlatform({ ...CONFIG, ...change } as never), { message });
});
