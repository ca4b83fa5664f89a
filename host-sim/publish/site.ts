/** A folder for any web server: files under names that never get other bytes, and manifests that name them. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { POLL_BODY_MAX } from "../../src/constants";
import { writeWhole } from "../cli/whole-file";
import { fileReason } from "../board/config/file-errors";
import { asSiteManifest, filesOf } from "./site-manifest";
import type { PublishedFile, SiteManifest } from "./site-manifest";

/** Digits of the digest in a name. */
const DIGITS = 16;

export class Site {
  readonly folder: string;

  /** Made if it is not there. */
  constructor(folder: string) {
    this.folder = folder;
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw new Error(`${folder} can not be made: ${fileReason(error)}`, { cause: error });
    }
  }

  /** Undefined where there is none. Throws one line where the file is something else. */
  read(name: string): SiteManifest | undefined {
    const path = join(this.folder, name);
    if (!existsSync(path)) return undefined;
    try {
      return asSiteManifest(JSON.parse(readFileSync(path, "utf8")));
    } catch (error) {
      const reason = error instanceof SyntaxError ? "it is not JSON" : fileReason(error);
      throw new Error(`${path}: ${reason}`, { cause: error });
    }
  }

  /** Puts a file there, as `stem` with its digest. One that is there already has the same bytes. */
  add(stem: string, extension: string, bytes: Uint8Array): PublishedFile {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const path = `${stem.replace(/[^A-Za-z0-9._-]+/g, "-")}-${sha256.slice(0, DIGITS)}${extension}`;
    const file = join(this.folder, path);
    // A half of it may be there: something else than this command may have copied the folder.
    if (!existsSync(file) || !readFileSync(file).equals(bytes)) writeWhole(file, bytes);
    return { path, size: bytes.length, md5: createHash("md5").update(bytes).digest("hex"), sha256 };
  }

  /**
   * Last, by a rename. A release before whose files are gone is left out; what else is named and missing is an error,
   * as is a manifest that no device would read.
   */
  write(name: string, manifest: SiteManifest, remark: (line: string) => void): void {
    const { previous, ...rest } = manifest;
    const lost = previous === undefined ? undefined : this.missing(filesOf(previous.builds));
    if (lost !== undefined) remark(`the release before, ${previous?.version}, is left out: ${lost} is not there`);
    const whole: SiteManifest = previous === undefined || lost !== undefined ? rest : manifest;
    const missing = this.missing(filesOf(whole.builds));
    if (missing !== undefined) throw new Error(`${name} would name ${missing}, which is not in ${this.folder}`);
    const bytes = Buffer.from(`${JSON.stringify(whole, null, 2)}\n`);
    if (bytes.length > POLL_BODY_MAX)
      throw new Error(
        `${name} would have ${bytes.length} bytes, and devices read ${POLL_BODY_MAX}: use one for each chip`,
      );
    writeWhole(join(this.folder, name), bytes);
  }

  private missing(paths: readonly string[]): string | undefined {
    return paths.find((path) => !existsSync(join(this.folder, path)));
  }
}
