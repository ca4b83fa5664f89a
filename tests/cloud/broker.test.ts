import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import { connect } from "mqtt";
import { generate } from "mqtt-packet";
import { topicMatches } from "../../host-sim/cloud/core/broker/bus";
import { PacketFrames } from "../../host-sim/cloud/core/broker/packet-limit";
import { Board, BOARD, BOARD_ID, closing, credentials, mqtt, REPORT, UPDATE, withCloud } from "./helpers";

test("topic filters: MQTT 3.1.1, section 4.7", () => {
  const rows: [string, string, boolean][] = [
    ["a/b", "a/b", true],
    ["a/b", "a/c", false],
    ["a/b", "a/b/c", false],
    ["a/b/c", "a/b", false],
    ["a/+", "a/b", true],
    ["a/+", "a/", true],
    ["a/+", "a", false],
    ["a/+/c", "a/b/c", true],
    ["a/#", "a/b/c", true],
    ["a/#", "a", true],
    ["a/#", "ab", false],
    ["#", "a/b", true],
    ["#", "$ota/report", false],
    ["+/report", "$ota/report", false],
    ["$ota/report/+/+", "$ota/report/p/d", true],
    ["$ota/report/+/+", "$ota/report/p/d/e", false],
  ];
  for (const [filter, topic, wanted] of rows) assert.equal(topicMatches(filter, topic), wanted, `${filter} ${topic}`);
});

test("packets are followed however their bytes are cut, and a long one is noticed by its length alone", () => {
  const packets = fc.array(fc.nat(300), { maxLength: 8 });
  fc.assert(
    fc.property(packets, fc.nat(400), fc.infiniteStream(fc.integer({ min: 1, max: 50 })), (sizes, limit, cuts) => {
      const bytes = Buffer.concat(
        sizes.map((size) =>
          generate({
            cmd: "publish",
            topic: "t",
            payload: Buffer.alloc(size, 0xff),
            qos: 0,
            dup: false,
            retain: false,
          }),
        ),
      );
      const frames = new PacketFrames(limit);
      let accepted = true;
      for (let at = 0; at < bytes.length && accepted;) {
        const size = cuts.next().value as number;
        accepted = frames.accept(bytes.subarray(at, at + size));
        at += size;
      }
      // A publish to "t" carries three bytes before its payload.
      assert.equal(
        accepted,
        sizes.every((size) => size + 3 <= limit),
      );
    }),
  );
  assert.equal(new PacketFrames(1000).accept(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01)), false);
});

test("a packet longer than the limit ends the connection before its body has come", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    const closed = closing(board.client);
    await board.client.publishAsync(REPORT, "x".repeat(16_000), { qos: 1 });
    assert.equal(cloud.devices.messages(BOARD_ID)[0]?.payload.length, 16_000);
    // A fixed header that announces 200 MiB, and no more.
    board.client.stream.write(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x64]));
    await closed;
    assert.equal(cloud.devices.get(BOARD_ID)?.online, false);
  });
});

test("what is no MQTT, and what speaks before CONNECT, is shut out", async () => {
  await withCloud({}, async (cloud) => {
    for (const opening of ["GET / HTTP/1.1\r\n\r\n", "\xff\xff\xff\xff\xff", "\x30\x05\x00\x01tXX"]) {
      const socket = connectTcp(cloud.mqttPort, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(opening, "latin1");
      socket.resume();
      await once(socket, "close");
    }
  });
});

test("sessions are clean, and neither wills nor retained messages stay", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const will = { topic: REPORT, payload: Buffer.from("will"), qos: 1 as const, retain: true };
    const client = await mqtt({ port: cloud.mqttPort, ...credentials(BOARD), clean: false, will });
    await client.subscribeAsync(UPDATE, { qos: 1 });
    await client.publishAsync(REPORT, "kept?", { qos: 1, retain: true });
    const gone = once(cloud, "device");
    client.stream.destroy();
    await gone;
    assert.equal(cloud.devices.get(BOARD_ID)?.online, false);
    const again = connect({ host: "127.0.0.1", port: cloud.mqttPort, ...credentials(BOARD), clean: false });
    const [{ sessionPresent }] = await new Promise<[{ sessionPresent: boolean }]>((resolve) => {
      again.once("connect", (...connack) => resolve(connack));
    });
    assert.equal(sessionPresent, false);
    await again.publishAsync(REPORT, "second", { qos: 1 });
    assert.deepEqual(
      cloud.devices.messages(BOARD_ID).map(({ payload }) => payload),
      ["kept?", "second"],
    );
    await again.endAsync(true);
  });
});

test("the console's cut ends one connection", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const board = await Board.connect(cloud);
    const closed = closing(board.client);
    cloud.disconnect(credentials(BOARD).clientId);
    await closed;
  });
});

test("two hundred takeovers in a row leave one connection, online", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const boards = await Promise.all(
      Array.from({ length: 200 }, () => mqtt({ port: cloud.mqttPort, ...credentials(BOARD) }).catch(() => undefined)),
    );
    const last = await Board.connect(cloud);
    await last.version("1");
    assert.equal((await last.next())["version"], "1");
    assert.equal(cloud.devices.get(BOARD_ID)?.online, true);
    await Promise.all(
      boards.map(async (client) => {
        if (client?.connected) await closing(client);
      }),
    );
    assert.equal(cloud.devices.get(BOARD_ID)?.online, true);
    const cut = closing(last.client);
    cloud.disconnect(credentials(BOARD).clientId);
    await cut;
  });
});
