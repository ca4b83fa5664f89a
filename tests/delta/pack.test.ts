import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildImage } from "../../hal/model-chip/build-image";
import { readContainer } from "../../src/container/format";
import { refusalOfSignature } from "../../src/signature/check";
import { TRAILER } from "../../src/signature/trailer";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { readKeyPoint } from "../../host-sim/cli/signing/keys";
import { expandPart } from "../../host-sim/delta/expand";
import { pack } from "../../host-sim/delta/pack";
import { temporaryFolder } from "../kit/folder";
import { xsOta, xsOtaError } from "../kit/xs-ota";

const vector = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`vectors/${name}`, import.meta.url)));
const VECTORS = new URL("vectors/", import.meta.url).pathname;

test("the container of the vectors is made byte for byte", async () => {
  const packed = await pack({ to: vector("0.3.0.bin"), from: [vector("0.1.0.bin"), vector("0.2.0.bin")] });
  assert.deepEqual(Buffer.from(packed.bytes), Buffer.from(vector("0.3.0.xsu")));
  assert.deepEqual(packed.left, []);
});

test("each part of the vector makes the new image, from the image that it names", () => {
  const file = vector("0.3.0.xsu");
  const { parts, file: made } = readContainer(file);
  assert.deepEqual(
    parts.map(({ base }) => base?.version),
    [undefined, "0.1.0", "0.2.0"],
  );
  for (const { base, offset, length, sha256 } of parts) {
    const part = file.subarray(offset, offset + length);
    assert.deepEqual(createHash("sha256").update(part).digest(), Buffer.from(sha256));
    const old = base === undefined ? new Uint8Array(0) : vector(`${base.version}.bin`).subarray(0, base.length);
    assert.deepEqual(Buffer.from(expandPart(part, old, made.length)), Buffer.from(vector("0.3.0.bin")));
  }
});

test("images that fit nothing are left out with the reason; what is no image is refused", async () => {
  const payload = Buffer.from("print(1);\n");
  const image = (version: string, more = {}): Uint8Array => buildImage({ version, payload, ...more });
  const to = image("0.2.0");
  const from = [image("0.1.0"), image("0.1.0"), to, image("0.1.1", { product: "lamp" }), image("0.1.2", { chip: 5 })];
  const { left, container } = await pack({ to, from });
  assert.deepEqual(left, [
    "0.1.0: it was given twice",
    "0.2.0: it is the new image itself",
    "0.1.1: it is of product lamp, the new image is of xs-ota-board",
    "0.1.2: it is for chip 5, the new image is for chip 0",
  ]);
  assert.equal(container.parts.length, 2);
  await assert.rejects(pack({ to: payload, from: [] }), /the new image: not an ESP image/);
  await assert.rejects(pack({ to, from: [image("0.1.0"), payload] }), /older image 2: not an ESP image/);
});

test("a comparison that takes too long leaves its image out", async () => {
  const image = (version: string): Uint8Array => buildImage({ version, payload: Buffer.alloc(10), size: 400_000 });
  const packing = pack({ to: image("0.2.0"), from: [image("0.1.0")], seconds: 0 });
  await assert.rejects(packing, /takes longer than 0 s/);
});

test("xs-ota pack writes the container, tells its parts, and inspect tells them again", async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, "update.xsu");
  const bin = (version: string): string => join(VECTORS, `${version}.bin`);
  const packed = await xsOta("pack", "--to", bin("0.3.0"), "--from", bin("0.1.0"), bin("0.2.0"), "--out", out);
  assert.equal(packed.code, 0, packed.stderr);
  const { parts } = readContainer(vector("0.3.0.xsu"));
  assert.deepEqual(JSON.parse(packed.stdout), {
    size: vector("0.3.0.xsu").length,
    full: vector("0.3.0.bin").length,
    parts: parts.map(({ base, length }) => ({ from: base?.version ?? null, size: length })),
  });
  assert.deepEqual(readFileSync(out), Buffer.from(vector("0.3.0.xsu")));
  const { stdout } = await xsOta("inspect", out);
  assert.match(stdout, /container of firmware 0\.3\.0, product vector/);
  assert.match(stdout, /from 0\.1\.0 .* bytes .* needs a slot of/);
  assert.match(stdout, /signature none/);
});

test("a signed container carries a signature of its head", async (t) => {
  const folder = temporaryFolder(t);
  const [key, out] = [join(folder, "key.pem"), join(folder, "update.xsu")];
  assert.equal((await xsOta("keygen", "--out", key)).code, 0);
  const packed = await xsOta("pack", "--to", join(VECTORS, "0.3.0.bin"), "--out", out, "--key", key);
  assert.equal(packed.code, 0, packed.stderr);
  const file = new Uint8Array(readFileSync(out));
  const { headLength, signed } = readContainer(file);
  assert.ok(signed);
  const covered = headLength - TRAILER;
  const hash = createHash("sha256").update(file.subarray(0, covered)).digest();
  const keys = [readKeyPoint(key)];
  assert.equal(refusalOfSignature(hash, file.subarray(covered, headLength), keys, new NodeCrypto()), undefined);
});

test("pack with a file that is not there leaves nothing behind", async (t) => {
  const out = join(temporaryFolder(t), "update.xsu");
  const { code, stderr } = await xsOtaError("pack", "--to", "nowhere.bin", "--out", out);
  assert.equal(code, 1);
  assert.match(stderr, /nowhere\.bin can not be read/);
  assert.ok(!existsSync(out));
});

test("inspect tells what is no container", async (t) => {
  const path = join(temporaryFolder(t), "text.txt");
  writeFileSync(path, "hello");
  const { code, stderr } = await xsOtaError("inspect", path);
  assert.equal(code, 1);
  assert.match(stderr, /not a container/);
});
