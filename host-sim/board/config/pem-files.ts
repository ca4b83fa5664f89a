import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { readPublicKey } from "../../../src/signature/keys";
import { exposure } from "./exposure";
import { fileReason } from "./file-errors";
import type { JsonFields } from "./json-fields";
import { decodeText } from "./text-file";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads the files that a configuration names, relative to its own folder. Mistakes name the key and the file. */
export class PemFiles {
  readonly #folder: string;
  readonly #exposed: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Private keys that others may read, one line each. */
  get exposed(): readonly string[] {
    return this.#exposed;
  }

  /** Text of a file with one certificate or more. */
  certificates(fields: JsonFields, key: string): string | undefined {
    return this.#read(fields, key, (text) => {
      const found = text.match(CERTIFICATE) ?? [];
      if (found.length === 0) throw new Error("holds no certificate in PEM form");
      for (const certificate of found) void new X509Certificate(certificate);
    });
  }

  privateKey(fields: JsonFields, key: string): string | undefined {
    return this.#read(fields, key, (text, path) => {
      createPrivateKey(text);
      const exposed = exposure(path);
      if (exposed !== undefined) this.#exposed.push(exposed);
    });
  }

  /** Public keys of firmware: each entry a file, PEM text, or a point in hex. Returned as text that the agent reads. */
  publicKeys(fields: JsonFields, key: string): string[] | undefined {
    return fields.strings(key)?.map((entry, index) => {
      const inline = entry.includes("-----BEGIN") || /^04[0-9A-Fa-f]{128}$/.test(entry);
      try {
        const text = inline ? entry : decodeText(readFileSync(resolve(this.#folder, entry)));
        if (text.includes("PRIVATE KEY")) throw new Error("that is a private key; a device gets the public half only");
        readPublicKey(text);
        return text;
      } catch (error) {
        // By its number: an entry that is no file may be anything, a private key too.
        throw fields.error(key, `entry ${index + 1}: ${fileReason(error)}`);
      }
    });
  }

  #read(fields: JsonFields, key: string, check: (text: string, path: string) => void): string | undefined {
    const name = fields.string(key);
    if (name === undefined) return undefined;
    const path = resolve(this.#folder, name);
    let text: string;
    try {
      text = decodeText(readFileSync(path));
    } catch (error) {
      throw fields.error(key, `${name} can not be read: ${fileReason(error)}`);
    }
    try {
      check(text, path);
    } catch (error) {
      throw fields.error(key, `${name}: ${(error as Error).message}`);
    }
    return text;
  }
}
