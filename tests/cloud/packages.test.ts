import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PackageStore } from "../../host-sim/cloud/core/files/packages";
import { buildImage } from "../../hal/model-chip/build-image";
import { containerOf } from "../kit/containers";
import { makeKey, signed } from "../signature/test-keys";
import { firmware } from "./helpers";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xs-ota-packages-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function hex(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** The head of an ESP image with an app description, which is all that is read of it. */
function image(version: string, project: string): Uint8Array {
  const bytes = Buffer.from(firmware(400));
  bytes.fill(0, 0, 32);
  bytes[0] = 0xe9;
  bytes[1] = 1;
  bytes[12] = 5;
  bytes.writeUInt32LE(360, 28);
  bytes.writeUInt32LE(0xabcd5432, 32);
  bytes.fill(0, 48, 112);
  bytes.write(version, 48);
  bytes.write(project, 80);
  return bytes;
}

async function contents(store: PackageStore, id: string): Promise<Buffer> {
  const reader = await store.reader(id);
  const parts: Uint8Array[] = [];
  const size = store.get(id)!.size;
  for (let at = 0; at < size;) {
    const part = await reader.read(at, Math.min(1000, size - at));
    parts.push(part);
    at += part.length;
  }
  await reader.close();
  return Buffer.concat(parts);
}

for (const where of ["memory", "a folder"]) {
  test(`packages in ${where}: facts, digests and content`, async () => {
    await withFolder(async (folder) => {
      const store = await PackageStore.open(where === "memory" ? undefined : folder);
      const bytes = firmware(12_345);
      const file = await store.add(bytes, { version: "1.0", name: "../../etc/passwd" });
      assert.match(file.id, /^[0-9a-f]{16}$/);
      assert.deepEqual([file.size, file.md5, file.sha256], [12_345, hex("md5", bytes), hex("sha256", bytes)]);
      assert.deepEqual(await contents(store, file.id), Buffer.from(bytes));
      assert.equal(await store.add(bytes, { version: "1.0" }), file);
      const renamed = await store.add(bytes, { version: "1.1" });
      assert.notEqual(renamed.id, file.id);
      assert.deepEqual(store.list(), [file, renamed]);
      assert.equal(store.find("1.1"), renamed);
      assert.equal(store.find("9"), undefined);
      await store.remove(file.id);
      await store.remove(file.id);
      assert.equal(store.get(file.id), undefined);
      await assert.rejects(store.reader(file.id), /no package/);
    });
  });
}

test("version and product come from the firmware block, which mcconfig's app description does not hold", async () => {
  const store = await PackageStore.open();
  const { version, imageVersion, project } = await store.add(
    buildImage({ version: "0.2.0", product: "thermostat", payload: Buffer.from("1") }),
  );
  assert.deepEqual([version, imageVersion, project], ["0.2.0", "0.2.0", "thermostat"]);
});

test("without a firmware block they come from the app description, unless another version is given", async () => {
  const store = await PackageStore.open();
  const file = await store.add(image("0.2.0", "board"));
  const { version, imageVersion, project, chip, name } = file;
  assert.deepEqual([version, imageVersion, project, chip, name], ["0.2.0", "0.2.0", "board", 5, "0.2.0.bin"]);
  const other = await store.add(image("0.2.0", "board"), { version: "9" });
  assert.deepEqual([other.version, other.imageVersion], ["9", "0.2.0"]);
});

test("a file that is no application image is taken under a given version, and named for what it is", async () => {
  const store = await PackageStore.open();
  const { imageVersion, problem } = await store.add(Buffer.from("<html>".padEnd(100)), { version: "1" });
  assert.equal(imageVersion, undefined);
  assert.match(problem ?? "", /\(text\)$/);
  const cut = await store.add(buildImage({ version: "0.2.0", payload: Buffer.alloc(900) }).subarray(0, 700));
  assert.equal(cut.imageVersion, "0.2.0");
  assert.match(cut.problem ?? "", /^ESP image: segment 2 ends at \d+, beyond 700 bytes$/);
});

test("refused: nothing, too much, no version, a version that is none", async () => {
  const store = await PackageStore.open();
  await assert.rejects(store.add(new Uint8Array(0), { version: "1" }), /empty/);
  await assert.rejects(store.add(new Uint8Array(64 * 1024 * 1024 + 1), { version: "1" }), /at most 67108864/);
  await assert.rejects(store.add(firmware(100)), /no version is given/);
  for (const version of ["", "a/b", "a\\b", "a\nb", "x".repeat(37)]) {
    await assert.rejects(store.add(firmware(100), { version }), /1 to 36 characters/);
  }
  await assert.rejects(store.add(Buffer.from("\x7fELF".padEnd(100))), /\(not an ESP image: .*\(an ELF file\)\)$/);
  assert.deepEqual(store.list(), []);
});

test("a folder is found again as it was; what a crash or a stranger left is not offered", async () => {
  await withFolder(async (folder) => {
    const store = await PackageStore.open(folder);
    const kept = await store.add(image("0.2.0", "board"));
    const damaged = await store.add(firmware(500), { version: "2" });
    const orphan = await store.add(firmware(600), { version: "3" });
    await writeFile(join(folder, `${damaged.id}.bin`), "short");
    await rm(join(folder, `${orphan.id}.json`));
    await writeFile(join(folder, "0123456789abcdef.bin.part"), "half");
    await writeFile(join(folder, "fedcba9876543210.json"), "{}");
    await writeFile(join(folder, "notes.txt"), "mine");
    const again = await PackageStore.open(folder);
    assert.deepEqual(again.list(), [kept]);
    assert.deepEqual(await contents(again, kept.id), Buffer.from(image("0.2.0", "board")));
    const names = await readdir(folder);
    assert.ok(names.includes("notes.txt"));
    assert.ok(!names.includes(`${orphan.id}.bin`) && !names.includes("0123456789abcdef.bin.part"));
    assert.equal(await readFile(join(folder, "notes.txt"), "utf8"), "mine");
  });
});

test("a folder that can not be one is an error", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "file"), "");
    await assert.rejects(PackageStore.open(join(folder, "file")), /packages can not be kept in .*file: /);
  });
});

