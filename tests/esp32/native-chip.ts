/**
 * The ESP32 port's C module without a chip: compiled for this machine against the fakes beside this file, run in a
 * process of its own, and called through two pipes. Both ends block, so that the port's TypeScript runs as it is,
 * synchronous.
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PORT = join(HERE, "..", "..", "hal", "esp32");
const FAKES = [
  "fake-idf/fake_flash.c",
  "fake-idf/fake_image.c",
  "fake-idf/fake_nvs.c",
  "fake-idf/fake_ota.c",
  "fake-idf/fake_rtc.c",
  "fake-idf/fake_sha256.c",
  "fake-xs/machine.c",
];
/** Of the port, beside ota.c, which carries the version. */
const PARTS = [
  "../moddable/expand/expand.c",
  "boot_entries.c",
  "build-facts.c",
  "ota_expander.c",
  "retained.c",
  "startup.c",
  "startup_natives.c",
  "store.c",
];
/** The folder of miniz.c, in the sources of the XS engine: the chips have it in ROM. */
export const ZLIB = join(
  dirname(createRequire(import.meta.url).resolve("@agoric/xsnap/package.json")),
  "moddable/modules/data/zlib",
);
const FLAGS = [
  "-std=gnu17",
  "-O1",
  "-g",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-fsanitize=undefined",
  "-fno-sanitize-recover=all",
];

type Value = undefined | boolean | number | string | ArrayBuffer | { [name: string]: Value };

/** xsType in fake-xs/xsmc.h. */
const UNDEFINED = 0;
const BOOLEAN = 1;
const NUMBER = 2;
const STRING = 3;
const BUFFER = 4;
const OBJECT = 5;

/** A C compiler for this machine; undefined where there is none. */
export function compiler(): string | undefined {
  for (const name of [process.env["CC"] ?? "cc", "gcc", "clang"]) {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return name;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** Not ours: its warnings are not ours to mend. Returns the object's path. */
export function compileMiniz(cc: string, folder: string): string {
  const object = join(folder, "miniz.o");
  execFileSync(cc, ["-std=gnu17", "-O1", "-w", "-I", ZLIB, "-c", join(ZLIB, "miniz.c"), "-o", object]);
  return object;
}

/** Builds the module, once for each version that a firmware may have. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), "xs-ota-esp32-"));
  readonly #cc: string;
  readonly #objects: ReadonlyMap<string, string>;
  readonly #miniz: string;
  readonly #binaries = new Map<string, string>();

  constructor(cc: string) {
    this.#cc = cc;
    this.#objects = new Map(
      [...FAKES, ...PARTS].map((source, index) => [
        source,
        this.#compile(join(FAKES.includes(source) ? HERE : PORT, source), `part-${index}.o`),
      ]),
    );
    this.#miniz = compileMiniz(cc, this.folder);
  }

  /** Path of a program that runs the module as the firmware `version`. */
  build(version: string): string {
    let path = this.#binaries.get(version);
    if (path === undefined) {
      path = join(this.folder, `firmware-${version}`);
      const object = this.#compile(join(PORT, "ota.c"), `ota-${version}.o`, [
        "-DMODDEF_XSOTA_PRODUCT=xs-ota",
        `-DMODDEF_XSOTA_VERSION=${version}`,
        "-DMODDEF_XSOTA_SECURITYFLOOR=7",
      ]);
      execFileSync(this.#cc, [...FLAGS, object, ...this.#objects.values(), this.#miniz, "-o", path]);
      this.#binaries.set(version, path);
    }
    return path;
  }

  /** Path of the program of startup_host.c. */
  startUpHost(): string {
    const path = join(this.folder, "startup_host");
    const host = this.#compile(join(HERE, "startup_host.c"), "startup_host.o");
    const parts = [...this.#objects].filter(
      ([source]) => source.startsWith("fake-idf/") || ["boot_entries.c", "startup.c"].includes(source),
    );
    execFileSync(this.#cc, [...FLAGS, host, ...parts.map(([, object]) => object), "-o", path]);
    return path;
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  #compile(source: string, name: string, more: readonly string[] = []): string {
    const object = join(this.folder, name);
    execFileSync(this.#cc, [
      ...FLAGS,
      ...more,
      "-I",
      join(HERE, "fake-idf"),
      "-I",
      join(HERE, "fake-xs"),
      "-I",
      PORT,
      "-I",
      ZLIB,
      "-c",
      source,
      "-o",
      object,
    ]);
    return object;
  }
}

