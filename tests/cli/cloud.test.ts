import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { after, test } from "node:test";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { buildImage } from "../../hal/model-chip/build-image";
import { Board, credentials, http, mqtt } from "../cloud/helpers";
import { temporaryFolder } from "../kit/folder";
import { refusesEach, startXsOta } from "../kit/xs-ota";
import type { Running } from "../kit/xs-ota";

const folder = temporaryFolder({ after });

/** The cloud with its state in memory; `start`: with what `args` say. */
const run = (...args: string[]): Running => start("--memory", ...args);
const start = (...args: string[]): Running => startXsOta("cloud", ...args);

/** The head of an ESP image with an app description. */
async function writeImage(version: string): Promise<string> {
  const bytes = Buffer.alloc(5_000, 0x5a);
  bytes.fill(0, 0, 288);
  bytes.set([0xe9, 1]);
  bytes.writeUInt32LE(4_900, 28);
  bytes.writeUInt32LE(0xabcd5432, 32);
  bytes.write(version, 48);
  bytes.write("demo", 80);
  const path = join(folder, `fw-${version}.bin`);
  await writeFile(path, bytes);
  return path;
}

test("prints a device.json that works, pushes the version asked for, shows what happens, ends by a signal with 0", async () => {
  const image = await writeImage("0.2.0");
  const secret = "3ZxkQmVyVGVzdFZlY3Rvcg==";
  const cloud = run("--port", "0", "--mqtt-port", "0", "--device", `P1/board-a/${secret}`, "--push", "0.2.0", image);
  const config = (await cloud.line()) as unknown as { mqtt: { host: string; port: number; tls: boolean } };
  const { port } = config.mqtt;
  assert.deepEqual(config, {
    platform: "tencent",
    mqtt: { host: "127.0.0.1", port, tls: false },
    auth_mode: "KEY",
    productId: "P1",
    deviceName: "board-a",
    key_deviceinfo: { deviceSecret: secret },
  });
  const device = { productId: "P1", deviceName: "board-a", deviceSecret: secret };
  const board = new Board(await mqtt({ port, ...credentials(device) }));
  await board.client.subscribeAsync("$ota/update/P1/board-a", { qos: 1 });
  const report = (body: object): Promise<unknown> =>
    board.client.publishAsync("$ota/report/P1/board-a", JSON.stringify(body), { qos: 1 });
  await report({ type: "report_version", report: { version: "0.1.0" } });
  let offer = await board.next();
  while (offer["type"] !== "update_firmware") offer = await board.next();
  assert.equal(offer["version"], "0.2.0");
  assert.deepEqual((await http(String(offer["url"]))).body, await readFile(image));
  const message = "no\u001b[2Jgood";
  const progress = { state: "fail", result_code: "-5", result_msg: message };
  await report({ type: "report_progress", report: { progress, version: "0.2.0" } });
  await board.leave();
  const { code, stderr } = await cloud.end("SIGTERM");
  assert.equal(code, 0);
  const order = [
    "firmware 0.2.0: fw-0.2.0.bin, 5000 bytes",
    "board-a: online",
    "board-a: runs 0.1.0",
    "board-a: update to 0.2.0 pushed",
    "board-a: update to 0.2.0 failed with -5: no?[2Jgood",
  ];
  let at = -1;
  for (const line of order) {
    const next = stderr.indexOf(line, at + 1);
    assert.ok(next > at, `${line} in ${stderr}`);
    at = next;
  }
});

test("--push finds an image of mcconfig by the version in its firmware block", async () => {
  const path = join(folder, "xs_esp32.bin");
  await writeFile(path, buildImage({ version: "0.2.0", product: "thermostat", payload: Buffer.from("1") }));
  const cloud = run("--port=0", "--mqtt-port=0", "--new-device", "board-1", "--push", "0.2.0", path);
  const config = await cloud.line();
  const { code, stderr } = await cloud.end("SIGTERM");
  assert.equal(code, 0, stderr);
  assert.equal(config?.["platform"], "tencent");
  assert.match(stderr, /^firmware 0\.2\.0: xs_esp32\.bin, .*, product thermostat$/m);
});

