/** Images that resemble one another, and containers of them, for the tests of containers. */
import assert from "node:assert/strict";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { refusalOfSignature } from "../../src/signature/check";
import { containerOf } from "../kit/containers";
import { makeKey, signed } from "../signature/test-keys";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

/** Four blocks. */
export const SIZE = 200_000;

/** Its filler is that of all versions, so patches are small. */
export const build = (version: string, options: Parameters<typeof image>[2] = {}): Uint8Array =>
  image(version, SIZE, { seed: "all versions", ...options });

export const old = build("0.1.0");
export const next = build("0.2.0");
export const key = makeKey();
export const signedNext = signed(next, key);

/** A patch from what runs, and the whole. */
export const container = containerOf(next, [build("0.0.9"), old]);
/** Its parts are long enough that the patch does not begin in the first sector. */
export const signedContainer = containerOf(signedNext, [build("0.0.9"), old], { key: key.privateKey });

export const trust = (hash: Uint8Array, trailer: Uint8Array): string | undefined =>
  refusalOfSignature(hash, trailer, [key.point], new NodeCrypto());

export const offer = offerOf(container.bytes, "0.2.0");

export const device = (options: FixtureOptions = {}): JobFixture => {
  const on = new JobFixture({ factory: old, ...options });
  on.connect();
  return on;
};

/** From the offer to what follows the download. */
export function take(on: JobFixture, bytes: Uint8Array, version = "0.2.0"): void {
  on.push(offerOf(bytes, version));
  on.deliver(bytes);
}

/** Nothing of the slot could boot. */
export function unbootable(on: JobFixture): void {
  const first = new Uint8Array(16);
  on.board.ports.flash.read(0, first);
  assert.ok(first.every((byte) => byte === 0xff));
}
