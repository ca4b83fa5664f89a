import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileReason } from "../../../board/config/file-errors";
import type { ImageFacts } from "./package-facts";
import { PACKAGE_MAX, PackageWriter, UNFINISHED, type Arrived } from "./package-writer";

export { PACKAGE_MAX };

/** One firmware file as the cloud offers it, with the facts read from the image. */
export interface Package extends ImageFacts {
  /** 16 hex digits, from the file's digest and the version it is offered as. */
  readonly id: string;
  /** For people; never part of a path. */
  readonly name: string;
  /** What is announced to devices; it may differ from the version in the image. */
  readonly version: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex, of the whole file. */
  readonly md5: string;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
}

/** What an upload states beside the file's content. */
export interface GivenFacts {
  readonly version?: string;
  readonly name?: string;
}

/** Reads one package; `close` when done. */
export interface PackageReader {
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const PACKAGES_MAX = 1_000;
/** Without a folder, all packages together. */
const MEMORY_MAX = 512 * 1024 * 1024;
/** Tencent takes 32 characters, ThingsPanel 36; no platform's versions have a slash or a control character. */
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

  /**
   * Takes the version from the image itself unless one is given. The same file and version again is the same package.
   */
  async add(bytes: Uint8Array, given: GivenFacts = {}): Promise<Package> {
    if (bytes.length === 0) throw new Error("an empty file is no firmware");
    const writer = await this.receive();
    try {
      await writer.write(bytes);
      return await this.keep(writer, given);
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** For a file that comes in pieces: what `keep` or `abort` then ends. */
  receive(): Promise<PackageWriter> {
    return PackageWriter.begin(this.#folder);
  }

  /** Makes a package of a file that has arrived whole; as `add`. When it rejects, the caller aborts the writer. */
  async keep(writer: PackageWriter, given: GivenFacts = {}): Promise<Package> {
    const arrived = await writer.end();
    const { size, md5, sha256, image } = arrived;
    if (size === 0) throw new Error("an empty file is no firmware");
    const version = given.version ?? image.imageVersion;
    if (version === undefined)
      throw new Error(
        `not an ESP image that names its version, and no version is given${image.problem === undefined ? "" : ` (${image.problem})`}`,
      );
    if (!VERSION.test(version))
      throw new Error("a version has 1 to 36 characters, none of them a slash or a control character");
    const id = createHash("sha256").update(`${sha256}\n${version}`).digest("hex").slice(0, 16);
    const known = this.get(id);
    if (known) {
      await writer.abort();
      return known;
    }
    this.#checkRoom(size);
    const name = (given.name ?? `${version}.bin`).slice(0, NAME_MAX);
    const facts: Package = { id, name, version, ...image, size, md5, sha256, addedAt: Date.now() };
    if (this.#folder !== undefined) {
      const kept = join(this.#folder, id);
      await save(this.#folder, facts, arrived).catch(async (error: Error) => {
        for (const end of [".json.part", ".json", ".bin"]) await rm(kept + end, { force: true });
        throw error;
      });
    }
    this.#packages.set(id, { facts, bytes: arrived.bytes });
    return facts;
  }

  get(id: string): Package | undefined {
    return this.#packages.get(id)?.facts;
  }

  /** Oldest first. */
  list(): Package[] {
    return [...this.#packages.values()].map(({ facts }) => facts).sort((a, b) => a.addedAt - b.addedAt);
  }

  /** The newest package of that version, an image rather than a container. */
  find(version: string): Package | undefined {
    const fitting = this.list().filter((facts) => facts.version === version);
    return fitting.findLast(({ container }) => container === undefined) ?? fitting.at(-1);
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
    if (held + bytes > MEMORY_MAX)
      throw new Error("packages in memory are full: remove some, or keep them in a folder");
  }

  async #load(folder: string): Promise<void> {
    const names = await mkdir(folder, { recursive: true })
      .then(() => readdir(folder))
      .catch((error: Error) => {
        throw new Error(`packages can not be kept in ${folder}: ${fileReason(error)}`, { cause: error });
      });
    for (const name of names) {
      if (UNFINISHED.test(name)) await rm(join(folder, name), { force: true });
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

function memoryReader(bytes: Uint8Array): PackageReader {
  return {
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

async function save(folder: string, facts: Package, { path }: Arrived): Promise<void> {
  if (path !== undefined) await rename(path, join(folder, `${facts.id}.bin`));
  await writeWhole(join(folder, `${facts.id}.json`), `${JSON.stringify(facts, null, 2)}\n`);
  const directory = await open(folder, constants.O_RDONLY);
  // The names too must survive a crash; some systems can not sync a folder.
  await directory.sync().catch(() => undefined);
  await directory.close();
}

async function writeWhole(path: string, content: string): Promise<void> {
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
