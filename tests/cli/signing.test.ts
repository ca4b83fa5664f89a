/** keygen, sign and verify, and OpenSSL in their place. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { buildImage } from "../../hal/model-chip/build-image";
import { temporaryFolder } from "../kit/folder";
import { refusesEach, xsOta, xsOtaError as here } from "../kit/xs-ota";

const VECTORS = fileURLToPath(new URL("../signature/vectors/", import.meta.url));

const keys = mkdtempSync(join(tmpdir(), "xs-ota-keys-"));
before(async () => {
  const { code, stdout } = await xsOta("keygen", "--out", join(keys, "key.pem"));
  assert.equal(code, 0);
  writeFileSync(join(keys, "pub.pem"), stdout);
});
after(() => rmSync(keys, { recursive: true }));

/** A folder with a key, its public half and an unsigned file. */
function setUp(t: TestContext): { at: (name: string) => string; key: string; pub: string; fw: string } {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  // The key keeps its mode.
  for (const name of ["key.pem", "pub.pem"]) copyFileSync(join(keys, name), at(name));
  writeFileSync(at("fw.bin"), Buffer.alloc(5_000, 0x5a));
  return { at, key: at("key.pem"), pub: at("pub.pem"), fw: at("fw.bin") };
}

test("sign signs in place, again as well, and verify accepts that key alone", async (t) => {
  const { at, key, pub, fw } = setUp(t);
  assert.match(readFileSync(pub, "utf8"), /^-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n$/);
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const unchanged = readFileSync(fw);

  assert.notEqual((await here("verify", "--key", pub, fw)).code, 0);
  chmodSync(fw, 0o640);
  assert.equal((await here("sign", "--key", key, fw)).code, 0);
  const signed = readFileSync(fw);
  assert.deepEqual([signed.length, statSync(fw).mode & 0o777], [unchanged.length + 96, 0o640]);
  assert.deepEqual(signed.subarray(0, unchanged.length), unchanged);
  for (const either of [pub, key]) assert.equal((await here("verify", "--key", either, fw)).code, 0);

  // A second key takes the place of the first, it does not pile up.
  const other = await xsOta("keygen", "--out", at("other.pem"));
  writeFileSync(at("other.pub"), other.stdout);
  assert.equal((await here("sign", "--key", at("other.pem"), fw)).code, 0);
  assert.equal(readFileSync(fw).length, unchanged.length + 96);
  assert.equal((await here("verify", "--key", at("other.pub"), fw)).code, 0);
  const { code, stdout, stderr } = await here("verify", "--key", pub, fw);
  assert.deepEqual([code, stdout, stderr], [1, "", `error: ${fw}: signed by a key that is not trusted here\n`]);

  const bytes = readFileSync(fw);
  bytes[17]! ^= 1;
  writeFileSync(fw, bytes);
  assert.match(
    (await here("verify", "--key", at("other.pub"), fw)).stderr,
    /^error: .*: signature does not match the file\n$/,
  );
});

test("keygen never overwrites, and never prints the private half", async (t) => {
  const { key } = setUp(t);
  const unchanged = readFileSync(key, "utf8");
  const { code, stdout, stderr } = await here("keygen", "--out", key);
  assert.deepEqual([code, stdout, stderr], [1, "", `error: ${key} exists already; a key is never overwritten\n`]);
  assert.equal(readFileSync(key, "utf8"), unchanged);
  assert.doesNotMatch(stdout + stderr, /PRIVATE/);
});

