import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import { Board, BOARD, BOARD_ID, closing, credentials, firmware, http, mqtt, withCloud } from "./helpers";

async function update(cloud: Cloud): Promise<string> {
  const file = await cloud.packages.add(firmware(20_000), { version: "2" });
  cloud.push(BOARD_ID, file);
  return file.id;
}

/** Rejects unless something listens there. */
async function knock(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
}

for (const kind of ["ec", "rsa"] as const) {
  test(`TLS with ${kind} keys: verified by name, address and root; the chain holds leaf and root`, async () => {
    await withCloud({ tls: { kind } }, async (cloud) => {
      cloud.addDevice("tencent", BOARD);
      const root = cloud.root!;
      const { httpsPort, mqttsPort } = cloud;
      for (const host of ["localhost", "127.0.0.1"]) {
        const client = await mqtt({ protocol: "mqtts", host, port: mqttsPort, ca: root, ...credentials(BOARD) });
        await client.endAsync(true);
      }
      await assert.rejects(mqtt({ protocol: "mqtts", port: mqttsPort, ...credentials(BOARD) }), /self.signed/);
      const other = (await Authority.create(kind)).root;
      await assert.rejects(
        mqtt({ protocol: "mqtts", port: mqttsPort, ca: other, ...credentials(BOARD) }),
        /certificate/,
      );
      const named = { port: mqttsPort, host: "127.0.0.1", ca: root, servername: "elsewhere.example" };
      const [error] = (await once(connectTls(named), "error")) as [NodeJS.ErrnoException];
      assert.equal(error.code, "ERR_TLS_CERT_ALTNAME_INVALID");

      const socket = connectTls({ host: "127.0.0.1", port: httpsPort, ca: root, maxVersion: "TLSv1.2" });
      await once(socket, "secureConnect");
      const leaf = socket.getPeerCertificate(true);
      assert.notEqual(leaf.fingerprint256, leaf.issuerCertificate.fingerprint256);
      assert.equal(leaf.issuerCertificate.subject.CN, leaf.issuer.CN);
      socket.destroy();
    });
  });
}

test("with TLS the offer's URL is https, and what it names is there", async () => {
  await withCloud({ tls: { kind: "ec" } }, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    await update(cloud);
    const options = { protocol: "mqtts", port: cloud.mqttsPort, ca: cloud.root!, ...credentials(BOARD) } as const;
    const board = new Board(await mqtt(options));
    await board.client.subscribeAsync("$ota/update/A1B2C3D4E5/ota-bench-01");
    await board.version("1");
    await board.next();
    const url = String((await board.next())["url"]);
    assert.ok(url.startsWith(`https://127.0.0.1:${cloud.httpsPort}/`));
    assert.equal((await http(url, { ca: cloud.root! })).body.length, 20_000);
    await board.leave();
  });
});

test("certificate mode: the device's own certificate and nobody else's, beside devices with keys", async () => {
  await withCloud({ tls: { kind: "ec", clientCertificates: true } }, async (cloud) => {
    const device = { productId: "A1B2C3D4E5", deviceName: "cert-board" };
    cloud.addDevice("tencent", device);
    cloud.addDevice("tencent", BOARD);
    const { clientId, username } = credentials({ ...device, deviceSecret: "AAAA" });
    const base = { protocol: "mqtts", port: cloud.mqttsPort, ca: cloud.root! } as const;
    const own = await cloud.tls!.authority!.client(clientId);
    const good = await mqtt({ ...base, clientId, username, key: own.key, cert: own.certificate });
    await good.endAsync(true);
    const other = await cloud.tls!.authority!.client("A1B2C3D4E5somebody");
    await assert.rejects(
      mqtt({ ...base, clientId, username, key: other.key, cert: other.certificate }),
      /Bad username/,
    );
    const foreign = await (await Authority.create("ec")).client(clientId);
    await assert.rejects(
      mqtt({ ...base, clientId, username, key: foreign.key, cert: foreign.certificate }),
      /Bad username/,
    );
    await assert.rejects(mqtt({ ...base, clientId, username }), /Bad username/);
    await assert.rejects(mqtt({ port: cloud.mqttPort, clientId, username }), /Bad username/);
    await (await mqtt({ ...base, ...credentials(BOARD) })).endAsync(true);
    assert.deepEqual(cloud.deviceConfig("tencent/A1B2C3D4E5/cert-board", "root.pem"), {
      platform: "tencent",
      mqtt: { host: "127.0.0.1", port: cloud.mqttsPort, tls: true, ca: "root.pem" },
      https: { ca: "root.pem" },
      auth_mode: "CERT",
      ...device,
      cert_deviceinfo: { devCertFile: "cert-board.crt.pem", devPrivateKeyFile: "cert-board.key.pem" },
    });
  });
});

