/** A cloud whose disk fills up. The database's own limit of pages stands for that: SQLite reports both alike. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { narrate } from "../../host-sim/cli/cloud-progress";
import { createCloudHost, type CloudHost } from "../../host-sim/cloud/cloud-host";
import { PackageWriter } from "../../host-sim/cloud/core/files/package-writer";
import { buildImage } from "../../hal/model-chip/build-image";
import { call, ok } from "../console/helpers";
import { temporaryFolder } from "../kit/folder";
import { BOARD, BOARD_ID, Board, heard } from "./helpers";

async function openHost(t: TestContext, state: string, said: string[] = []): Promise<CloudHost> {
  const host = await createCloudHost({ cloud: { state }, engine: "node", failed: (line) => said.push(line) });
  t.after(() => host.close());
  narrate(host.cloud, (line) => said.push(line));
  await host.start();
  return host;
}

/** No byte more, not even in the place of the reserve. Returns the way to make room again. */
function fill({ cloud }: CloudHost, state: string): () => void {
  const { page_count: pages } = cloud.database!.all("PRAGMA page_count")[0] as { page_count: number };
  cloud.database!.run(`PRAGMA max_page_count = ${pages}`);
  // Nothing can be made under this name.
  mkdirSync(join(state, "reserve.part"));
  return () => {
    cloud.database!.run("PRAGMA max_page_count = 1000000");
    rmdirSync(join(state, "reserve.part"));
  };
}

const identity = (deviceName: string): object => ({ ...BOARD, deviceName });
const devices = (...names: string[]): object => ({
  devices: names.map((name) => ({ platform: "tencent", identity: identity(name) })),
});
/** Fills what is left of the last pages. */
const many = devices(...Array.from({ length: 200 }, (_, at) => `a-device-with-a-long-name-${at}`));

test("the cloud lives on, says why, lists nothing that it refused, and goes on when there is room", async (t) => {
  const state = temporaryFolder(t);
  const said: string[] = [];
  const host = await openHost(t, state, said);
  const { cloud } = host;
  cloud.addDevice("tencent", BOARD);
  const board = await Board.connect(cloud);
  const makeRoom = fill(host, state);

  // What was begun before anybody knew is taken, and waits.
  assert.equal((await call(host, "/devices", { method: "POST", body: many })).status, 201);
  assert.equal(cloud.keeper?.trouble, "the disk is full");
  assert.deepEqual(said.slice(1), [
    "the disk is full: nothing new is taken and no further device is asked until that is over",
  ]);
  const before = cloud.devices.list().length;
  const refused: [string, string, unknown][] = [
    ["POST", "/devices", devices("late")],
    ["POST", "/packages/samples", { version: "0.3.0" }],
    ["POST", "/packages", buildImage({ version: "0.4.0", payload: Buffer.from("1") })],
    ["POST", "/boards", {}],
  ];
  for (const [method, path, body] of refused) {
    const answer = await call(host, path, { method, body: body as object });
    assert.deepEqual([answer.status, answer.json()], [507, { error: "the disk is full" }], path);
    assert.equal(said.at(-1), `POST /cloud/v1${path} refused: the disk is full`);
  }
  assert.equal(cloud.devices.list().length, before);
  assert.deepEqual([cloud.packages.list(), host.boards.list(), readdirSync(join(state, "packages"))], [[], [], []]);
  const { warnings } = await ok<{ warnings: string[] }>(host, "/overview");
  assert.match(warnings.join(), /^the disk is full/);

  // Devices are heard, and what can be taken away is.
  await board.version("0.1.7");
  await heard(cloud, BOARD_ID, "0.1.7");
  assert.equal(cloud.devices.get(BOARD_ID)?.version, "0.1.7");
  await ok(host, `/devices/${encodeURIComponent("tencent/A1B2C3D4E5/a-device-with-a-long-name-0")}`, {
    method: "DELETE",
  });

  makeRoom();
  assert.deepEqual(await once(cloud, "storage"), [undefined]);
  assert.equal(said.at(-1), "the state can be written again");
  await ok(host, "/devices", { method: "POST", body: devices("later") });
  await board.leave();
  await host.close();

  const again = await openHost(t, state);
  assert.equal(again.cloud.devices.get(BOARD_ID)?.version, "0.1.7");
  const names = again.cloud.devices.list().map(({ name }) => name);
  assert.equal(names.length, before);
  assert.ok(names.includes("later") && !names.includes("late") && !names.includes("a-device-with-a-long-name-0"));
});

test("what is under way when the disk fills up is stored in the place of the reserve", async (t) => {
  const state = temporaryFolder(t);
  const host = await openHost(t, state);
  const { cloud } = host;
  fill(host, state);
  assert.ok(existsSync(join(state, "reserve")));
  const run = cloud.database!.run.bind(cloud.database);
  // The room that the reserve gives back.
  t.mock.method(cloud.database!, "run", (sql: string, ...values: (string | number | null)[]) => {
    if (!existsSync(join(state, "reserve"))) cloud.database!.all("PRAGMA max_page_count = 1000000");
    run(sql, ...values);
  });
  assert.equal((await call(host, "/devices", { method: "POST", body: many })).status, 201);
  assert.ok(!existsSync(join(state, "reserve")));
  assert.equal(cloud.database!.all("SELECT id FROM devices").length, 200);
  assert.equal((await call(host, "/devices", { method: "POST", body: devices("late") })).status, 507);
});

test("an upload that fills the disk is refused, and nothing of it stays", async (t) => {
  const state = temporaryFolder(t);
  const said: string[] = [];
  const host = await openHost(t, state, said);
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  for (const step of ["write", "end"] as const) {
    const mock = t.mock.method(PackageWriter.prototype, step, () => Promise.reject(full));
    const body = buildImage({ version: "0.4.0", payload: Buffer.from("1") });
    const answer = await call(host, "/packages", { method: "POST", body });
    assert.deepEqual([answer.status, answer.json()], [507, { error: "the disk is full" }]);
    assert.equal(said.at(-1), "POST /cloud/v1/packages refused: the disk is full");
    mock.mock.restore();
  }
  assert.deepEqual([host.cloud.packages.list(), readdirSync(join(state, "packages"))], [[], []]);
});
