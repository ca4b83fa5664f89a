import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openBoardFolder } from "../../host-sim/board/board-folder";
import { lockFolder } from "../../host-sim/board/folder-lock";
import { puppetImage } from "./puppet";
import { temporaryFolder } from "../kit/folder";

const factory = (): Promise<Uint8Array> => puppetImage("0.1.0", "");

test("an absent folder is made, an empty one filled, and the board found again", async (t) => {
  const folder = join(temporaryFolder(t), "a", "board");
  const first = await openBoardFolder(folder, undefined, factory);
  assert.deepEqual([first.isNew, first.chip.size], [true, 4 << 20]);
  first.close();
  const second = await openBoardFolder(folder, undefined, () => assert.fail("the factory was asked again"));
  assert.equal(second.isNew, false);
  second.close();
  assert.deepEqual(readdirSync(folder).sort(), ["flash.bin", "lock", "wear.bin"]);
});

test("the flash has the size that is asked for, and keeps it", async (t) => {
  const folder = temporaryFolder(t);
  const board = await openBoardFolder(folder, 8 << 20, factory);
  assert.equal(board.chip.size, 8 << 20);
  board.close();
  await assert.rejects(openBoardFolder(folder, 4 << 20, factory), /has 8 MB, the configuration says flashSize 4MB/);
  (await openBoardFolder(folder, undefined, factory)).close();
});

test("a folder of something else is refused and left as it was", async (t) => {
  const strange = temporaryFolder(t);
  writeFileSync(join(strange, "thesis.txt"), "important");
  await assert.rejects(openBoardFolder(strange, undefined, factory), /not a board's folder: it holds "thesis\.txt"/);
  assert.deepEqual(readdirSync(strange), ["thesis.txt"]);
  await assert.rejects(
    openBoardFolder(join(strange, "thesis.txt"), undefined, factory),
    /can not be used: it is no folder/,
  );

  const wrongSize = temporaryFolder(t);
  writeFileSync(join(wrongSize, "flash.bin"), "not a chip");
  await assert.rejects(openBoardFolder(wrongSize, undefined, factory), /10 bytes, a chip has 4, 8 or 16 MB/);

  const blank = temporaryFolder(t);
  writeFileSync(join(blank, "flash.bin"), Buffer.alloc(4 << 20, 0xff));
  await assert.rejects(openBoardFolder(blank, undefined, factory), /is not a board's flash: no partition table/);
});

test("a factory that fails leaves nothing behind", async (t) => {
  const folder = join(temporaryFolder(t), "board");
  await assert.rejects(
    openBoardFolder(folder, undefined, () => Promise.reject(new Error("no compiler"))),
    /no compiler/,
  );
  assert.equal(existsSync(folder), false);
});

test("a factory cut short is done again from the start", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "flash.bin.new"), "half");
  const board = await openBoardFolder(folder, undefined, factory);
  assert.equal(board.isNew, true);
  board.close();
  assert.deepEqual(readdirSync(folder).sort(), ["flash.bin", "lock", "wear.bin"]);
});

test("two of us can not have one board", async (t) => {
  const folder = temporaryFolder(t);
  const board = await openBoardFolder(folder, undefined, factory);
  await assert.rejects(openBoardFolder(folder, undefined, factory), /is in use by another process/);
  board.close();
  (await openBoardFolder(folder, undefined, factory)).close();
});

/** As in another container: with a network and process ids of its own, where this system allows that. */
const CONTAINER = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"];
const allowed = spawnSync(CONTAINER[0]!, [...CONTAINER.slice(1), "true"]).status === 0;

for (const [where, prefix] of [
  ["this system", []],
  ...(allowed ? [["another container", CONTAINER] as const] : []),
] as const) {
  test(`a process in ${where} has the folder until it is killed`, async (t) => {
    const folder = temporaryFolder(t);
    const lock = new URL("../../host-sim/board/folder-lock.ts", import.meta.url).href;
    const script = `import { lockFolder } from ${JSON.stringify(lock)}; await lockFolder(${JSON.stringify(folder)}); console.log("locked"); setInterval(() => {}, 1000);`;
    const [command, ...args] = [...prefix, process.execPath, "--import", "tsx", "--input-type=module", "-e", script];
    const other = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(other.stdout, "data");
    await assert.rejects(lockFolder(folder), { message: `${folder} is in use by another process` });
    other.kill("SIGKILL");
    await once(other, "close");
    const release = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), /is in use/);
    release();
    (await lockFolder(folder))();
    assert.deepEqual([readdirSync(folder), statSync(join(folder, "lock")).size], [["lock"], 0]);
  });
}
