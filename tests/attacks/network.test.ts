/** A man in the middle between device and broker: with his own certificate, or on an unencrypted connection. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { generate } from "mqtt-packet";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { Authority, tlsIdentity } from "../../host-sim/cloud/core/listeners/certificates";
import type { Credentials } from "../../host-sim/cloud/core/listeners/certificates";
import { BOARD, BOARD_ID, UPDATE } from "../cloud/helpers";
import { signed } from "../signature/test-keys";
import { Bench, firmware, good, stranger } from "./bench";
import type { BenchOptions } from "./bench";
import { Wire } from "./wire";

/** A board that connects to the broker through the attacker's relay. */
async function tapped(t: TestContext, options: BenchOptions = {}): Promise<{ bench: Bench; wire: Wire }> {
  // device.json needs the wire's port, the wire needs the broker's.
  const wire = await Wire.open(t, 0);
  const bench = await Bench.start(t, {
    ...options,
    json: (cloud) => {
      wire.target = options.tls === true ? cloud.mqttsPort : cloud.mqttPort;
      const { mqtt } = cloud.deviceConfig(BOARD_ID, options.tls === true ? "root.pem" : undefined) as {
        readonly mqtt: object;
      };
      return { mqtt: { ...mqtt, port: wire.port } };
    },
  });
  return { bench, wire };
}

for (const [name, make] of [
  ["of another authority", async () => (await Authority.create("ec")).server(["127.0.0.1"])],
  [
    "that has expired",
    (ours: Authority) =>
      ours.server(["127.0.0.1"], {
        notBefore: new Date(Date.now() - 2 * 86_400_000),
        notAfter: new Date(Date.now() - 86_400_000),
      }),
  ],
  ["for another host", (ours: Authority) => ours.server(["broker.example"])],
  ["of a device, not of a server", (ours: Authority) => ours.client("127.0.0.1")],
] as const) {
  test(`mqtt: a broker with a certificate ${name} gets no byte, and the device connects to the right one afterwards`, async (t) => {
    const { bench, wire } = await tapped(t, { tls: true });
    const impostor = await tlsServer(t, await make(bench.cloud.tls!.authority!));
    await bench.repelled(async () => {
      const right = wire.target;
      wire.target = impostor.port;
      wire.cut();
      // The connection that was ended, and three attempts after it.
      await wire.ended(4);
      wire.target = right;
    });
    assert.equal(impostor.heard(), "");
  });
}

test("mqtt: a device with TLS does not connect to a plain broker", async (t) => {
  const { bench, wire } = await tapped(t, { tls: true });
  const plain = bench.cloud.mqttPort;
  await bench.repelled(async () => {
    const right = wire.target;
    wire.target = plain;
    wire.cut();
    await wire.ended(4);
    wire.target = right;
  });
  assert.ok(!wire.heard().includes("hmacsha256"), "the password went out in clear");
});

async function tlsServer(
  t: TestContext,
  identity: Credentials,
): Promise<{ readonly port: number; readonly heard: () => string }> {
  let heard = "";
  const server = createServer(tlsIdentity(identity, "", false).server, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => (heard += bytes.toString("latin1")));
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, heard: () => heard };
}

/** Serves one file, with ranges. */
async function fileServer(t: TestContext, file: Uint8Array): Promise<string> {
  const server = createHttpServer((request, response) => {
    const [, start = "0", end = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    const body = file.subarray(Number(start), Math.min(Number(end), file.length - 1) + 1);
    response
      .writeHead(206, {
        "Content-Range": `bytes ${start}-${Number(start) + body.length - 1}/${file.length}`,
        "Content-Length": body.length,
      })
      .end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/forged.bin`;
}

/** Bytes of a message as the platform would send it. */
const packet = (message: object): Uint8Array =>
  generate({ cmd: "publish", topic: UPDATE, payload: JSON.stringify(message), qos: 0, dup: false, retain: false });

async function offerOf(t: TestContext, file: Uint8Array, version: string): Promise<object> {
  return {
    file_size: file.length,
    md5sum: createHash("md5").update(file).digest("hex"),
    type: "update_firmware",
    url: await fileServer(t, file),
    version,
  };
}

for (const [name, engine] of [
  ["Node", undefined],
  ["XS", createXsEngine],
] as const) {
  test(`plain mqtt: an injected offer of a forged image is downloaded, refused and reported (${name})`, async (t) => {
    const { bench, wire } = await tapped(t, engine === undefined ? {} : { engine });
    const forged = signed(await firmware("6.6.6"), stranger);
    const message = packet(await offerOf(t, forged, "6.6.6"));
    await bench.repelled(
      async () => {
        wire.inject(message);
        while (bench.ends().length === 0) await once(bench.cloud, "message");
      },
      { code: -5, message: /^signed by a key that is not trusted here$/ },
    );
    // The cloud has no such offer: a report about it shows the attack.
    assert.ok(bench.cloud.violations().length > 0);
    assert.ok(bench.cloud.violations().every(({ rule }) => rule === "reported on a version that was not pushed"));
  });
}

test("plain mqtt: an injected old release is refused", async (t) => {
  const { bench, wire } = await tapped(t);
  const message = packet(await offerOf(t, await good("0.0.9"), "0.0.9"));
  await bench.repelled(
    async () => {
      wire.inject(message);
      while (bench.ends().length === 0) await once(bench.cloud, "message");
    },
    { code: -5, message: /^version 0\.0\.9 is older than the running 0\.1\.0/ },
  );
});

test("plain mqtt: old offers injected during a good update do not stop it", async (t) => {
  const { bench, wire } = await tapped(t, { throttle: 60_000 });
  await bench.listening();
  const stale = packet(await offerOf(t, await good("0.0.9"), "0.0.9"));
  const file = await bench.cloud.packages.add(await good("0.2.0"));
  const task = bench.cloud.push(bench.device, file);
  await bench.eventLog.until("offer");
  for (let n = 0; n < 5; n++) wire.inject(stale);
  assert.equal((await bench.cloud.settled(task.id)).status, "success");
  const versions = bench.ends().map(({ version }) => version);
  assert.deepEqual(
    [versions[0], versions.at(-1)],
    ["0.0.9", "0.2.0"],
    "the stale offers were answered before the good update ended",
  );
  assert.equal(bench.cloud.traffic.ofPackage(file.id).bytes, file.size, "the download did not begin anew");
});

test("plain mqtt: garbage in the stream ends the connection, not the agent", async (t) => {
  const { bench, wire } = await tapped(t);
  await bench.repelled(async () => {
    wire.inject(Buffer.from("f0ff".repeat(300), "hex"));
    await wire.ended(1);
  });
});

test("plain mqtt: the recorded bytes contain no secret of the device", async (t) => {
  const { bench, wire } = await tapped(t);
  await bench.listening();
  const heard = wire.heard();
  const secret = Buffer.from(BOARD.deviceSecret, "base64");
  assert.ok(heard.length > 100);
  for (const form of [Buffer.from(BOARD.deviceSecret), secret, Buffer.from(secret.toString("hex"))])
    assert.equal(heard.indexOf(form), -1);
});
