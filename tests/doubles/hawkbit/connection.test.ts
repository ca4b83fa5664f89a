/** Facts 7 to 11 and trap 5 of hawkbit.md: what is on the wire, seen by a client that is nothing but a socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as requestTls } from "node:https";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { selfSigned } from "../../../host-sim/cloud/core/listeners/certificates";
import { RawClient } from "../http/raw-client";
import { newBench } from "./device";
import type { Bench } from "./device";
import type { HawkbitOptions } from "./server";

interface Running extends Bench {
  readonly client: RawClient;
  /** Text of a request. */
  ask(method: string, path: string, ...lines: readonly string[]): string;
}

async function running(t: TestContext, options?: HawkbitOptions): Promise<Running> {
  const bench = await newBench(options);
  const { double, device } = bench;
  await double.start();
  t.after(() => double.stop());
  const client = await RawClient.open(double.url);
  t.after(() => client.socket.destroy());
  const ask = (method: string, path: string, ...lines: readonly string[]): string =>
    [
      `${method} ${device.base}${path} HTTP/1.1`,
      "Host: hb.example",
      `Authorization: ${device.authorization}`,
      ...lines,
      "",
      "",
    ].join("\r\n");
  return { ...bench, client, ask };
}

const answers = (text: string): number => text.split("HTTP/1.1 ").length - 1;

test("an empty reason phrase, no keep-alive header, and a length also where there is no body", async (t) => {
  const { client, ask } = await running(t);
  client.send(ask("GET", "").replace("TargetToken", "TargetToken x"));
  client.send(ask("GET", "", "Connection: close"));
  const text = await client.closed();
  assert.match(text, /^HTTP\/1\.1 401 \r\n/);
  assert.match(text, /\r\nContent-Length: 0\r\n/i);
  assert.match(text, /HTTP\/1\.1 200 \r\n/);
  assert.doesNotMatch(text, /keep-alive/i);
  assert.match(text, /\r\nConnection: close\r\n/);
});

test("trap 5: the 100th answer closes, and what was pipelined behind it is dropped unanswered and undone", async (t) => {
  const { client, ask, double, assign } = await running(t);
  await assign("1.0.0");
  const file = "/softwaremodules/1/artifacts/app-1.0.0.bin";
  const range = (at: number): string => ask("GET", file, `Range: bytes=${at}-${at}`);
  client.send(Array.from({ length: 104 }, (_, at) => range(at)).join("") + ask("GET", "", "Connection: close"));
  const text = await client.closed();
  assert.equal(answers(text), 100);
  assert.match(text, /Content-Range: bytes 99-99\/10000\r\n(?:.+\r\n)*Connection: close/);
  assert.equal(text.split("Connection: close").length, 2, "only the last says so");
  assert.equal(double.exchanges.length, 100);
});

test("fact 53: the head of a download has 462 bytes, that of a range 490 to 503", async (t) => {
  const { client, ask, double } = await running(t);
  const order = { name: "xs-app", version: "1.0.0", part: "firmware", fileName: "app-1.0.0.bin" };
  await double.operator.assign("dev-1", await double.operator.upload({ ...order, bytes: new Uint8Array(700_000) }));
  const file = "/softwaremodules/1/artifacts/app-1.0.0.bin";
  client.send(
    ask("HEAD", file) + ask("GET", file, "Range: bytes=0-0") + ask("GET", file, "Range: bytes=655360-659455"),
  );
  client.send(ask("HEAD", file, "Connection: close"));
  const heads = (await client.closed()).match(/HTTP\/1\.1 20(?:.|\r\n)+?\r\n\r\n/g)!.map(({ length }) => length);
  assert.deepEqual(heads.slice(0, 3), [462, 490, 503]);
});

test("pipelined requests are answered in order, also a GET behind a POST", async (t) => {
  const { client, ask, assign } = await running(t);
  const id = await assign("1.0.0");
  const body = JSON.stringify({ status: { execution: "proceeding", result: { finished: "none" } } });
  const post = ask(
    "POST",
    `/deploymentBase/${id}/feedback`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  );
  client.send(post + body + ask("GET", "/deploymentBase/77") + ask("GET", "", "Connection: close"));
  const text = await client.closed();
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
});

