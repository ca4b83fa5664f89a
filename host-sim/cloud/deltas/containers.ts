/**
 * Containers that the cloud makes of its own packages: a new image as patches from older ones of its product, and
 * compressed. Each becomes a package of the same version, which a rollout offers to devices that take containers.
 */
import type { KeyObject } from "node:crypto";
import { pack } from "../../delta/pack";
import type { PackageStore, Package } from "../core/files/packages";

/** Largest image that is compared: 17 bytes of memory are needed for each byte of it. */
const IMAGE_MAX = 16 << 20;
/** Seconds for the comparison with one older image. */
const SECONDS = 120;
/** Containers that may wait to be made. */
const WAITING_MAX = 8;

export interface MadeContainer {
  readonly file: Package;
  /** Older packages without a part in it, each with the reason. */
  readonly left: readonly string[];
}

export class Containers {
  readonly #packages: PackageStore;
  readonly #key: KeyObject | undefined;
  readonly #ended = new AbortController();
  /** One at a time: each comparison takes a core and much memory. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `key`: private; signs each container. Default: they are not signed. */
  constructor(packages: PackageStore, key?: KeyObject) {
    this.#packages = packages;
    this.#key = key;
  }

  /** Older packages that a container of this one may be made from, the newest first. */
  olderThan(file: Package): Package[] {
    const older = this.#packages
      .list()
      .filter((other) => isImage(other) && other.addedAt <= file.addedAt && other.sha256 !== file.sha256)
      .filter(({ project, chip }) => project === file.project && chip === file.chip);
    const digests = new Set<string>();
    return older.reverse().filter(({ sha256 }) => !digests.has(sha256) && digests.add(sha256));
  }

  /** From the `count` newest of the older packages. Rejects with one line. */
  make(file: Package, count: number): Promise<MadeContainer> {
    if (this.#waiting >= WAITING_MAX) return Promise.reject(new Error(`${WAITING_MAX} containers are being made`));
    this.#waiting++;
    const made = this.#last.then(() => this.#pack(file, this.olderThan(file).slice(0, count)));
    this.#last = made.catch(() => undefined).finally(() => this.#waiting--);
    return made;
  }

  /** What is being made is given up. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#last;
  }

  async #pack(file: Package, older: readonly Package[]): Promise<MadeContainer> {
    if (file.container !== undefined) throw new Error("it is a container already");
    if (!isImage(file)) throw new Error(file.problem ?? "it is no image of a product");
    if (older.length === 0) throw new Error("there is no older package of its product and chip");
    const to = await this.#read(file);
    const from = await Promise.all(older.map((each) => this.#read(each)));
    const signing = this.#key === undefined ? {} : { key: this.#key };
    const { bytes, left } = await pack({ to, from, seconds: SECONDS, signal: this.#ended.signal, ...signing });
    const { version } = file;
    return { file: await this.#packages.add(bytes, { version, name: `update-${version}.xsu` }), left };
  }

  async #read({ id, size, version }: Package): Promise<Uint8Array> {
    this.#ended.signal.throwIfAborted();
    if (size > IMAGE_MAX) throw new Error(`${version} has ${size} bytes, images of up to ${IMAGE_MAX} are compared`);
    const reader = await this.#packages.reader(id);
    const bytes = new Uint8Array(size);
    try {
      for (let at = 0; at < size;) {
        const piece = await reader.read(at, size - at);
        bytes.set(piece, at);
        at += piece.length;
      }
    } finally {
      await reader.close();
    }
    return bytes;
  }
}

const isImage = ({ project, problem, container }: Package): boolean =>
  project !== undefined && problem === undefined && container === undefined;
