/** Commands whose outputs can not be written: a full disk, or a reader that has gone. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { http, mqtt } from "../cloud/helpers";
import { temporaryFolder } from "../kit/folder";
import { BIN, startXsOta, xsOta } from "../kit/xs-ota";

type Output = "stdout" | "stderr";
/** `/dev/full` is a disk without room for a byte; some systems have none. */
const WAYS = existsSync("/dev/full") ? (["closed", "full"] as const) : (["closed"] as const);

/** The command with that output closed before it writes there, or on a full disk. */
function start(output: Output, way: (typeof WAYS)[number], ...args: string[]): ChildProcess {
  const full = way === "full" ? openSync("/dev/full", "w") : ("pipe" as const);
  const stdio = output === "stdout" ? (["ignore", full, "pipe"] as const) : (["ignore", "pipe", full] as const);
  const child = spawn(process.execPath, [BIN, ...args], { stdio: [...stdio] });
  child[output]?.destroy();
  return child;
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const part of stream) text += String(part);
  return text;
}

for (const way of WAYS) {
  test(`the cloud lives on without its log (${way})`, async () => {
    const args = ["--memory", "--port=0", "--mqtt-port=0", "--new-device", "board-1"];
    const child = start("stderr", way, "cloud", ...args);
    const lines = createInterface({ input: child.stdout! });
    const [line] = (await once(lines, "line")) as [string];
    const { port } = (JSON.parse(line) as { mqtt: { port: number } }).mqtt;
    // It is worth a line of the log that this client is not let in.
    await assert.rejects(mqtt({ port, clientId: "stranger" }));
    await assert.rejects(mqtt({ port, clientId: "stranger" }), /refused|authorized/i);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [0, null]);
  });

  test(`the cloud lives on where a device.json can not be written, and says so (${way})`, async (t) => {
    const state = temporaryFolder(t);
    const args = ["--state", state, "--port=0", "--mqtt-port=0", "--new-device", "board-1"];
    const child = start("stdout", way, "cloud", ...args);
    let said = "";
    let link: string | undefined;
    for await (const line of createInterface({ input: child.stderr! })) {
      said += `${line}\n`;
      link ??= /^console: (\S+)#/.exec(line)?.[1];
      if (line.includes("can not be written")) break;
    }
    assert.match(
      said,
      /^device\.json of tencent\/\w+\/board-1: the output can not be written: (the disk is full|nobody)/m,
    );
    assert.equal((await http(link!)).status, 200);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [0, null]);
  });

  test(`keygen whose public half can not be written leaves no private key (${way})`, async (t) => {
    const folder = temporaryFolder(t);
    const child = start("stdout", way, "keygen", "--out", join(folder, "key.pem"));
    const [said, [code]] = await Promise.all([textOf(child.stderr!), once(child, "close")]);
    assert.match(said, /^error: the output can not be written: [^\n]+\n$/);
    assert.equal(code, 1);
    assert.deepEqual(readdirSync(folder), []);
  });
}

test("a device waits for its file while that is empty, as a shell makes it", async (t) => {
  const folder = temporaryFolder(t);
  const config = join(folder, "device.json");
  const cloud = startXsOta("cloud", "--memory", "--port=0", "--mqtt-port=0", "--new-device", "board-1");
  const text = JSON.stringify(await cloud.line());
  writeFileSync(config, "", { mode: 0o600 });
  const flags = ["--config", config, "--state", join(folder, "board"), "--engine", "node"];
  const child = spawn(process.execPath, [BIN, "device", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  const [said] = (await once(createInterface({ input: child.stderr }), "line")) as [string];
  assert.equal(said, `${config} is empty: waiting for it to be written`);
  writeFileSync(config, text);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  assert.match(line, /^\{"event":"boot"/);
  child.kill("SIGKILL");
  await once(child, "close");
  await cloud.end("SIGTERM");
});

test("an output that is read to its middle is no error of a command that only shows something", async () => {
  const child = start("stdout", "closed", "keygen", "--help");
  const [said, [code]] = await Promise.all([textOf(child.stderr!), once(child, "close")]);
  assert.deepEqual([said, code], ["", 0]);
  assert.match((await xsOta("keygen", "--help")).stdout, /Usage: xs-ota keygen/);
});
