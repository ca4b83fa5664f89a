import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { request as send } from "node:http";
import { test } from "node:test";
import type { CloudHost } from "../../host-sim/cloud/cloud-host";
import { firmware } from "../cloud/helpers";
import { call, ok, raw, withHost, type Answer, type Ask } from "./helpers";

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
  readonly operationId: string;
}
interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

/** Calls the API and checks each answer against the description that the API itself serves. */
class Checked {
  readonly seen = new Set<string>();
  readonly #host: CloudHost;
  readonly #description: Description;
  readonly #ajv = new Ajv2020({ strict: false });

  constructor(host: CloudHost, description: Description) {
    this.#host = host;
    this.#description = description;
  }

  /** `path`: as in the description, with values for its parameters. */
  async call(
    path: string,
    values: Record<string, string>,
    ask: Ask & { readonly query?: string } = {},
  ): Promise<Answer> {
    const method = (ask.method ?? "GET").toLowerCase();
    const operation = this.#description.paths[path]?.[method];
    assert.ok(operation, `${method} ${path} is described`);
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
    const answer = await call(this.#host, `${filled}${ask.query ?? ""}`, ask);
    const described = operation.responses[answer.status];
    assert.ok(described, `${method} ${path}: ${answer.status} is described (${answer.body.toString().slice(0, 200)})`);
    this.seen.add(`${method} ${path} ${answer.status}`);
    const schema = described.content?.["application/json"]?.schema;
    if (schema === undefined) return answer;
    const valid = this.#ajv.validate(schema, JSON.parse(answer.body.toString()));
    assert.ok(valid, `${method} ${path} ${answer.status}: ${this.#ajv.errorsText()}`);
    return answer;
  }
}

async function described(host: CloudHost): Promise<Description> {
  const { status, body } = await raw(host.cloud.httpPort, "/cloud/v1/openapi.json");
  assert.equal(status, 200);
  return JSON.parse(body.toString()) as Description;
}

const device = (name: string): object => ({
  platform: "tencent",
  identity: { productId: "P1", deviceName: name, deviceSecret: "c2VjcmV0c2VjcmV0" },
});

const post = (body: object | Uint8Array): Ask => ({ method: "POST", body });
const ONE = { id: "tencent/P1/d0" };

/** Returns the id of a package. */
async function callPackages(api: Checked): Promise<string> {
  const made = await api.call("/packages/samples", {}, post({ version: "0.2.0", size: 400_000 }));
  const { id } = made.json() as unknown as { id: string };
  await api.call("/packages/samples", {}, post({ version: "0.2.0", size: 10 }));
  await api.call("/packages", {}, { ...post(firmware(5_000)), query: "?name=old.bin&version=0.1.0" });
  await api.call("/packages", {}, post(firmware(100)));
  await api.call("/packages", {});
  await api.call("/packages/{id}", { id });
  await api.call("/packages/{id}", { id: "0123456789abcdef" });
  await api.call("/packages/{id}/container", { id }, post({ older: 1 }));
  return id;
}

async function callDevices(api: Checked, host: CloudHost): Promise<void> {
  const names = Array.from({ length: 12 }, (_, index) => `d${index}`);
  await api.call("/devices", {}, post({ devices: names.map(device) }));
  await api.call("/devices", {}, post({ devices: [device("new"), device("d3")] }));
  assert.equal(host.cloud.devices.list().length, 12, "all or none");
  await api.call("/devices", {}, { query: "?search=D1&limit=2&online=false" });
  await api.call("/devices/{id}", ONE);
  await api.call("/devices/{id}", { id: "nobody" });
  await api.call("/devices/{id}/messages", ONE);
  await api.call("/devices/{id}/messages", { id: "nobody" });
  await api.call("/devices/{id}/recordings", ONE);
  await api.call("/devices/{id}/recordings", { id: "nobody" });
  await api.call("/devices/{id}/recordings/{reference}", { ...ONE, reference: "none" });
  await api.call("/devices/{id}/config", ONE);
  await api.call("/devices/{id}/config", { id: "nobody" });
  await api.call("/devices/{id}/settings", ONE);
  await api.call("/devices/{id}/settings", { id: "nobody" });
}

/** `id`: of a package, which is removed in the end, as is a device. */
async function callRollouts(api: Checked, id: string): Promise<void> {
  const rollout = {
    package: id,
    selection: { kind: "all" },
    waves: [25, 100],
    failureLimit: 10,
    timeout: 60,
    pause: 1,
  };
  const created = await api.call("/rollouts", {}, post(rollout));
  const known = { id: (created.json() as unknown as { rollout: { id: string } }).rollout.id };
  await api.call("/rollouts", {}, post({ package: "0123456789abcdef", selection: { kind: "all" } }));
  await api.call("/rollouts", {});
  await api.call("/rollouts/{id}", known);
  await api.call("/rollouts/{id}", { id: "77" });
  await api.call("/rollouts/{id}/devices", known, { query: "?status=pending&offset=1" });
  await api.call("/packages/{id}", { id }, { method: "DELETE" });
  for (const step of ["resume", "retry", "cancel", "cancel"])
    await api.call(`/rollouts/{id}/${step}`, known, { method: "POST" });
  await api.call("/rollouts/{id}", known, { method: "DELETE" });
  await api.call("/rollouts/{id}", known, { method: "DELETE" });
  await api.call("/packages/{id}", { id }, { method: "DELETE" });
  await api.call("/packages/{id}", { id }, { method: "DELETE" });
  await api.call("/devices/{id}", ONE, { method: "DELETE" });
  await api.call("/devices/{id}", ONE, { method: "DELETE" });
}

async function callBoards(api: Checked): Promise<void> {
  await api.call("/boards", {});
  await api.call("/boards", {}, post({ name: "Not-A-Name" }));
  await api.call("/boards/{name}", { name: "none" });
  for (const [path, method, body] of [
    ["/boards/{name}/power", "PUT", { on: true }],
    ["/boards/{name}/link", "PUT", { weak: true }],
    ["/boards/{name}/firmware", "POST", {}],
    ["/boards/{name}/flash", "GET", undefined],
    ["/boards/{name}/events", "GET", undefined],
    ["/boards/{name}", "DELETE", undefined],
  ] as const) {
    await api.call(path, { name: "none" }, { method, ...(body === undefined ? {} : { body }) });
  }
}

test("what the API does is what its description says, call by call", async () => {
  await withHost(async (host) => {
    const description = await described(host);
    assert.equal(description.openapi, "3.1.0");
    const operations = Object.values(description.paths).flatMap((path) => Object.values(path));
    assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length, "names are unique");
    const api = new Checked(host, description);

    await api.call("/overview", {});
    await api.call("/journal", {});
    await api.call("/links", {}, { method: "POST" });
    await api.call("/session", {}, post({ token: "none" }));

    const id = await callPackages(api);
    await callDevices(api, host);
    await callRollouts(api, id);
    await callBoards(api);
    await api.call("/session", {}, { method: "DELETE" });

    // Everything that is described was asked for; a stream and what needs a running board are elsewhere.
    const called = new Set([...api.seen].map((entry) => entry.replace(/ \d+$/, "")));
    const missing = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .map((method) => `${method} ${path}`)
        .filter((name) => !called.has(name)),
    );
    assert.deepEqual(missing, ["get /events"]);
  });
});

