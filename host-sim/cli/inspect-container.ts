/** What is in a container, in words. */
import { TRAILER, readTrailer } from "../../src/signature/trailer";
import { readContainer } from "../../src/container/format";
import type { Container, Part } from "../../src/container/format";
import { SECTOR } from "../../src/constants";
import { toHex } from "../../src/util/hex";

/** Hex digits that are enough to tell images apart. */
const ID = 16;

/** Throws with one line where the file is no whole container. */
export function describeContainer(file: Uint8Array): string {
  const container = readContainer(file);
  if (container.length !== file.length)
    throw new Error(`the container has ${container.length} bytes, the file ${file.length}`);
  const { version, product, chip, securityFloor, headLength, image } = container;
  const lines = [
    `container of firmware ${version}, product ${product}, chip ${chip}${securityFloor > 0 ? `, security floor ${securityFloor}` : ""}`,
    `  image     ${container.file.length} bytes, SHA-256 at its end ${toHex(image).slice(0, ID)}...`,
    `  container ${file.length} bytes (${percent(file.length, container)} of the image)`,
    `  signature ${signatureOf(file, headLength, container.signed)}`,
    "",
    "parts:",
    ...container.parts.map((part) => partLine(part, container)),
    "",
    "A device takes the part that is made from the image that it runs, else the whole image. With signing keys it",
    `downloads the head and that part; without, all ${file.length} bytes, since the platform's digest covers them.`,
  ];
  return `${lines.join("\n")}\n`;
}

function signatureOf(file: Uint8Array, headLength: number, signed: boolean): string {
  if (!signed) return "none: only devices without signing keys take it";
  const { keyId } = readTrailer(file.subarray(headLength - TRAILER, headLength));
  return `of the head, which names the digest of each part${keyId.some((byte) => byte !== 0) ? `; key ${toHex(keyId)}...` : ""}`;
}

function partLine({ base, length, offset, room }: Part, container: Container): string {
  const from = base === undefined ? "whole, compressed" : `from ${base.version} (${toHex(base.id).slice(0, ID)}...)`;
  // The whole container is staged at the end of the slot, or the part alone.
  const slot = sectors(Math.max(container.file.length, room - offset + sectors(container.length)));
  const alone = sectors(Math.max(container.file.length, room + sectors(length)));
  const needs = slot === alone ? `${slot}` : `${slot}, alone ${alone}`;
  return `  ${from.padEnd(40)} ${String(length).padStart(9)} bytes  ${percent(length, container).padStart(6)}  needs a slot of ${needs} bytes`;
}

function sectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR) * SECTOR;
}

function percent(bytes: number, { file }: Container): string {
  return `${((bytes / file.length) * 100).toFixed(1)} %`;
}