test("a wrong key or file is refused by one line, and nothing is changed", async (t) => {
  const { at, key, pub, fw } = setUp(t);
  const unchanged = readFileSync(fw);
  const pem = (name: string, curve: "P-384" | "secp256k1"): void => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
    writeFileSync(at(`${name}.pem`), privateKey.export({ format: "pem", type: "sec1" }), { mode: 0o600 });
    writeFileSync(at(`${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
  };
  pem("p384", "P-384");
  pem("k1", "secp256k1");
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(at("ed.pem"), privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  const locked = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  writeFileSync(
    at("locked.pem"),
    locked.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "secret" }),
    { mode: 0o600 },
  );
  writeFileSync(at("hello.txt"), "hello\n");
  writeFileSync(at("empty.bin"), "");
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["sign", "--key", pub, fw], /holds no private key; signing needs one/],
    [["sign", "--key", at("p384.pem"), fw], /a P-256 key is expected, this is secp384r1/],
    [["sign", "--key", at("k1.pem"), fw], /a P-256 key is expected, this is secp256k1/],
    [["sign", "--key", at("ed.pem"), fw], /a P-256 key is expected, this is ed25519/],
    [["sign", "--key", at("locked.pem"), fw], /not a key in PEM form, or protected by a passphrase/],
    [["sign", "--key", at("hello.txt"), fw], /holds no private key/],
    [["sign", "--key", at("none.pem"), fw], /none\.pem can not be read: there is no such file/],
    [["sign", "--key", key, at("none.bin")], /none\.bin can not be read: there is no such file/],
    [["sign", "--key", key, at("empty.bin")], /empty\.bin is empty/],
    [["sign", "--key", key, at(".")], /can not be read: it is a folder/],
    [["sign", fw], /required option '--key <file>' not specified/],
    [["verify", "--key", at("p384.pub"), fw], /a P-256 key is expected, this is secp384r1/],
    [["verify", "--key", at("hello.txt"), fw], /not a key in PEM form/],
    [["verify", "--key", pub, fw], /the file is not signed/],
    [["verify", "--key", pub, at("empty.bin")], /the file is not signed/],
    [["verify", "--key", pub, at("none.bin")], /none\.bin can not be read/],
    [["keygen", "--out", join(at("none"), "key.pem")], /can not be written: there is no such file or folder/],
  ];
  await refusesEach(cases);
  assert.deepEqual(readFileSync(fw), unchanged);
});

test("sign warns of a private key that others may read, and signs", async (t) => {
  const { key, fw } = setUp(t);
  chmodSync(key, 0o644);
  const { code, stderr } = await xsOta("sign", "--key", key, fw);
  assert.equal(code, 0);
  assert.ok(stderr.startsWith(`warning: ${key} holds a secret that others may read: chmod 600 is better\n`), stderr);
});

test("sign and verify name a file that no bootloader would start", async (t) => {
  const { at, key, pub } = setUp(t);
  writeFileSync(at("app.elf"), Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(200)]));
  const problem = "boots nowhere: not an ESP image: it begins with 0x7f, not 0xe9 (an ELF file)";
  const unsigned = await here("verify", "--key", pub, at("app.elf"));
  assert.equal(unsigned.stderr, `error: ${at("app.elf")}: the file is not signed (${problem})\n`);
  const { code, stderr } = await xsOta("sign", "--key", key, at("app.elf"));
  assert.deepEqual([code, stderr], [0, `${at("app.elf")}: signed, 300 bytes (${problem})\n`]);
  assert.equal(
    (await xsOta("verify", "--key", pub, at("app.elf"))).stderr,
    `${at("app.elf")}: signed by this key (${problem})\n`,
  );
  writeFileSync(at("good.bin"), buildImage({ version: "1.0", payload: Buffer.from("1") }));
  assert.match((await xsOta("sign", "--key", key, at("good.bin"))).stderr, /^.*good\.bin: signed, \d+ bytes\n$/);
  assert.match(
    (await xsOta("inspect", at("good.bin"))).stdout,
    /^image of firmware 1\.0, product xs-ota-board, chip 0, \d+ bytes, signed\n$/,
  );
});

test("sign asks for a security floor where the version has no order", async (t) => {
  const { at, key } = setUp(t);
  const warns = async (version: string, securityFloor: number): Promise<boolean> => {
    writeFileSync(at("fw.bin"), buildImage({ version, securityFloor, payload: Buffer.from("1") }));
    const { code, stderr } = await xsOta("sign", "--key", key, at("fw.bin"));
    assert.equal(code, 0);
    return stderr.includes(`version "${version}" has no order and the security floor is 0`);
  };
  assert.deepEqual(
    [await warns("nightly", 0), await warns("nightly", 3), await warns("1.2.3", 0), await warns("2026-9-30", 0)],
    [true, false, false, false],
  );
});

test("a file signed by OpenSSL alone verifies", async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ["der-71.trailer", "der-71-named.trailer"]) {
    const path = join(folder, name);
    writeFileSync(
      path,
      Buffer.concat([readFileSync(join(VECTORS, "firmware.bin")), readFileSync(join(VECTORS, name))]),
    );
    assert.equal((await here("verify", "--key", join(VECTORS, "public.pem"), path)).code, 0);
    assert.equal((await here("verify", "--key", join(VECTORS, "other.pem"), path)).code, 1);
  }
});

/** Commands that docs/SPEC.md gives, in the order in which they stand there. */
function recipe(): string {
  const text = readFileSync(new URL("../../docs/SPEC.md", import.meta.url), "utf8");
  const section = /### With OpenSSL alone\n([^]*?)\n#/.exec(text)?.[1] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .join("\n");
}

const openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl", "/opt/homebrew/bin/openssl"].find((path) =>
  existsSync(path),
);

test(
  "the commands of docs/SPEC.md do what it says, and OpenSSL's key signs here too",
  { skip: openssl === undefined && "OpenSSL is not installed" },
  async (t) => {
    const folder = temporaryFolder(t);
    const at = (name: string): string => join(folder, name);
    writeFileSync(at("fw.bin"), Buffer.alloc(3_000, 7));
    const said = execFileSync("bash", ["-e", "-c", recipe()], { cwd: folder, stdio: "pipe" }).toString();
    assert.equal(said, "Verified OK\n");
    assert.equal(readFileSync(at("fw.bin")).length, 3_096);
    assert.equal((await here("verify", "--key", at("pub.pem"), at("fw.bin"))).code, 0);
    // With and without the block that names the curve.
    const withParameters = execFileSync(openssl!, ["ecparam", "-name", "prime256v1", "-genkey"]).toString();
    assert.match(withParameters, /EC PARAMETERS/);
    writeFileSync(at("long.pem"), withParameters, { mode: 0o600 });
    for (const key of ["key.pem", "long.pem"]) {
      assert.equal((await here("sign", "--key", at(key), at("fw.bin"))).code, 0);
      assert.equal((await here("verify", "--key", at(key), at("fw.bin"))).code, 0);
    }
  },
);