test("a new device gets a secret; packages and the authority stay in their folders", async () => {
  const packages = join(folder, "packages");
  const tls = join(folder, "tls");
  const flags = ["--port=0", "--mqtt-port=0", "--https-port=0", "--mqtts-port=0", "--packages", packages, "--tls", tls];
  const first = run(...flags, "--new-device", "board-1", await writeImage("0.3.0"));
  const config = (await first.line()) as unknown as { mqtt: { port: number; ca: string }; https: { ca: string } };
  assert.deepEqual([config.mqtt.ca, config.https.ca], [join(tls, "root.pem"), join(tls, "root.pem")]);
  const root = await readFile(config.mqtt.ca, "utf8");
  assert.equal((await stat(join(tls, "root.key.pem"))).mode & 0o077, 0);
  assert.equal((await first.end("SIGINT")).code, 0);

  const second = run(...flags, "--push", "0.3.0", "--device", "P1/cert-board");
  const info = (await second.line()) as unknown as {
    mqtt: { port: number };
    auth_mode: string;
    cert_deviceinfo: Record<string, string>;
  };
  assert.equal(info.auth_mode, "CERT");
  assert.equal(await readFile(join(tls, "root.pem"), "utf8"), root);
  const { devCertFile = "", devPrivateKeyFile = "" } = info.cert_deviceinfo;
  const client = await mqtt({
    protocol: "mqtts",
    port: info.mqtt.port,
    ca: root,
    cert: await readFile(devCertFile),
    key: await readFile(devPrivateKeyFile),
    clientId: "P1cert-board",
    username: "P1cert-board;12010126;a1B2c;2147483647",
  });
  await client.endAsync(true);
  assert.equal((await second.end("SIGTERM")).code, 0);
});

test("the cloud uses a certificate from elsewhere, and device.json names the root that was given", async () => {
  const authority = await Authority.create("ec");
  const { key, certificate } = await authority.server(["127.0.0.1"]);
  const [certFile, keyFile, rootFile] = [
    join(folder, "given.pem"),
    join(folder, "given.key.pem"),
    join(folder, "given-root.pem"),
  ];
  await Promise.all([writeFile(certFile, certificate), writeFile(keyFile, key), writeFile(rootFile, authority.root)]);
  const cloud = run(
    "--port=0",
    "--mqtt-port=0",
    "--https-port=0",
    "--mqtts-port=0",
    "--tls-cert",
    certFile,
    "--tls-key",
    keyFile,
    "--tls-root",
    rootFile,
    "--new-device",
    "board-1",
  );
  const config = (await cloud.line()) as unknown as {
    mqtt: { port: number; tls: boolean; ca: string };
    https: { ca: string };
  };
  assert.deepEqual([config.mqtt.ca, config.https.ca], [rootFile, rootFile]);
  const socket = connectTls({ host: "127.0.0.1", port: config.mqtt.port, ca: authority.root });
  await once(socket, "secureConnect");
  socket.destroy();
  assert.equal((await cloud.end("SIGTERM")).code, 0);
});

test("a push without a device makes a demo device, the same one at the next start", async () => {
  const state = join(folder, "demo-state");
  const flags = ["--port=0", "--mqtt-port=0", "--state", state, "--push", "0.5.0"];
  const first = start(...flags, await writeImage("0.5.0"));
  const config = await first.line();
  assert.equal((await first.end("SIGTERM")).code, 0);
  const second = start(...flags);
  const again = await second.line();
  assert.equal((await second.end("SIGTERM")).code, 0);
  const identity = ({ deviceName, key_deviceinfo }: Record<string, unknown>): unknown => ({
    deviceName,
    key_deviceinfo,
  });
  assert.equal(config?.["deviceName"], "demo-1");
  assert.deepEqual(identity(again!), identity(config!));
});

test("each device of a file gets its device.json", async () => {
  const path = join(folder, "devices.json");
  await writeFile(
    path,
    JSON.stringify([
      { productId: "P1", deviceName: "a", key_deviceinfo: { deviceSecret: "AAAA" } },
      { productId: "P1", deviceName: "b", deviceSecret: "BBBB" },
    ]),
  );
  const cloud = run("--port=0", "--mqtt-port=0", "--devices", path);
  assert.equal((await cloud.line())?.["deviceName"], "a");
  assert.equal((await cloud.line())?.["deviceName"], "b");
  await cloud.end("SIGTERM");
});