test("trap 13: a JSON error of the download path comes in chunks", async (t) => {
  const { client, ask } = await running(t);
  client.send(ask("GET", "/softwaremodules/1/artifacts/x", "Connection: close"));
  const text = await client.closed();
  assert.match(text, /\r\nTransfer-Encoding: chunked\r\n/);
  assert.doesNotMatch(text, /Content-Length/i);
  assert.match(text, /\r\n\r\n[0-9a-f]+\r\n\{"errorCode":.*\}\r\n0\r\n\r\n$/s);
});

test("a 304 has neither a length nor a body", async (t) => {
  const { client, ask } = await running(t);
  client.send(ask("GET", ""));
  const [, etag] = /ETag: (\S+)/.exec(await client.until(/configData"\}\}\}/))!;
  client.send(ask("GET", "", `If-None-Match: ${etag}`, "Connection: close"));
  const text = await client.closed();
  assert.match(text, /HTTP\/1\.1 304 \r\n(?:(?!Content-Length).+\r\n)+\r\n$/);
});

test("a broken request is 400 in HTML and closes: no Host, a head of more than 8 KB", async (t) => {
  for (const [line, value] of [
    ["Host: hb.example\r\n", ""],
    ["Host:", `X: ${"a".repeat(9_000)}\r\nHost:`],
  ] as const) {
    const { client, ask } = await running(t);
    client.send(ask("GET", "").replace(line, value));
    const text = await client.closed();
    assert.match(text, /^HTTP\/1\.1 400 \r\nContent-Type: text\/html/);
  }
});

test("a body that could not be read closes the connection", async (t) => {
  const { client, ask, assign } = await running(t);
  const id = await assign("1.0.0");
  client.send(
    `${ask("POST", `/deploymentBase/${id}/feedback`, "Content-Type: application/json", "Content-Length: 1")}{`,
  );
  const text = await client.closed();
  assert.match(text, /^HTTP\/1\.1 400 \r\n/);
  assert.match(text, /Connection: close/);
});

test("HTTP/1.0 is answered and closed; a chunked body is read", async (t) => {
  const { client, ask, device, double } = await running(t);
  const head = ask("PUT", "/configData", "Content-Type: application/json", "Transfer-Encoding: chunked");
  client.send(`${head}6\r\n{"data\r\n9\r\n":{"a":1}\r\n1\r\n}\r\n0\r\n\r\n`);
  await client.until(/\r\n\r\n/);
  client.send(ask("GET", "").replace("HTTP/1.1", "HTTP/1.0"));
  assert.equal(answers(await client.closed()), 2);
  assert.deepEqual((await double.operator.device(device.controllerId)).attributes, { a: "1" });
});

test("fact 38: a report whose connection drops after its body is taken, one with half a body is not", async (t) => {
  const { client, ask, assign, double } = await running(t);
  const id = await assign("1.0.0");
  const body = JSON.stringify({ status: { execution: "closed", result: { finished: "failure" } } });
  const head = ask(
    "POST",
    `/deploymentBase/${id}/feedback`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  );
  client.send(head + body.slice(0, 20));
  client.socket.end();
  await client.closed();
  assert.equal((await double.operator.action("dev-1", id)).active, true);
  const other = await RawClient.open(double.url);
  other.socket.end(head + body);
  await other.closed();
  assert.equal((await double.operator.action("dev-1", id)).status, "error");
});

test("a restart closes connections and keeps records and port", async (t) => {
  const { client, ask, assign, double } = await running(t);
  const id = await assign("1.0.0");
  const { url } = double;
  await double.operator.restart!();
  await client.closed();
  assert.equal(double.url, url);
  const again = await RawClient.open(url);
  again.send(ask("GET", "", "Connection: close"));
  assert.match(await again.closed(), new RegExp(`deploymentBase/${id}`));
  assert.equal(double.connections, 2);
});

test("over TLS links are https, and an artifact's is still called download-http", async (t) => {
  const { key, certificate } = await selfSigned(["127.0.0.1"]);
  const { double, device, assign } = await newBench({ tls: { key, cert: certificate } });
  await double.start();
  t.after(() => double.stop());
  const id = await assign("1.0.0");
  const options = { headers: { Authorization: device.authorization }, rejectUnauthorized: false };
  const asked = requestTls(`${double.url}${device.base}/deploymentBase/${id}`, options).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const part of response) text += String(part);
  assert.ok(text.includes(`"download-http":{"href":"${double.url}/DEFAULT`), text);
});
