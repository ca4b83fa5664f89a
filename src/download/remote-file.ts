import { REWINDS_MAX, SECTOR } from "../constants";
import type { DownloadOptions } from "./outputs";

/**
 * Changes of a file without a digest that a download survives. A file is replaced once in a while; one that always
 * changes can not be had.
 */
const RESTARTS = 3;

/**
 * The file behind the URL: its length, the validator that tells it from another under the same URL, and how far it was
 * delivered.
 */
export class RemoteFile {
  /** Bytes; 0: not known yet. */
  size: number;
  /** Strong ETag or Last-Modified, verbatim. */
  validator: string | undefined;
  /** "total" was reported. */
  announced = false;
  /** Bytes delivered as sectors. */
  offset: number;
  /** As offered; 0: the length comes from the server, and another length is another file. */
  readonly offeredSize: number;
  /** A digest will tell whether the parts fit together. Without one, a change means to start over. */
  readonly hasDigest: boolean;
  /** Most that was ever delivered: only more than that is progress. */
  private reached: number;
  private readonly end: number;
  private restarts = 0;
  private rewinds = 0;

  constructor({ size, validator, hasDigest, offset, end = Infinity }: DownloadOptions) {
    this.size = size;
    this.end = end;
    this.offeredSize = size;
    this.validator = validator;
    this.hasDigest = hasDigest;
    this.offset = size > 0 && offset >= size ? size : sectorStart(offset);
    this.reached = this.offset;
  }

  get complete(): boolean {
    return this.size > 0 && this.offset >= this.limit;
  }

  /** First byte that is not wanted; 0: not known yet. */
  get limit(): number {
    return Math.min(this.size, this.end);
  }

  /**
   * Takes a response's validator. True: it differs from the one before. One of another kind, or none, proves nothing.
   */
  validatorChanged(validator: string | undefined): boolean {
    const before = this.validator;
    if (validator === undefined || before === validator) return false;
    const sameKind = before !== undefined && before.startsWith('"') === validator.startsWith('"');
    if (before === undefined || sameKind) this.validator = validator;
    return sameKind;
  }

  /** A sector was delivered. True: further than ever before. */
  advance(length: number): boolean {
    this.offset += length;
    if (this.offset <= this.reached) return false;
    this.reached = this.offset;
    return true;
  }

  /**
   * Goes back to the sector in which byte `start` lies. False: nothing was delivered from there on, or REWINDS_MAX is
   * reached.
   */
  rewind(start: number): boolean {
    const offset = sectorStart(start);
    if (offset >= this.offset || this.rewinds >= REWINDS_MAX) return false;
    this.rewinds++;
    this.offset = offset;
    return true;
  }

  /** Another file, of which nothing was delivered. False: it changed too often. */
  restart(): boolean {
    this.size = this.offeredSize;
    this.announced = false;
    this.restarts++;
    if (this.restarts > RESTARTS) return false;
    this.offset = 0;
    this.reached = 0;
    return true;
  }
}

const sectorStart = (at: number): number => Math.floor(at / SECTOR) * SECTOR;