test("devices of ThingsPanel, given in three ways, get the device.json of the contract", async () => {
  const path = join(folder, "panel.json");
  await writeFile(
    path,
    JSON.stringify({
      platform: "thingspanel",
      profile: "v1",
      username: "user-7",
      password: "s3cr3t7",
      deviceNumber: "number-2",
      clientId: "dev-2",
    }),
  );
  const cloud = run(
    "--port=0",
    "--mqtt-port=0",
    "--device",
    "thingspanel/v0/token-123/MCU",
    "--new-device",
    "thingspanel-v1/board-9",
    "--devices",
    path,
  );
  const configs = [await cloud.line(), await cloud.line(), await cloud.line()] as Record<string, unknown>[];
  const { mqtt: broker } = configs[0] as { mqtt: { port: number } };
  assert.deepEqual(configs[0], {
    platform: "thingspanel",
    mqtt: { host: "127.0.0.1", port: broker.port, tls: false },
    profile: "v0",
    username: "token-123",
    password: "",
    clientId: "token-123",
    deviceNumber: "token-123",
    module: "MCU",
  });
  assert.deepEqual([configs[1]!["profile"], configs[1]!["deviceNumber"]], ["v1", "board-9"]);
  assert.match(String(configs[1]!["username"]), /^[0-9a-f]{24}$/);
  assert.deepEqual([configs[2]!["password"], configs[2]!["deviceNumber"]], ["s3cr3t7", "number-2"]);
  const client = await mqtt({ port: broker.port, username: "token-123", clientId: "any" });
  await client.endAsync(true);
  await cloud.end("SIGTERM");
});

test("bad input is refused by one clear line and exit code 1", async (t) => {
  const blocker = createServer().listen(0, "127.0.0.1");
  t.after(() => void blocker.close());
  await once(blocker, "listening");
  const { port } = blocker.address() as AddressInfo;
  const text = join(folder, "text.bin");
  await writeFile(text, "this file is not firmware");
  const broken = join(folder, "broken.json");
  await writeFile(broken, "{");
  const slip = join(folder, "slip.json");
  await writeFile(slip, '[{"productId":"P1","deviceName":"d1","deviceSecret":\nQUJDREVGR0hJ}]');
  const free = ["--port=0", "--mqtt-port=0"];
  const rows: [string[], RegExp][] = [
    [["--port", "99999"], /A port is 0 to 65535/],
    [["--throttle", "-3"], /whole number above 0/],
    [["--device", "P1"], /deviceName has 1 to 48/],
    [[...free, "--device", "P1/a"], /device a has no secret, and certificates need --tls/],
    [["--device", "P1/a/#"], /deviceSecret is base64/],
    [["--device", "thingspanel/v2/token"], /profile is "v0" or "v1"/],
    [["--device", "thingspanel/v0"], /username is one level of a topic/],
    [["--devices", join(folder, "none.json")], /none\.json can not be read: there is no such file/],
    [["--devices", slip], /slip\.json: is not JSON \(line 2\)$/m],
    [["--devices", broken], /broken\.json: .*JSON/],
    [[...free, join(folder, "none.bin")], /none\.bin: there is no such file/],
    [[...free, text], /text\.bin: not an ESP image .*no version is given \(.*\(text\)\)/],
    [[...free, "--push", "7"], /no firmware of version 7; there is none at all/],
    [[...free, "--packages", text], /packages can not be kept in .*text\.bin/],
    [["--port=0", "--mqtt-port", String(port)], new RegExp(`MQTT: port ${port} on 127\\.0\\.0\\.1 is in use`)],
    [[...free, "--tls", text], /text\.bin can not be a folder for certificates/],
    [[...free, "--tls-cert", text], /--tls-cert and --tls-key belong together/],
    [[...free, "--tls", folder, "--tls-cert", text, "--tls-key", text], /one of them/],
    [[...free, "--tls-cert", text, "--tls-key", text], /text\.bin is no certificate in PEM/],
    [
      [...free, "--tls-cert", join(folder, "none.pem"), "--tls-key", text],
      /none\.pem can not be read: there is no such file/,
    ],
    [["--host", "http://0.0.0.0:8080"], /The name or address alone is expected, "0\.0\.0\.0", and 8080 in an option/],
    [["--public-host", ""], /A host name or an address is expected/],
    [["--public-url", "ota.example.com"], /It is a URL without a path, such as https:\/\/ota\.example\.com/],
    [["--public-url", "https://ota.example.com/xs"], /It is a URL without a path/],
    [["--download-origin", "https://me:pw@ota.example.com"], /It is a URL without a path/],
    [["--nonsense"], /unknown option/],
  ];
  await refusesEach(rows.map(([args, words]) => [["cloud", "--memory", ...args], words]));
});
