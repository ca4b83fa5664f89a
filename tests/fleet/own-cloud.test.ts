/** A cloud that is started for one purpose ends with who started it, however that ends. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../kit/folder";

const OWNER = `
  import { OwnCloud } from "${new URL("../../host-sim/cloud/fleet/own-cloud", import.meta.url).href}";
  const cloud = new OwnCloud(process.argv[1], ["--engine", "node"]);
  await cloud.start();
  console.log(cloud.url);
`;

test("a cloud whose owner is killed closes its ports and ends", async (t) => {
  const args = ["--import", "tsx", "--input-type=module", "--eval", OWNER, join(temporaryFolder(t), "cloud")];
  const owner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = (await once(createInterface({ input: owner.stdout }), "line")) as [string];
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket.resume(), "close");
  owner.kill("SIGKILL");
  await closed;
  const [error] = (await once(connect(Number(new URL(url).port), "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
});