export interface Start {
  readonly program: string;
  readonly flash: string;
  readonly nvs: string;
  readonly slot: 0 | 1;
  /** esp_reset_reason_t. */
  readonly reason: number;
}

/** One run of the firmware, from its start to the restart it asks for. */
export class NativeChip {
  readonly #folder = mkdtempSync(join(tmpdir(), "xs-ota-pipes-"));
  readonly #process: ChildProcess;
  readonly #calls: number;
  readonly #answers: number;
  #open = true;
  #restarted = false;

  constructor({ program, flash, nvs, slot, reason }: Start) {
    const calls = join(this.#folder, "calls");
    const answers = join(this.#folder, "answers");
    execFileSync("mkfifo", [calls, answers]);
    this.#process = spawn(program, [flash, nvs, String(slot), String(reason), calls, answers], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#process.unref();
    // Each waits for the other end; in the order in which the program opens them.
    this.#calls = openSync(calls, "w");
    this.#answers = openSync(answers, "r");
  }

  /** The firmware has asked for a restart: the chip does nothing more. */
  get restarted(): boolean {
    return this.#restarted;
  }

  /** The start-up itself asks for a restart, before any call. */
  restarts(): boolean {
    try {
      this.call("xs_ota_resetReason", []);
    } catch (error) {
      // The process has ended before it read the call.
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
      this.#restarted = this.#bytes(1)[0] === 2;
    }
    return this.#restarted;
  }

  /** What `native(name)` is in XS. */
  call(name: string, args: readonly unknown[]): Value {
    if (this.#restarted) throw new Error(`${name}: the chip restarts`);
    writeFully(
      this.#calls,
      Buffer.concat([counted(Buffer.from(name)), Uint8Array.of(args.length), ...args.map(encoded)]),
    );
    const status = this.#bytes(1)[0];
    if (status === 2) {
      this.#restarted = true;
      return undefined;
    }
    const value = status === 1 ? this.#counted().toString() : this.#value();
    for (const argument of args) if (argument instanceof Uint8Array) argument.set(this.#counted());
    if (status === 1) throw new Error(String(value));
    return value;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#calls);
    closeSync(this.#answers);
    this.#process.kill();
    rmSync(this.#folder, { recursive: true });
  }

  #value(): Value {
    const type = this.#bytes(1)[0];
    switch (type) {
      case UNDEFINED:
        return undefined;
      case BOOLEAN:
        return this.#bytes(8).readDoubleLE() !== 0;
      case NUMBER:
        return this.#bytes(8).readDoubleLE();
      case STRING:
        return this.#counted().toString();
      case BUFFER:
        return Uint8Array.from(this.#counted()).buffer;
      case OBJECT: {
        const count = this.#bytes(4).readUInt32LE();
        const object: { [name: string]: Value } = {};
        for (let index = 0; index < count; index++) {
          const name = this.#counted().toString();
          object[name] = this.#value();
        }
        return object;
      }
      default:
        throw new Error(`answer of type ${type}`);
    }
  }

  #counted(): Buffer {
    return this.#bytes(this.#bytes(4).readUInt32LE());
  }

  #bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.#answers, bytes, done, length - done, null);
      if (count === 0) throw new Error("the chip's process has ended");
      done += count;
    }
    return bytes;
  }
}

function encoded(value: unknown): Buffer {
  if (value === undefined) return Buffer.of(UNDEFINED);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(9);
    bytes[0] = NUMBER;
    bytes.writeDoubleLE(value, 1);
    return bytes;
  }
  if (typeof value === "string") return Buffer.concat([Buffer.of(STRING), counted(Buffer.from(value))]);
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.of(BUFFER), counted(value)]);
  throw new Error(`argument ${String(value)}`);
}

function counted(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}
