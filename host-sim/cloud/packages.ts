import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { readAppDescription, readHeader } from "../../src/image/esp-image";

/** One firmware file as the cloud offers it. */
export interface Package {
  /** 16 hex digits, from the file's digest and the version it is offered as. */
  readonly id: string;
  /** For people; never part of a path. */
  readonly name: string;
  /** What is announced to devices; it may differ from what the image says of itself. */
  readonly version: string;
  /** What the image says of itself, where it is one. */
  readonly imageVersion?: string;
  readonly project?: string;
  /** esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6. */
  readonly chip?: number;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex, of the whole file. */
  readonly md5: string;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
}

/** Reads one package; `close` when done. */
export interface PackageReader {
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Largest file taken: four times the largest ESP32 flash in common use. */
export const PACKAGE_MAX = 64 * 1024 * 1024;
const PACKAGES_MAX = 1_000;
/** Without a folder, all packages together. */
const MEMORY_MAX = 512 * 1024 * 1024;
/** Tencent takes 32 characters, ThingsPanel 36; a slash or a control character is in nobody's version. */
const VERSION = /^[^\p{Cc}/\\]{1,36}$/u;
const NAME_MAX = 128;

/**
 * Firmware files, in memory or in a folder of their own. In the folder a package is ID.bin with ID.json beside it; the
 * latter is written last and makes it one, so that a crash in between leaves nothing half-added.
 */
export class PackageStore {
  readonly #folder: string | undefined;
  readonly #packages = new Map<string, { readonly facts: Package; readonly bytes: Uint8Array | undefined }>();

  private constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Rejects if the folder can not be made or read. Files in it that are not ours are left alone. */
  static async open(folder?: string): Promise<PackageStore> {
    const store = new PackageStore(folder);
    if (folder !== undefined) await store.#load(folder);
    return store;
  }

  /** Takes the version from the image itself unless one is given. The same file and version again is the same package. */
  async add(bytes: Uint8Array, given: { version?: string; name?: string } = {}): Promise<Package> {
    if (bytes.length === 0) throw new Error("an empty file is no firmware");
    if (bytes.length > PACKAGE_MAX) throw new Error(`the file has ${bytes.length} bytes; at most ${PACKAGE_MAX} are taken`);
    const image = readImage(bytes);
    const version = given.version ?? image?.imageVersion;
    if (version === undefined) throw new Error("not an ESP image that names its version, and no version is given");
    if (!VERSION.test(version)) throw new Error("a version has 1 to 36 characters, none of them a slash or a control character");
    const sha256 = digest("sha256", bytes);
    const id = digest("sha256", `${sha256}\n${version}`).slice(0, 16);
    const known = this.get(id);
    if (known) return known;
    this.#checkRoom(bytes.length);
    const facts: Package = {
      id,
      name: (given.name ?? `${version}.bin`).slice(0, NAME_MAX),
      version,
      ...image,
      size: bytes.length,
      md5: digest("md5", bytes),
      sha256,
      addedAt: Date.now(),
    };
    if (this.#folder !== undefined) await save(this.#folder, facts, bytes);
    this.#packages.set(id, { facts, bytes: this.#folder === undefined ? Uint8Array.from(bytes) : undefined });
    return facts;
  }

  get(id: string): Package | undefined {
    return this.#packages.get(id)?.facts;
  }

  /** Oldest first. */
  list(): Package[] {
    return [...this.#packages.values()].map(({ facts }) => facts).sort((a, b) => a.addedAt - b.addedAt);
  }

  /** The newest package of that version. */
  find(version: string): Package | undefined {
    return this.list().findLast((facts) => facts.version === version);
  }

  /** That it is not there is no error. */
  async remove(id: string): Promise<void> {
    if (!this.#packages.delete(id) || this.#folder === undefined) return;
    await rm(join(this.#folder, `${id}.json`), { force: true });
    await rm(join(this.#folder, `${id}.bin`), { force: true });
  }

  /** Rejects if there is no such package. */
  async reader(id: string): Promise<PackageReader> {
    const entry = this.#packages.get(id);
    if (!entry) throw new Error(`no package ${id}`);
    if (entry.bytes) return memoryReader(entry.bytes);
    const file = await open(join(this.#folder!, `${id}.bin`), constants.O_RDONLY);
    return {
      read: async (offset, length) => {
        const buffer = Buffer.allocUnsafe(length);
        const { bytesRead } = await file.read(buffer, 0, length, offset);
        if (bytesRead === 0) throw new Error(`package ${id} is shorter than it was`);
        return buffer.subarray(0, bytesRead);
      },
      close: () => file.close(),
    };
  }

  #checkRoom(bytes: number): void {
    if (this.#packages.size >= PACKAGES_MAX) throw new Error(`there are ${PACKAGES_MAX} packages already: remove some`);
    if (this.#folder !== undefined) return;
    const held = this.list().reduce((sum, facts) => sum + facts.size, 0);
    if (held + bytes > MEMORY_MAX) throw new Error("packages in memory are full: remove some, or keep them in a folder");
  }

  async #load(folder: string): Promise<void> {
    const names = await mkdir(folder, { recursive: true })
      .then(() => readdir(folder))
      .catch((error: Error) => {
        throw new Error(`packages can not be kept in ${folder}: ${error.message}`, { cause: error });
      });
    for (const name of names) {
      const [, id, kind] = /^([0-9a-f]{16})\.(bin|json|bin\.part|json\.part)$/.exec(name) ?? [];
      if (id === undefined) continue;
      if (kind === "json") {
        const facts = await readFacts(folder, id);
        if (facts) this.#packages.set(id, { facts, bytes: undefined });
      } else if (kind !== "bin" || !names.includes(`${id}.json`)) {
        await rm(join(folder, name), { force: true });
      }
    }
  }
}

/** What an image says of itself; undefined for any other file, which may be offered too, to see it refused. */
function readImage(bytes: Uint8Array): { imageVersion: string; project: string; chip: number } | undefined {
  try {
    const { version, project } = readAppDescription(bytes);
    return { imageVersion: version, project, chip: readHeader(bytes).chip };
  } catch {
    return undefined;
  }
}

function digest(algorithm: string, bytes: Uint8Array | string): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

function memoryReader(bytes: Uint8Array): PackageReader {
  return {
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

async function save(folder: string, facts: Package, bytes: Uint8Array): Promise<void> {
  await writeWhole(join(folder, `${facts.id}.bin`), bytes);
  await writeWhole(join(folder, `${facts.id}.json`), `${JSON.stringify(facts, null, 2)}\n`);
  const directory = await open(folder, constants.O_RDONLY);
  // The names too must survive a crash; some systems can not sync a folder.
  await directory.sync().catch(() => undefined);
  await directory.close();
}

async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(`${path}.part`, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}

/** Undefined unless the description is whole and its file is there in its length: a damaged package is not offered. */
async function readFacts(folder: string, id: string): Promise<Package | undefined> {
  try {
    const facts = JSON.parse(await readFile(join(folder, `${id}.json`), "utf8")) as Package;
    const file = await open(join(folder, `${id}.bin`), constants.O_RDONLY);
    const { size } = await file.stat().finally(() => file.close());
    const texts = [facts.name, facts.version, facts.md5, facts.sha256, facts.id];
    const whole = texts.every((text) => typeof text === "string") && Number.isFinite(facts.addedAt);
    return whole && facts.id === id && facts.size === size && VERSION.test(facts.version) ? facts : undefined;
  } catch {
    return undefined;
  }
}
