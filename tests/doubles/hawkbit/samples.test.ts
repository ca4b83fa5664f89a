/**
 * The exchanges of samples.json were recorded from a real server (1.1.0), in this order. The double gives the same
 * answers: status, headers, documents byte by byte except for hashes in links.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { HttpAnswer } from "../http/message";
import { toCbor } from "./cbor";
import { DdiDevice, HOST, START } from "./device";
import type { Artifact, SoftwareModule } from "./model";
import type { Repository } from "./repository";
import { HawkbitDouble } from "./server";

interface Sample {
  readonly name: string;
  readonly request: { method: string; target: string; headers: Record<string, string>; body?: string };
  readonly answer: { status: number; headers: Record<string, string>; body?: string; hex?: string };
}

const SAMPLES = JSON.parse(readFileSync(new URL("samples.json", import.meta.url), "utf8")) as Sample[];
const sample = (name: string): Sample => SAMPLES.find((each) => each.name === name)!;

/** As it is recorded in the deployment of sample 06, 21, 35 and 52. */
function artifactOf(version: string, createdAt: number): Artifact {
  const fileName = `app-${version}.bin`;
  const document = SAMPLES.map(({ answer: { body, hex } }) => body ?? Buffer.from(hex ?? "", "hex").toString("latin1"));
  const text = document.find((each) => each.includes(fileName) && each.includes("sha256"))!;
  // The digests are the same in JSON and in CBOR; in CBOR a length stands before each.
  const [, sha1 = "", md5 = "", sha256 = ""] =
    /sha1[^0-9a-f]+?([0-9a-f]{40}).*?md5[^0-9a-f]+?([0-9a-f]{32}).*?sha256(?:.@|[^0-9a-f]+?)([0-9a-f]{64})/s.exec(
      text,
    )!;
  return { fileName, bytes: new Uint8Array(700_000), sha1, md5, sha256, createdAt };
}

/** The server of the samples before the first of them. */
function prepared(): { double: HawkbitDouble; device: DdiDevice; modules: SoftwareModule[]; pass(): void } {
  let now = START;
  const double = new HawkbitDouble({ now: () => now, firstAction: 8n });
  const { repository } = double;
  repository.settings.targetTokens = true;
  repository.createTarget("xs-dev-0002", "a1b2c3d4e5f60718");
  const modules = ["1.0.0", "1.1.0", "1.2.0", "2.0.0"].map((version, index) => {
    const module = repository.createModule("xs-app", version, "firmware");
    // The last was stored two seconds later.
    module.artifacts.push(artifactOf(version, START + (index === 3 ? 2_000 : 0)));
    module.metadata.set("signature", "MEUCIQ...");
    repository.createSet("xs-app", version, [module]);
    return module;
  });
  const device = new DdiDevice(double, "xs-dev-0002", "TargetToken a1b2c3d4e5f60718");
  return { double, device, modules, pass: () => void (now += 1_000) };
}

/** What the operator did before a sample, and what the device did that was not recorded. */
function steps({ repository }: HawkbitDouble, device: DdiDevice, hour: number): Record<string, () => void> {
  const assign = (set: string, options?: Parameters<Repository["assign"]>[2]): void =>
    void repository.assign(repository.target("xs-dev-0002"), repository.set(set), options);
  const cancel = (id: string): void => repository.cancel(repository.actionOf("xs-dev-0002", id), false);
  return {
    "05-poll-deployment": () => assign("1"),
    "21-deploymentBase-soft": () => assign("2", { type: "soft" }),
    "22-poll-cancel": () => cancel("9"),
    "28-cancel-accepted": () => cancel("9"),
    "30-cancel-feedback-without-cancel-405": () => assign("2"),
    "33-poll-confirmation": () => {
      repository.settings.confirmation = true;
      assign("3");
    },
    "43-poll-401": () => void (device.authorization = "TargetToken wrong"),
    "44-poll-cbor": () => void (device.authorization = "TargetToken a1b2c3d4e5f60718"),
    "47-deploymentBase-maintenance-unavailable": () => {
      repository.settings.confirmation = false;
      device.report("11", "closed", "failure");
      assign("3", { window: { opens: hour, closes: 2 * hour } });
    },
    "49-deploymentBase-downloadonly": () => {
      device.report("12", "closed", "failure");
      assign("3", { type: "downloadonly" });
    },
    "52-deploymentBase-cbor": () => assign("4"),
    "55-range-after-closed": () => void device.report("14", "closed", "success"),
  };
}

const withoutHash = (text: string): string => text.replaceAll(/\?c=-?\d+/g, "?c=");

function compare(got: HttpAnswer, { name, answer }: Sample): void {
  assert.equal(got.status, answer.status, name);
  const text = Buffer.from(got.body).toString("utf8");
  const hashed = /\?c=-?\d/.test(text) || answer.hex?.includes("3f633d") === true;
  for (const [header, value] of Object.entries(answer.headers)) {
    // Connection is of the connection, see connection.test.ts, except where the body could not be read.
    if (header === "Connection") assert.equal(got.close, !name.startsWith("53"), name);
    else if (header === "Transfer-Encoding") assert.equal(got.framing, "chunked", name);
    else if (header === "Content-Length") {
      if (!hashed && name !== "45-poll-406") assert.equal(got.body.length, Number(value), `${name}: ${text}`);
    } else if (header === "ETag" && value.length === 35) assert.match(got.headers[header]!, /^"0[0-9a-f]{32}"$/, name);
    else assert.equal(got.headers[header], value, `${name}: ${header}`);
  }
  if (answer.body !== undefined && name !== "45-poll-406")
    assert.equal(withoutHash(text), withoutHash(answer.body), name);
  if (name === "52-deploymentBase-cbor") assert.equal(Buffer.from(got.body).toString("hex"), answer.hex, name);
}

test("the recorded exchanges, played again, get the recorded answers", () => {
  const { double, device, pass } = prepared();
  const before = steps(double, device, START + 3_600_000);
  for (const each of SAMPLES) {
    pass();
    before[each.name]?.();
    const { method, target, headers, body } = each.request;
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const got = device.request(method, target, body, lower);
    compare(got, each);
    assert.equal(got.headers["Cache-Control"], "no-cache, no-store, max-age=0, must-revalidate");
  }
});

test("the ETag of a document is that of the real server", () => {
  const { double, device } = prepared();
  double.repository.target("xs-dev-0002").requestAttributes = false;
  assert.equal(
    device.get("", { accept: "application/json" }).headers["ETag"],
    sample("03-poll-idle").answer.headers["ETag"],
  );
});

test("CBOR is that of the real server, byte by byte", () => {
  const document = JSON.parse(sample("39-poll-after-confirm").answer.body!) as Record<string, unknown>;
  assert.equal(Buffer.from(toCbor(document)).toString("hex"), sample("44-poll-cbor").answer.hex);
});

test("links have the host of the request", () => {
  const { device } = prepared();
  const body = Buffer.from(device.get("").body).toString();
  assert.ok(body.includes(`http://${HOST}/DEFAULT/controller/v1/xs-dev-0002/configData`), body);
});
