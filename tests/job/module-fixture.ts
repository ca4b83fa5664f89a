/** A device with an installer of assets, for the tests of components. */
import { createHash } from "node:crypto";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import { SECTOR } from "../../src/constants";
import type { Offer } from "../../src/job/types";
import type { ModuleImage, ModuleInstaller } from "../../src/modules/installer";
import { PartitionInstaller } from "../../src/modules/partition-installer";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

export const assets = Uint8Array.from({ length: 5 * SECTOR + 100 }, (_, index) => (index * 7) & 0xff);
export const moduleOffer = (file: Uint8Array, version: string, change: Partial<Offer> = {}): Offer => ({
  version,
  size: file.length,
  url: "http://files/assets.bin",
  digest: { algorithm: "SHA256", hex: createHash("sha256").update(file).digest("hex") },
  module: "assets",
  component: "assets",
  ...change,
});
export const offer = moduleOffer(assets, "a1");
export const next = image("0.2.0");
export const firmware = offerOf(next, "0.2.0");

/** A board with the partition installer; `installed` collects what it was told. */
export function fixture(
  options: FixtureOptions & { installed?: ModuleImage[]; wrap?(installer: ModuleInstaller): ModuleInstaller } = {},
): JobFixture {
  const { installed = [], wrap = (installer) => installer, ...rest } = options;
  const modules = (board: MemoryBoard) => ({
    assets: wrap(new PartitionInstaller(board.ports.partition("assets"), (what) => installed.push(what))),
  });
  const made = new JobFixture({ modules, ...rest });
  made.connect();
  return made;
}

/** The installer with some of its calls replaced. */
export function changed(installer: ModuleInstaller, change: Partial<ModuleInstaller>): ModuleInstaller {
  return {
    capacity: installer.capacity,
    begin: (what, offset) => installer.begin(what, offset),
    write: (offset, bytes) => installer.write(offset, bytes),
    equals: (offset, bytes) => installer.equals(offset, bytes),
    read: (offset, into) => installer.read(offset, into),
    finish: (done) => installer.finish(done),
    abort: () => installer.abort(),
    ...change,
  };
}

export function stored(on: JobFixture, length = assets.length): Uint8Array {
  const bytes = new Uint8Array(length);
  on.board.ports.partition("assets").read(0, bytes);
  return bytes;
}

/** From here on: operations of flash that are neither in the module's partition nor in NVS. */
export function operationsElsewhere(on: JobFixture): readonly string[] {
  const { address, size } = on.board.table.data("assets");
  const { nvs } = on.board.table;
  const elsewhere: string[] = [];
  on.board.chip.onOperation = (operation) => {
    const inside = (at: number, length: number): boolean => operation.address >= at && operation.address < at + length;
    if (!inside(address, size) && !inside(nvs.address, nvs.size))
      elsewhere.push(`${operation.kind} ${operation.address}`);
  };
  return elsewhere;
}
