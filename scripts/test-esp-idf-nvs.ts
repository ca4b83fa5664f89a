/**
 * The NVS images of `xs-ota provision` against ESP-IDF's own generator: 1,000 devices, byte for byte. With esptool, also
 * the merged image of a board against what esptool merges.
 *
 *     npm run test:esp-idf-nvs        needs Python with the package esp-idf-nvs-partition-gen; PYTHON names another one
 */
import { spawnSync } from "node:child_process";
import { X509Certificate, createHash, createPrivateKey } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProgram } from "../host-sim/cli/program";
import { SETTINGS } from "../host-sim/board/firmware/settings";
import { mergedAlike } from "./esp-idf-nvs/merged";
import { Authority } from "../host-sim/cloud/core/listeners/certificates";

const DEVICES = 1_000;
const SIZE = 0x4000;
const PYTHON = process.env["PYTHON"] ?? "python3";
const GENERATOR = fileURLToPath(new URL("esp-idf-nvs/generate.py", import.meta.url));
const INSTALL = "python3 -m venv venv && venv/bin/pip install esp-idf-nvs-partition-gen, then PYTHON=venv/bin/python3";

const folder = mkdtempSync(join(tmpdir(), "xs-ota-nvs-"));
try {
  const { certificate: chain, key: pem } = await (await Authority.create("rsa")).client("device.test");
  const certificate = new X509Certificate(chain).toString();
  const key = createPrivateKey(pem).export({ type: "pkcs8", format: "pem" }).toString();
  const devices = Array.from({ length: DEVICES }, (_, index) => deviceOf(index, certificate, key));
  const theirs = generated(devices);
  const ours = await provisioned(devices);
  const different = devices.filter(([name]) => !theirs(name).equals(ours(name)));
  for (const [name] of different.slice(0, 5)) console.log(`${name}: different`);
  console.log(`${DEVICES - different.length} of ${DEVICES} NVS images are equal, byte for byte`);
  const merged = await mergedAlike(PYTHON, folder, provision);
  console.log(
    merged === undefined
      ? "esptool is not installed beside it: the merged image was not compared"
      : `the merged image is ${merged ? "that" : "not that"} of esptool merge-bin`,
  );
  if (different.length > 0 || merged === false) process.exitCode = 1;
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

type Device = readonly [name: string, settings: ReadonlyMap<string, string>];

/** By its number, so that a run can be repeated. Every length of a string near the end of a page comes up. */
function deviceOf(index: number, certificate: string, key: string): Device {
  const name = `line-${index % 7}-${index}`;
  const noise = (label: string): Buffer => createHash("sha512").update(`${label} ${index}`).digest();
  const settings = new Map([
    ["platform", "tencent"],
    ["productId", "A1B2C3D4E5"],
    ["deviceName", name],
    ["ssid", `工厂, "${index}"`],
    [
      "password",
      noise("wifi")
        .toString("base64")
        .repeat(1 + (index % 3)),
    ],
  ]);
  if (index % 3 === 0) return [name, plus(settings, { authMode: "CERT", devCertFile: certificate, devKeyFile: key })];
  const sntp = "a".repeat((index * 37) % 3_900);
  return [name, plus(settings, { deviceSecret: noise("secret").toString("base64"), ...(sntp === "" ? {} : { sntp }) })];
}

function plus(settings: ReadonlyMap<string, string>, more: Readonly<Record<string, string>>): Map<string, string> {
  return new Map([...settings, ...Object.entries(more)]);
}

function generated(devices: readonly Device[]): (name: string) => Buffer {
  const at = join(folder, "theirs");
  mkdirSync(at);
  for (const [name, settings] of devices) {
    const entries = [...settings].sort(([, a], [, b]) => Buffer.byteLength(b) - Buffer.byteLength(a));
    const rows = entries.map(([key, value]) => `${key},data,string,${quoted(value)}\n`);
    writeFileSync(join(at, `${name}.csv`), `key,type,encoding,value\n${SETTINGS},namespace,,\n${rows.join("")}`);
  }
  const { status, error, stderr } = spawnSync(PYTHON, [GENERATOR, at, `0x${SIZE.toString(16)}`], { encoding: "utf8" });
  if (error !== undefined) throw new Error(`${PYTHON} can not be started: ${error.message}. Needed: ${INSTALL}`);
  if (status === 3) throw new Error(`${PYTHON} has no package esp-idf-nvs-partition-gen. Needed: ${INSTALL}`);
  if (status !== 0) throw new Error(`ESP-IDF's generator fails: ${stderr.trim().split("\n").at(-1)}`);
  return (name) => readFileSync(join(at, `${name}.bin`));
}

async function provisioned(devices: readonly Device[]): Promise<(name: string) => Buffer> {
  const columns = [...new Set(devices.flatMap(([, settings]) => [...settings.keys()]))];
  const lines = devices.map(([, settings]) => columns.map((key) => quoted(settings.get(key) ?? "")).join(","));
  const list = join(folder, "devices.csv");
  writeFileSync(list, `${columns.join(",")}\n${lines.join("\n")}\n`);
  const out = join(folder, "ours");
  await provision(list, "--out", out);
  return (name) => readFileSync(join(out, `${name}.nvs.bin`));
}

async function provision(...args: readonly string[]): Promise<void> {
  await (await createProgram("provision")).parseAsync(["provision", ...args], { from: "user" });
}

function quoted(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
