/**
 * The emulated ROM loader that the console's flashing is tested with, against Espressif's own esptool over a socket: writes,
 * verifies by MD5, reads back, erases; and the flash that the console's code writes equals the one that esptool writes.
 *
 *     npm run test:esptool        needs Python with the package esptool; PYTHON names another one
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { FlashChip } from "../hal/model-chip/flash-chip";
import { readBoardBuild } from "../host-sim/cloud/console/web/flashing/build";
import { ConnectedBoard } from "../host-sim/cloud/console/web/flashing/connected-board";
import { nvsOfSettings } from "../host-sim/provision/nvs-of-settings";
import type { Part } from "../host-sim/provision/build-parts";
import { boardBuild } from "../tests/kit/board-build";
import { LoaderPort } from "../tests/rom-loader/loader-port";
import { ESP32, ESP32_C3, ESP32_S3, type LoaderChip } from "../tests/rom-loader/registers";
import { RomLoader } from "../tests/rom-loader/rom-loader";
import { listenForLoader } from "../tests/rom-loader/tcp-line";

const PYTHON = process.env["PYTHON"] ?? "python3";
const INSTALL = "python3 -m venv venv && venv/bin/pip install esptool, then PYTHON=venv/bin/python3";
const FLASH_SIZE = 4 << 20;
const APP_SIZE = 300_001;

const folder = mkdtempSync(join(tmpdir(), "xs-ota-esptool-"));
// The library tells on the console what happens to its port.
const say = console.log.bind(console);
console.log = () => undefined;
try {
  for (const chip of [ESP32, ESP32_C3, ESP32_S3])
    for (const isStub of [true, false])
      say(`${chip.name}, ${isStub ? "stub" : "ROM"}: ${await compared(chip, isStub)}`);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Rejects with one line where something differs. */
async function compared(chip: LoaderChip, isStub: boolean): Promise<string> {
  const parts = await partsFor(chip);
  const files = parts.map(({ offset, file, bytes }) => {
    writeFileSync(join(folder, file), bytes);
    return [`0x${offset.toString(16)}`, join(folder, file)];
  });
  const flash = FlashChip.inMemory(FLASH_SIZE);
  const { port, server } = await listenForLoader(new RomLoader({ chip, flash, inDownloadMode: true }));
  const flags = ["--chip", "auto", ...(isStub ? [] : ["--no-stub"])];
  const esptool = (...args: string[]): Promise<void> => run(port, [...flags, ...args]);
  try {
    await esptool("write-flash", ...files.flat());
    await esptool("verify-flash", ...files.flat());
    const app = parts.find(({ file }) => file === "xs_esp32.bin")!;
    const back = join(folder, "back.bin");
    // Through the ROM a read takes 64 bytes at a time.
    const length = isStub ? app.bytes.length : 8_192;
    await esptool("read-flash", `0x${app.offset.toString(16)}`, String(length), back);
    if (!readFileSync(back).equals(app.bytes.subarray(0, length))) throw new Error("what was read back differs");
    if (isStub) await esptool("erase-region", "0x200000", "0x10000");
    if (!bytesOf(flash).equals(bytesOf(await flashedByConsole(chip, parts))))
      throw new Error("the console's flash differs from esptool's");
    if (isStub) await esptool("erase-flash");
    if (isStub && bytesOf(flash).some((byte) => byte !== 0xff)) throw new Error("erase-flash leaves bytes");
  } finally {
    server.close();
  }
  return "written, verified, read back; the console's flash is equal";
}

async function partsFor(chip: LoaderChip): Promise<readonly Part[]> {
  const files = Object.entries(boardBuild({ chip: chip.id, size: APP_SIZE }));
  const build = await readBoardBuild(files.map(([path, bytes]) => ({ path, bytes: async () => bytes })));
  const nvs = nvsOfSettings(new Map([["ssid", "Hall"]]), build.nvs.size);
  return [...build.parts, { offset: build.nvs.address, file: "nvs.bin", bytes: nvs }];
}

async function flashedByConsole(chip: LoaderChip, parts: readonly Part[]): Promise<FlashChip> {
  const flash = FlashChip.inMemory(FLASH_SIZE);
  const build = await readBoardBuild(
    Object.entries(boardBuild({ chip: chip.id })).map(([path, bytes]) => ({ path, bytes: async () => bytes })),
  );
  const board = await ConnectedBoard.open(new LoaderPort(new RomLoader({ chip, flash })), build);
  await board.write(parts, () => undefined);
  await board.close();
  return flash;
}

function bytesOf(flash: FlashChip): Buffer {
  const bytes = Buffer.alloc(flash.size);
  flash.read(0, bytes);
  return bytes;
}

/** Rejects with the last line that esptool says. */
async function run(port: number, args: readonly string[]): Promise<void> {
  const line = ["--port", `socket://127.0.0.1:${port}`, "--before", "no-reset", "--after", "no-reset"];
  const child = spawn(PYTHON, ["-m", "esptool", ...line, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await once(child, "close").catch((error: Error) => {
    throw new Error(`${PYTHON} can not be started: ${error.message}. Needed: ${INSTALL}`);
  })) as [number];
  const lines = (await said).join("\n").trim().split("\n");
  if (lines.some((each) => each.includes("No module named esptool")))
    throw new Error(`${PYTHON} has no package esptool. Needed: ${INSTALL}`);
  if (code !== 0) throw new Error(`esptool ${args.join(" ")}: ${lines.slice(-3).join(" ")}`);
}
