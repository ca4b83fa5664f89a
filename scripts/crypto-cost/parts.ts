/**
 * The parts of the work that are measured by themselves: the agent's own code over native digests, and the same in
 * JavaScript alone.
 */
import type { Crypto, Digest } from "../../src/ports";
import { HashPass } from "../../src/job/hash-pass";
import { refusalOfSignature } from "../../src/signature/check";
import { readPublicKey } from "../../src/signature/keys";
import * as portable from "./portable";

/** What a signed file is judged by. */
export interface Signed {
  /** PEM. */
  readonly key: string;
  /** SHA-256 of the file without its trailer. */
  readonly hash: Uint8Array;
  readonly trailer: Uint8Array;
}

export const PARTS = {
  nothing: "an empty turn",
  "pass-md5": "pass over the slot, native MD5",
  "pass-both": "pass over the slot, native MD5 and SHA-256 (signed)",
  "js-md5": "MD5 in JavaScript (js-md5)",
  "js-sha256": "SHA-256 in JavaScript (@noble/hashes)",
  key: "a signing key is read, once at the start",
  check: "a trailer's own checks, without arithmetic",
  verify: "one verification, native arithmetic",
  "js-verify": "one verification, arithmetic in JavaScript (@noble/curves)",
} as const;
export type Part = keyof typeof PARTS;

const SECTOR = 4_096;
const BYTES = new Uint8Array(SECTOR).fill(0x5a);

/**
 * `crypto`: native, or stand-ins where the engine has none. `kib`: bytes digested. Throws where a good signature does
 * not verify.
 */
export function run(part: Part, kib: number, crypto: Pick<Crypto, "digest" | "verifyP256">, signed: Signed): void {
  switch (part) {
    case "nothing":
      return;
    case "pass-md5":
      return drive(new HashPass("target", kib * 1024, { whole: crypto.digest("MD5") }));
    case "pass-both":
      return drive(
        new HashPass("target", kib * 1024, { whole: crypto.digest("MD5"), signed: crypto.digest("SHA256") }),
      );
    case "js-md5":
      return feed(portable.md5(), kib);
    case "js-sha256":
      return feed(portable.sha256(), kib);
    case "key":
      return void readPublicKey(signed.key);
    case "check":
      return expect(
        refusalOfSignature(signed.hash, signed.trailer, [readPoint(signed)], {
          digest: () => ONES,
          verifyP256: () => true,
        }) === undefined,
      );
    case "verify":
    case "js-verify": {
      const { verifyP256 } =
        part === "verify"
          ? { verifyP256: (...all: Parameters<Crypto["verifyP256"]>) => crypto.verifyP256(...all) }
          : portable;
      return expect(
        refusalOfSignature(signed.hash, signed.trailer, [readPoint(signed)], { digest: () => ONES, verifyP256 }) ===
          undefined,
      );
    }
  }
}

/** A digest that is always this: the key's name in the trailer is zeros, so nobody compares it. */
const ONES: Digest = { write() {}, close: () => new Uint8Array(32).fill(1) };

let point: Uint8Array | undefined;

/** Read before it is measured. */
export function readPoint({ key }: Signed): Uint8Array {
  return (point ??= readPublicKey(key));
}

function drive(pass: HashPass): void {
  for (let effects = pass.next(); effects.length > 0; effects = pass.next()) {
    for (const effect of effects) if (effect.type === "read") pass.take(BYTES.subarray(0, effect.length));
  }
  pass.close();
}

function feed(digest: Digest, kib: number): void {
  for (let at = 0; at < kib * 1024; at += SECTOR) digest.write(BYTES);
  digest.close();
}

function expect(good: boolean): void {
  if (!good) throw new Error("a good signature does not verify");
}