test("an authority is the same after its texts were kept", async () => {
  const kept = await Authority.create("ec");
  const authority = await Authority.load(kept.root, kept.keyPem);
  await withCloud({ tls: { authority } }, async (cloud) => {
    assert.equal(cloud.root, kept.root);
    assert.equal((await http(`https://localhost:${cloud.httpsPort}/`, { ca: kept.root })).status, 403);
  });
});

test("stopping frees the ports and cuts everybody off; starting again takes the same ports and knows what it knew", async () => {
  const cloud = await createCloud({ throttle: 50_000 });
  cloud.addDevice("tencent", BOARD);
  await cloud.start();
  const { mqttPort, httpPort } = cloud;
  const id = await update(cloud);
  const board = await Board.connect(cloud);
  await board.version("1");
  await board.next();
  const url = String((await board.next())["url"]);
  const cut = assert.rejects(http(url));
  const closed = closing(board.client);
  await cloud.stop();
  await Promise.all([cut, closed]);
  assert.equal(cloud.devices.get(BOARD_ID)?.online, false);
  await assert.rejects(knock(mqttPort));
  await assert.rejects(knock(httpPort));
  assert.deepEqual([cloud.mqttPort, cloud.httpPort], [0, 0]);

  await cloud.start();
  assert.deepEqual([cloud.mqttPort, cloud.httpPort], [mqttPort, httpPort]);
  cloud.files.throttle = undefined;
  assert.equal((await http(url)).body.length, 20_000);
  const again = await Board.connect(cloud);
  await again.version("1");
  await again.next();
  assert.equal((await again.next())["version"], "2");
  assert.equal(cloud.packages.get(id)?.size, 20_000);
  await again.leave();
  await cloud.stop();
  await cloud.stop();
});

test("a port in use is one clear line, and nothing is left listening", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const { port } = blocker.address() as AddressInfo;
  const cloud = await createCloud({ mqttPort: port });
  await assert.rejects(cloud.start(), { message: `MQTT: port ${port} on 127.0.0.1 is in use` });
  assert.equal(cloud.httpPort, 0);
  await assert.rejects((await createCloud({ httpPort: port })).start(), {
    message: `HTTP: port ${port} on 127.0.0.1 is in use`,
  });
  await assert.rejects((await createCloud({ host: "192.0.2.1" })).start(), /the address is not one of this machine/);
  blocker.close();
  await once(blocker, "close");
  await cloud.start();
  assert.equal(cloud.mqttPort, port);
  await cloud.stop();
});

test("listeners that are not wanted are not there", async () => {
  await withCloud({ mqttPort: false, httpPort: false, tls: { kind: "ec" } }, async (cloud) => {
    assert.deepEqual([cloud.mqttPort, cloud.httpPort], [0, 0]);
    await knock(cloud.mqttsPort);
    await knock(cloud.httpsPort);
  });
});

test("device.json for plain TCP is that of the contract", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    assert.deepEqual(cloud.deviceConfig(BOARD_ID), {
      platform: "tencent",
      mqtt: { host: "127.0.0.1", port: cloud.mqttPort, tls: false },
      auth_mode: "KEY",
      productId: "A1B2C3D4E5",
      deviceName: "ota-bench-01",
      key_deviceinfo: { deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
    });
  });
});
