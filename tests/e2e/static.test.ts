/**
 * `xs-ota device` on the platform `static`, over real sockets, from a folder of `xs-ota publish` behind real web servers:
 * three of npm, one of them without ranges, and Python's where the machine has it.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { TestContext } from "node:test";
import send from "send";
import serveHandler from "serve-handler";
import sirv from "sirv";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import { WeakLink } from "../../host-sim/faults/weak-link";
import { Device } from "../../host-sim/demo/device-process";
import type { SiteManifest } from "../../host-sim/publish/site-manifest";
import { temporaryFolder } from "../kit/folder";
import { xsOtaError as xsOta } from "../kit/xs-ota";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

/** Bytes per second: the image takes two seconds, so that there is a middle to cut. */
const RATE = 120_000;

async function listen(t: TestContext, handler: RequestListener): Promise<number> {
  const server: Server = createServer(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Serves the folder; returns the port. */
type Serve = (t: TestContext, folder: string) => Promise<number>;

const SERVERS: { [name: string]: Serve } = {
  sirv: (t, folder) => listen(t, sirv(folder, { dev: true, etag: true })),
  "serve-handler": (t, folder) =>
    listen(t, (request, response) => void serveHandler(request, response, { public: folder, etag: true })),
  "send, which answers no ranges": (t, folder) =>
    listen(
      t,
      (request, response) => void send(request, request.url!, { root: folder, acceptRanges: false }).pipe(response),
    ),
};

const python = (): boolean => {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

if (python())
  SERVERS["python3 -m http.server, which knows no ranges"] = async (t, folder) => {
    const args = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder];
    const child = spawn("python3", args, { stdio: ["ignore", "pipe", "ignore"] });
    t.after(() => void child.kill());
    for await (const line of createInterface({ input: child.stdout })) {
      const [, port] = /port (\d+)/.exec(line) ?? [];
      if (port !== undefined) return Number(port);
    }
    throw new Error("python3 told no port");
  };

interface Bench {
  readonly site: string;
  publish(version: string, options?: { readonly fault?: Fault; readonly flags?: readonly string[] }): Promise<void>;
  /** Puts the power on. */
  on(manifest: string, more?: object): Device;
}

function bench(t: TestContext): Bench {
  const folder = temporaryFolder(t);
  const [site, image, config] = [join(folder, "site"), join(folder, "fw.bin"), join(folder, "device.json")];
  const devices: Device[] = [];
  t.after(() => Promise.all(devices.map((device) => device.kill())));
  return {
    site,
    publish: async (version, { fault, flags = [] } = {}) => {
      writeFileSync(image, await sampleImage(version, fault));
      assert.equal((await xsOta("publish", "--site", site, image, ...flags)).code, 0);
    },
    on: (manifest, more = {}) => {
      writeFileSync(config, JSON.stringify({ platform: "static", manifest, deviceId: "dev-1", ...more }), {
        mode: 0o600,
      });
      const device = Device.start(config, join(folder, "board"));
      devices.push(device);
      return device;
    },
  };
}

/** Takes the reports. */
async function reports(
  t: TestContext,
): Promise<{ readonly url: string; readonly got: unknown[]; arrived(): Promise<void> }> {
  const got: unknown[] = [];
  let wake: () => void = () => undefined;
  const port = await listen(t, (request: IncomingMessage, response: ServerResponse) => {
    let text = "";
    request.on("data", (part: Buffer) => (text += part.toString()));
    request.on("end", () => {
      assert.deepEqual([request.method, request.headers["content-type"]], ["POST", "application/json"]);
      got.push(JSON.parse(text));
      response.writeHead(204).end();
      wake();
    });
  });
  return {
    url: `http://127.0.0.1:${port}/ota`,
    got,
    arrived: async () => {
      while (got.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

const confirmed = async (device: Device): Promise<void> => {
  assert.equal((await device.event("confirmed"))["version"], "0.2.0");
  await device.until("done", ({ state }) => state === "done");
};

const updateOverCut =
  (serve: Serve) =>
  async (t: TestContext): Promise<void> => {
    const { site, publish, on } = bench(t);
    await publish("0.2.0");
    const link = await WeakLink.open({
      targets: [{ host: "127.0.0.1", port: await serve(t, site) }],
      quality: { rate: RATE },
    });
    t.after(() => link.close());
    const manifest = `http://127.0.0.1:${link.ports[0]}/manifest.json`;
    const outcome = await reports(t);
    const first = on(manifest, { report: outcome.url });
    await first.until("20 %", ({ percent }) => Number(percent) >= 20);
    await first.kill();
    const device = on(manifest, { report: outcome.url });
    assert.ok(Number((await device.event("resume"))["offset"]) > 0);
    await confirmed(device);
    await outcome.arrived();
    assert.deepEqual(outcome.got, [{ deviceId: "dev-1", version: "0.2.0", state: "done" }]);
  };

test("an update over a power cut", { concurrency: true }, async (t) => {
  const servers = Object.entries(SERVERS);
  await Promise.all(servers.map(([name, serve]) => t.test(`from ${name}`, updateOverCut(serve))));
});

test("firmware that throws is rolled back, and that is reported once", async (t) => {
  const { site, publish, on } = bench(t);
  await publish("0.2.0", { fault: "throw" });
  const port = await SERVERS["sirv"]!(t, site);
  const outcome = await reports(t);
  const device = on(`http://127.0.0.1:${port}/manifest.json`, { report: outcome.url });
  await device.event("rollback");
  await outcome.arrived();
  const [{ state, cause, version }] = outcome.got as [{ state: string; cause: string; version: string }];
  assert.deepEqual([state, cause, version], ["fail", "rolled-back", "0.2.0"]);
  assert.equal(outcome.got.length, 1);
});

test("manifest and image by two redirects to another host, with a signed query of 1,000 characters", async (t) => {
  const { site, publish, on } = bench(t);
  await publish("0.2.0");
  const store = await listen(t, sirv(site, { dev: true }));
  const queries: number[] = [];
  const front = await listen(t, ({ url = "" }, response) => {
    const name = url.slice(url.lastIndexOf("/"));
    queries.push(url.length);
    const location = url.startsWith("/latest/")
      ? `/download/v0.2.0${name}`
      : `http://localhost:${store}${name}?X-Amz-Signature=${"s".repeat(1_000)}`;
    response.writeHead(302, { Location: location }).end();
  });
  const path = join(site, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { builds: { ota: { path: string } }[] } & SiteManifest;
  manifest.builds[0]!.ota.path = `http://127.0.0.1:${front}/latest/${manifest.builds[0]!.ota.path}`;
  writeFileSync(path, JSON.stringify(manifest));
  await confirmed(on(`http://127.0.0.1:${front}/latest/manifest.json`));
  assert.ok(queries.length >= 4);
});
