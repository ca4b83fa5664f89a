/** `npm run test:mosquitto-console`: the browser's walk through the console, with a stock Mosquitto as the broker. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const PROGRAM =
  process.env["MOSQUITTO"] ??
  ["/usr/sbin/mosquitto", "mosquitto"].find((path) => spawnSync(path, ["-h"]).error === undefined);
if (PROGRAM === undefined) {
  console.error("error: there is no mosquitto; on Debian and Ubuntu: apt-get install -y mosquitto");
  process.exit(1);
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

async function listens(port) {
  for (let tries = 0; tries < 100; tries++) {
    const answered = await new Promise((done) => {
      const socket = connect(port, "127.0.0.1", () => done(true)).once("error", () => done(false));
      socket.unref();
    });
    if (answered) return;
    await wait(100);
  }
  throw new Error(`mosquitto does not listen on port ${port}`);
}

const folder = mkdtempSync(join(tmpdir(), "xs-ota-mosquitto-"));
const port = await freePort();
// Everything else as it comes.
writeFileSync(join(folder, "mosquitto.conf"), `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`);
const broker = spawn(PROGRAM, ["-c", join(folder, "mosquitto.conf")], { stdio: ["ignore", "ignore", "inherit"] });
try {
  await listens(port);
  const flags = ["--import", "tsx", "--test", "--test-reporter=spec", join("tests", "console", "browser.test.ts")];
  const env = { ...process.env, XS_OTA_TEST_BROKER: `mqtt://127.0.0.1:${port}` };
  const { status } = spawnSync(process.execPath, flags, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"], env });
  process.exitCode = status ?? 1;
} finally {
  broker.kill();
  rmSync(folder, { recursive: true, force: true });
}
