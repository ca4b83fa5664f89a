/** Behind its ports: a client library as the device, a download over MQTT and HTTP, a restart of the server. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { MqttClient } from "mqtt";
import { closing, mqtt } from "../../cloud/helpers";
import { RawClient } from "../http/raw-client";
import { image } from "./device";
import { ThingsBoardDouble } from "./server";

const IMAGE = image("1.0.0", 700_000);
const SIZE = 4_096;

async function running(
  t: TestContext,
): Promise<{ double: ThingsBoardDouble; token: string; dial(): Promise<MqttClient> }> {
  const double = new ThingsBoardDouble();
  await double.start();
  t.after(() => double.stop());
  const { operator } = double;
  const profile = await operator.createProfile("xs");
  const { id, accessToken } = await operator.createDevice("dev-1", profile);
  await operator.assign(id, await operator.upload(profile, { title: "xs-app", version: "1.0.0", bytes: IMAGE }));
  const dial = async (): Promise<MqttClient> => {
    const client = await mqtt({ port: operator.mqtt.port, username: accessToken });
    t.after(() => client.end(true));
    // At QoS 1 each chunk costs 44 ms here as there (fact 30): the server's TCP waits for an acknowledgement.
    await client.subscribeAsync("v2/fw/response/+/chunk/+", { qos: 0 });
    return client;
  };
  return { double, token: accessToken, dial };
}

/** Chunk by chunk, from the one that is named. */
async function download(client: MqttClient, id: number, from: number, to: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for (let chunk = from; chunk < to; chunk++) {
    const came = new Promise<[string, Buffer]>((resolve) =>
      client.once("message", (...message) => resolve([message[0], message[1]])),
    );
    client.publish(`v2/fw/request/${id}/chunk/${chunk}`, String(SIZE), { qos: 0 });
    const [topic, payload] = await came;
    assert.equal(topic, `v2/fw/response/${id}/chunk/${chunk}`);
    chunks.push(payload);
  }
  return chunks;
}

test("a download over MQTT, over a restart of the server: 171 chunks, the last of 3,680 bytes", async (t) => {
  const { double, dial } = await running(t);
  const client = await dial();
  const first = await download(client, 1, 0, 100);
  const closed = closing(client);
  await double.operator.restart!();
  await closed;
  const rest = await download(await dial(), 1, 100, 172);
  const [last, beyond] = rest.slice(-2);
  assert.deepEqual([last!.length, beyond!.length], [3_680, 0]);
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  assert.equal(sha256(Buffer.concat([...first, ...rest])), sha256(IMAGE));
});

test("over HTTP an error closes the connection, and two ranges break it within the body", async (t) => {
  const { double, token } = await running(t);
  const ask = (version: string, ...lines: readonly string[]): string =>
    [`GET /api/v1/${token}/firmware?title=xs-app&version=${version} HTTP/1.1`, "Host: x", ...lines, "", ""].join(
      "\r\n",
    );
  // What stands behind is answered only where the connection is left open.
  const behind = ask("1.0.0", "Range: bytes=0-0", "Connection: close");
  const exchange = async (text: string): Promise<string> => {
    const client = await RawClient.open(double.operator.server);
    client.send(text + behind);
    return client.closed();
  };
  const refused = await exchange(ask("1.0.1"));
  assert.match(refused, /^HTTP\/1\.1 400 \r\n(?:.+\r\n)*Connection: close\r\n(?:.+\r\n)*\r\n$/);
  const broken = await exchange(ask("1.0.0", "Range: bytes=0-1,5-6"));
  const [head = "", body = ""] = broken.split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 206 \r\n/);
  assert.ok(body.length < Number(/Content-Length: (\d+)/i.exec(head)![1]));
  const whole = await exchange(ask("1.0.0"));
  assert.match(whole, /Content-Length: 700000\r\n/i);
  assert.match(whole, /content-range: bytes 0-0\/700000\r\n/i);
});