test("a package tells whether it is signed and by which key, as far as the file says", async () => {
  const store = await PackageStore.open();
  const [body, key] = [firmware(2_000), makeKey()];
  const broken = signed(body, key);
  broken[broken.length - 1] = 1;
  const facts = async (bytes: Uint8Array, version: string): Promise<unknown> =>
    (await store.add(bytes, { version })).signature;
  assert.equal(await facts(body, "1"), undefined);
  assert.deepEqual(await facts(signed(body, key), "2"), {
    form: "good",
    key: createHash("sha256").update(key.point).digest("hex").slice(0, 8),
  });
  assert.deepEqual(await facts(signed(body, key, false), "3"), { form: "good", key: "" });
  assert.deepEqual(await facts(broken, "4"), {
    form: "bad",
    problem: "signature trailer is malformed: bytes behind the signature",
  });
  assert.equal(await facts(body.subarray(0, 50), "5"), undefined);
});

test("of a container the store knows what it makes and what each device fetches of it", async () => {
  const store = await PackageStore.open();
  const [old, next] = ["0.1.0", "0.2.0"].map((version) =>
    buildImage({ version, payload: Buffer.from(`firmware ${version}`), size: 100_000 }),
  );
  const { bytes, container } = containerOf(next!, [old!], { key: makeKey().privateKey });
  const { version, project, chip, problem, signature, container: facts } = await store.add(bytes);
  assert.deepEqual([version, project, chip, problem, signature?.form], ["0.2.0", "xs-ota-board", 0, undefined, "good"]);
  assert.deepEqual(facts, {
    image: 100_000,
    sha256: createHash("sha256").update(next!).digest("hex"),
    parts: [{ size: container.parts[0]!.length }, { from: "0.1.0", size: container.parts[1]!.length }],
  });
});
