/** Traps 6, 12 to 14, 16 to 19 of hawkbit.md: forms of answers and links that clients in the field get wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DdiDevice, HOST, IMAGE, install, jsonOf, newBench } from "./device";

const path = (id: number, name: string): string => `/softwaremodules/${id}/artifacts/${name}`;

test("trap 6: a download answers 404 from the moment of a cancel, of a newer set, of a deletion", async () => {
  const { double, device, another, assign } = await newBench();
  const file = path(1, "app-1.0.0.bin");
  const range = { range: "bytes=0-3" };
  const id = await assign("1.0.0");
  assert.equal(device.get(file, range).status, 206);
  await double.operator.cancel("dev-1", id);
  assert.equal(device.get(file, range).status, 404);
  assert.equal(device.get(`/deploymentBase/${id}`).status, 404);
  device.cancelReport(id, "rejected");
  assert.equal(device.get(file, range).status, 206);
  await assign("1.1.0");
  assert.equal(device.get(file, range).status, 404, "superseded");
  const other = await another("dev-2");
  await assign("1.0.0", {}, other);
  assert.equal(other.get(file, range).status, 206);
  await double.operator.withdraw("1");
  assert.equal(other.get(file, range).status, 404, "withdrawn");
  await double.operator.deleteDevice("dev-2");
  assert.equal(other.get(file, range).status, 401, "deleted");
});

test("trap 12: a document of one artifact has about 700 bytes, of many as many more", async () => {
  const { double, device, assign } = await newBench();
  const { repository } = double;
  const id = await assign("1.0.0");
  assert.ok(device.get(`/deploymentBase/${id}`).body.length > 600);
  const modules = ["os", "app", "data"].map((type) => {
    const module = repository.createModule(`xs-${type}`, "2.0.0", type);
    for (let count = 0; count < 6; count++) repository.addArtifact(module, `part-${count}.bin`, IMAGE);
    return module;
  });
  modules.push(repository.createModule("empty", "1", "notes"));
  const set = repository.createSet("large", "2.0.0", modules);
  device.report(id, "closed", "failure");
  const large = await double.operator.assign("dev-1", String(set.id));
  const { body } = device.get(`/deploymentBase/${large}`);
  const { deployment } = JSON.parse(Buffer.from(body).toString()) as {
    deployment: { chunks: { part: string; artifacts: unknown[] }[] };
  };
  assert.deepEqual(
    deployment.chunks.map(({ part, artifacts }) => [part, artifacts.length]),
    [
      ["os", 6],
      ["app", 6],
      ["data", 6],
      ["notes", 0],
    ],
  );
  assert.ok(body.length > 8_192, String(body.length));
  // Locked by the assignment: size and digest can not change.
  assert.throws(() => repository.addArtifact(modules[0]!, "late.bin", IMAGE), /locked/);
});

test("trap 13: only the errors of the download path are in chunked form", async () => {
  const { double, device, assign } = await newBench();
  const id = await assign("1.0.0");
  await double.operator.cancel("dev-1", id);
  const { framing, headers, status } = device.get(path(1, "app-1.0.0.bin"), { range: "bytes=0-3" });
  assert.deepEqual([status, framing, headers["Content-Disposition"]], [404, "chunked", "inline;filename=f.txt"]);
  for (const each of [
    device.get(`/deploymentBase/${id}`),
    device.get("/deploymentBase/77"),
    device.get("/deploymentBase/x"),
    device.request("POST", `/deploymentBase/${id}/feedback`, "{"),
  ])
    assert.equal(each.framing, "length");
});

test("trap 14: links have the Host header's host and port, and the scheme that the server saw", async () => {
  const forwarded = { host: "fota.example.com", "x-forwarded-proto": "https", "x-forwarded-host": "up.example.com" };
  const link = async (forwardHeaders: boolean): Promise<string> => {
    const { device } = await newBench({ links: { forwardHeaders } });
    const { _links } = jsonOf(device.get("", forwarded)) as { _links: { configData: { href: string } } };
    return _links.configData.href;
  };
  assert.equal(await link(false), "http://fota.example.com/DEFAULT/controller/v1/dev-1/configData");
  assert.equal(await link(true), "https://up.example.com/DEFAULT/controller/v1/dev-1/configData");
});

test("trap 14: a stock server calls an artifact's link download-http, others by its configuration, or on a CDN", async () => {
  const links = async (options: object): Promise<Record<string, { href: string }>> => {
    const { device, assign } = await newBench({ links: options });
    const document = jsonOf(device.get(`/deploymentBase/${await assign("1.0.0")}`)) as {
      deployment: { chunks: { artifacts: { _links: Record<string, { href: string }> }[] }[] };
    };
    return document.deployment.chunks[0]!.artifacts[0]!._links;
  };
  const own = `http://${HOST}/DEFAULT/controller/v1/dev-1/softwaremodules/1/artifacts/app-1.0.0.bin`;
  assert.deepEqual(await links({}), { "download-http": { href: own }, "md5sum-http": { href: `${own}.MD5SUM` } });
  assert.deepEqual(Object.keys(await links({ rels: ["download", "download-http"] })), [
    "download",
    "md5sum",
    "download-http",
    "md5sum-http",
  ]);
  const { download } = await links({ rels: ["download"], artifactHost: "https://cdn.example" });
  assert.ok(download!.href.startsWith("https://cdn.example/DEFAULT/"), download!.href);
});

test("trap 14: an id that needs it comes back percent-encoded", async () => {
  const { double } = await newBench();
  await double.operator.prepare({ gatewayToken: "key" });
  const device = new DdiDevice(double, "dev-3", "GatewayToken key");
  const text = (target: string): string => Buffer.from(device.get(target).body).toString();
  assert.match(text("/DEFAULT/controller/v1/a:b@c+%E6%96%87"), /v1\/a%3Ab%40c%2B%E6%96%87\/configData/);
  assert.match(text("/default/controller/v1/dev-3"), /8080\/default\/controller/);
  for (const [target, status] of [
    ["/DEFAULT/controller/v1/a%2Fb", 400],
    ["/DEFAULT/controller/v1/a%20b", 400],
    ["/DEFAULT/controller/v1/a;b", 400],
    [`/DEFAULT/controller/v1/${"a".repeat(129)}`, 400],
    [`/DEFAULT/controller/v1/${"a".repeat(128)}`, 200],
    ["/DEFAULT/controller/v1/dev-3/", 404],
    ["/OTHER/controller/v1/dev-3", 401],
  ] as const)
    assert.equal(device.get(target).status, status, target);
});

test("trap 16: a blank in a file's name is a plus in the link, which is answered with 404", async () => {
  const { double, device } = await newBench();
  const order = { name: "xs-app", version: "1.0.0", part: "firmware", fileName: "fw image.bin", bytes: IMAGE };
  const id = await double.operator.assign("dev-1", await double.operator.upload(order));
  const text = Buffer.from(device.get(`/deploymentBase/${id}`).body).toString();
  assert.match(text, /artifacts\/fw\+image\.bin"/);
  assert.equal(device.get(path(1, "fw+image.bin")).status, 404);
  assert.equal(device.get(path(1, "fw%20image.bin")).status, 200);
});

test("traps 17 and 20: 200 reads and 50 writes a second from a public address, refused without a word", async () => {
  const { device, pass } = await newBench();
  const from = { "x-forwarded-for": "203.0.113.7" };
  const count = (send: () => { status: number }): number =>
    Array.from({ length: 600 }, send).filter(({ status }) => status === 429).length;
  const read = () => device.get("", from);
  const write = () => device.request("PUT", "/configData", { data: { a: 1 } }, from);
  assert.equal(count(read), 400);
  assert.equal(count(write), 550);
  const { headers, body, framing } = read();
  assert.deepEqual([headers["Retry-After"], body.length, framing], [undefined, 0, "length"]);
  assert.equal(device.get("").status, 200, "a private address is not counted");
  pass(1);
  assert.equal(read().status, 200);
});

test("trap 18: a maintenance window that went by becomes a cancel at the next poll", async () => {
  const { double, device, assign, pass } = await newBench();
  const opensAt = double.repository.now() + 90_000;
  const id = await assign("1.0.0", { window: { opensAt, seconds: 60 } });
  const seen = (): unknown => {
    const { deployment } = jsonOf(device.get(`/deploymentBase/${id}`)) as { deployment: Record<string, unknown> };
    return [deployment["download"], deployment["update"], deployment["maintenanceWindow"]];
  };
  const sleep = (): string =>
    (jsonOf(device.get("")) as { config: { polling: { sleep: string } } }).config.polling.sleep;
  const closed = device.poll()["deploymentBase"];
  assert.deepEqual(seen(), ["forced", "skip", "unavailable"]);
  assert.equal(sleep(), "00:00:30", "shorter before the window");
  pass(100);
  assert.deepEqual(seen(), ["forced", "forced", "available"]);
  assert.notEqual(device.poll()["deploymentBase"], closed, "c is another");
  assert.equal(sleep(), "00:05:00");
  pass(60);
  assert.equal(device.poll()["cancelAction"], `/cancelAction/${id}`);
  assert.equal((await double.operator.action("dev-1", id)).status, "canceling");
});

test("trap 19: CBOR has a list of links, and what is neither JSON nor CBOR is 406", async () => {
  const bench = await newBench();
  await install(bench, "1.0.0");
  const { headers, body } = bench.device.get("", { accept: "application/cbor" });
  assert.equal(headers["Content-Type"], "application/cbor");
  assert.ok(Buffer.from(body).includes("installedBase") && !Buffer.from(body).includes("_links"));
  assert.equal(bench.device.get("", { accept: "text/html" }).status, 406);
  assert.equal(bench.device.get("", { accept: "*/*" }).headers["Content-Type"], "application/hal+json");
});
