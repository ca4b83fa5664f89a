/**
 * Measures one update through `xs-ota weaknet`, in real time: `node --import tsx tests/network/measure-weaknet.ts
 * [seed]`. Prints one line. No test: it takes the three quarters of a minute that 700 KB take at 16 KiB a second.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

const SIZE = 700 * 1024;
const BIN = fileURLToPath(new URL("../../host-sim/bin/xs-ota.mjs", import.meta.url));
const seed = process.argv[2] ?? "1";

const cloud = await createCloud();
await cloud.start();
const link = spawn(
  process.execPath,
  [
    BIN,
    "weaknet",
    "--broker",
    `127.0.0.1:${cloud.mqttPort}`,
    "--files",
    `127.0.0.1:${cloud.httpPort}`,
    "--port",
    "0",
    "--files-port",
    "0",
    "--rate",
    "16384",
    "--latency",
    "40",
    "--jitter",
    "20",
    "--reset-every",
    "20",
    "--stall-every",
    "0",
    "--seed",
    seed,
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const [line] = (await once(createInterface({ input: link.stdout }), "line")) as [string];
const ports = JSON.parse(line) as { broker: { port: number }; files: { port: number } };

const folder = mkdtempSync(join(tmpdir(), "xs-ota-weaknet-"));
const id = cloud.addDevice("tencent", {
  productId: "WEAKNET001",
  deviceName: "cell-edge",
  deviceSecret: "d2VhayBuZXQgc2VjcmV0",
});
cloud.route(id, `http://127.0.0.1:${ports.files.port}`);
const config = join(folder, "device.json");
writeFileSync(
  config,
  JSON.stringify({ ...cloud.deviceConfig(id), mqtt: { host: "127.0.0.1", port: ports.broker.port, tls: false } }),
  { mode: 0o600 },
);
const file = await cloud.packages.add(await sampleImage("0.2.0", undefined, SIZE), { name: "fw.bin" });
const device = spawn(
  process.execPath,
  [BIN, "device", "--config", config, "--state", join(folder, "board"), "--engine", "node"],
  { stdio: ["ignore", "ignore", "inherit"] },
);
const started = performance.now();
const task = await cloud.settled(cloud.push(id, file).id);
const { bytes, requests } = cloud.traffic.total();
process.stdout.write(
  `seed ${seed}: ${task.status} after ${Math.round((performance.now() - started) / 1000)} s, ${cloud.traffic.connections} connections, ${requests} requests, ${bytes} bytes of bodies served: ${(bytes / SIZE).toFixed(3)} of the image\n`,
);
device.kill();
link.kill();
await cloud.stop();
rmSync(folder, { recursive: true, force: true });