test("malformed calls are refused with one line that names the place, and change nothing", async () => {
  await withHost(async (host) => {
    const post = (path: string, body: Ask["body"], headers: Record<string, string> = {}): Promise<Answer> =>
      call(host, path, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
    const json = { "content-type": "application/json" };
    const rows: [Promise<Answer>, number, RegExp][] = [
      [post("/rollouts", {}), 400, /package|required/],
      [post("/rollouts", { package: "x", selection: { kind: "some" } }), 400, /selection/],
      [post("/rollouts", { package: "x", selection: { kind: "all" }, waves: [0] }), 400, /waves\.0/],
      [post("/rollouts", { package: "x", selection: { kind: "all" }, waves: "all" }), 400, /waves/],
      [post("/rollouts", { package: "x", selection: { kind: "all" }, failureLimit: 101 }), 400, /failureLimit/],
      [post("/rollouts", { package: "x", selection: { kind: "all" }, surprise: 1 }), 400, /additional|surprise/],
      [post("/rollouts", { package: "x", selection: { kind: "names", names: [] } }), 400, /names/],
      [post("/rollouts", { package: "x", selection: { kind: "names", names: [1] } }), 400, /names/],
      [post("/rollouts", []), 400, /body|object/],
      [post("/rollouts", "{", json), 400, /not JSON/],
      [post("/rollouts", Buffer.from([0x22, 0xff, 0x22]), json), 400, /not JSON/],
      [post("/rollouts", undefined, json), 400, /not JSON/],
      [post("/rollouts", "{}", { "content-type": "text/html" }), 415, /application\/json/],
      [post("/devices", { devices: [{ platform: "elsewhere", identity: {} }] }), 422, /no platform "elsewhere"/],
      [
        post("/devices", { devices: [{ platform: "tencent", identity: { productId: "a/b", deviceName: "c" } }] }),
        422,
        /productId/,
      ],
      [post("/devices", { devices: [{ platform: "tencent", identity: {} }] }), 422, /productId/],
      [call(host, "/devices?limit=0"), 400, /limit/],
      [call(host, "/devices?limit=many"), 400, /limit/],
      [call(host, "/devices?limit=1&limit=2"), 400, /twice/],
      [call(host, "/devices?colour=red"), 400, /additional|colour/],
      [call(host, "/devices/%zz"), 400, /encoded/],
      [call(host, "/nothing"), 404, /no such path/],
      [call(host, "/packages", { method: "DELETE" }), 405, /method/],
    ];
    for (const [index, [answer, status, words]] of rows.entries()) {
      const { status: got, body } = await answer;
      const { error } = JSON.parse(body.toString()) as { error: string };
      assert.equal(got, status, `row ${index}: ${error}`);
      assert.match(error, words, `row ${index}`);
      assert.ok(!error.includes("\n"));
    }
    assert.deepEqual([host.cloud.devices.list(), host.cloud.rollouts.list()], [[], []]);
  });
});

test("a path refuses every other method, and names those that it has", async () => {
  await withHost(async (host) => {
    for (const [path, method, allow] of [
      ["/devices", "HEAD", "GET, POST"],
      ["/devices", "PROPFIND", "GET, POST"],
      ["/devices/x", "PATCH", "GET, DELETE"],
      ["/boards/x/power", "GET", "PUT"],
      ["/openapi.json", "POST", "GET"],
    ] as const) {
      const { status, headers } = await call(host, path, { method });
      assert.deepEqual([status, headers["allow"]], [405, allow], `${method} ${path}`);
    }
    assert.equal((await call(host, "/devices/", { method: "GET" })).status, 404);
    assert.equal((await call(host, "/devices/x/y", { method: "PATCH" })).status, 404);
  });
});

test("no secret of a device is in any answer but its device.json, and signatures of URLs are left out", async () => {
  await withHost(async (host) => {
    const { id } = await host.cloud.packages.add(firmware(2_000), { version: "2" });
    await ok(host, "/devices", { method: "POST", body: { devices: [device("d0")] } });
    const known = "tencent/P1/d0";
    host.cloud.devices.presence({ clientId: "P1d0", username: "", serial: 1, side: "tencent", device: known }, true, 1);
    host.cloud.push(known, host.cloud.packages.get(id)!);
    host.cloud.devices.log(known, {
      at: 1,
      direction: "up",
      topic: "ota/device/inform/c2VjcmV0c2VjcmV0",
      payload: "c2VjcmV0c2VjcmV0",
      qos: 1,
      dup: false,
    });
    const path = encodeURIComponent(known);
    for (const url of [
      "/overview",
      "/devices",
      `/devices/${path}`,
      `/devices/${path}/messages`,
      "/journal",
      "/packages",
      "/rollouts",
      "/boards",
    ]) {
      const text = (await call(host, url)).body.toString();
      assert.ok(!text.includes("c2VjcmV0") && !text.includes("q-signature"), url);
    }
    const messages = (await call(host, `/devices/${path}/messages`)).body.toString();
    assert.ok(messages.includes("?sign=…"));
    assert.ok((await call(host, `/devices/${path}/config`)).body.toString().includes("c2VjcmV0c2VjcmV0"));
  });
});

test("where the cloud speaks TLS, a device's device.json does too, and names the root", async () => {
  await withHost(
    async (host) => {
      const { ids } = await ok<{ ids: string[] }>(host, "/devices", {
        method: "POST",
        body: {
          devices: [
            { platform: "tencent", identity: { productId: "P1", deviceName: "a", deviceSecret: "c2VjcmV0c2VjcmV0" } },
          ],
        },
      });
      const config = await ok<{ mqtt: object; https: object }>(host, `/devices/${encodeURIComponent(ids[0]!)}/config`);
      assert.deepEqual(config.mqtt, {
        host: "127.0.0.1",
        port: host.cloud.mqttsPort,
        tls: true,
        ca: "/somewhere/root.pem",
      });
      assert.deepEqual(config.https, { ca: "/somewhere/root.pem" });
    },
    { cloud: { tls: { kind: "ec" } }, rootFile: "/somewhere/root.pem" },
  );
});

test("events name what changed; of a thousand changes they make a few", async () => {
  await withHost(async (host) => {
    const stream = await new Promise<import("node:http").IncomingMessage>((resolve) => {
      const headers = { authorization: `Bearer ${host.apiToken}` };
      send({ port: host.cloud.httpPort, path: "/cloud/v1/events", headers }, resolve).end();
    });
    assert.match(String(stream.headers["content-type"]), /^text\/event-stream/);
    let text = "";
    let wake = (): void => undefined;
    // The listener stays: a chunk that comes while there is none is lost.
    stream.on("data", (part: Buffer) => {
      text += part.toString();
      wake();
    });
    const until = async (words: RegExp): Promise<void> => {
      while (!words.test(text)) await new Promise<void>((resolve) => (wake = resolve));
    };
    await until(/event: hello/);
    await ok(host, "/devices", { method: "POST", body: { devices: [device("d0")] } });
    await until(/"devices":\["tencent\/P1\/d0"\]/);
    text = "";
    await ok(host, "/devices", {
      method: "POST",
      body: { devices: Array.from({ length: 1_000 }, (_, index) => device(`x${index}`)) },
    });
    await until(/"devices":true/);
    assert.ok(text.length < 20_000, `${text.length} bytes`);
    stream.destroy();
  });
});
