/** What commands write: whole or not at all, and where people meant it. */
import assert from "node:assert/strict";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createKeyFile } from "../../host-sim/cli/signing/keys";
import { writeWhole } from "../../host-sim/cli/whole-file";
import { temporaryFolder } from "../kit/folder";
import { fullDisk } from "../kit/full-disk";
import { xsOtaError } from "../kit/xs-ota";

test("on a full disk image, sign and keygen name the cause, leave nothing over and change nothing", async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  createKeyFile(at("key.pem"));
  writeFileSync(at("fw.bin"), "firmware");
  fullDisk(t);
  for (const args of [
    ["image", "--version", "1.0", "--out", at("new.bin")],
    ["image", "--version", "1.0", "--out", at("fw.bin")],
    ["sign", "--key", at("key.pem"), at("fw.bin")],
    ["keygen", "--out", at("other.pem")],
  ]) {
    const { code, stderr } = await xsOtaError(...args);
    assert.equal(code, 1);
    assert.match(stderr, /^error: \S+ can not be written: the disk is full\n$/);
  }
  assert.deepEqual(readdirSync(folder).sort(), ["fw.bin", "key.pem"]);
  assert.equal(readFileSync(at("fw.bin"), "utf8"), "firmware");
});

test("a size that no cloud takes is refused in words of our own", async (t) => {
  const path = join(temporaryFolder(t), "fw.bin");
  const { code, stderr } = await xsOtaError("image", "--version", "1.0", "--out", path, "--size", "9999999999");
  assert.equal(code, 1);
  assert.match(stderr, /^error: [^\n]*--size[^\n]* is invalid\. It is a whole number of bytes, at most 67108864\.\n$/);
  assert.ok(!existsSync(path));
});

test("a link stays a link: its target is replaced, with its mode", (t) => {
  const folder = temporaryFolder(t);
  const [target, link] = [join(folder, "a b", "fw ü.bin"), join(folder, "link")];
  mkdirSync(join(folder, "a b"));
  writeFileSync(target, "old", { mode: 0o640 });
  symlinkSync(target, link);
  writeWhole(link, Buffer.from("new"));
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.deepEqual([readFileSync(target, "utf8"), statSync(target).mode & 0o777], ["new", 0o640]);
  assert.deepEqual(readdirSync(join(folder, "a b")), ["fw ü.bin"]);
});

test("what no file can replace is refused in one line, and nothing stays", (t) => {
  const folder = temporaryFolder(t);
  symlinkSync(join(folder, "loop"), join(folder, "loop"));
  writeFileSync(join(folder, "file"), "");
  linkSync(join(folder, "file"), join(folder, "same file"));
  for (const [name, reason] of [
    ["none/fw.bin", "there is no such file or folder"],
    ["file/fw.bin", "it is no folder, or lies in none"],
    ["", "it is a folder"],
    ["loop", "links lead in a circle"],
    ["x".repeat(300), "the name is too long"],
  ] as const) {
    const path = join(folder, name);
    assert.throws(() => writeWhole(path, Buffer.from("new")), { message: `${path} can not be written: ${reason}` });
  }
  assert.deepEqual(readdirSync(folder).sort(), ["file", "loop", "same file"]);
});
