/** Checks of a board from outside its process: by the files in its folder, while the power is off. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FLASH_FILE, WEAR_FILE } from "../../host-sim/board/board-folder";
import type { BootResult } from "../../hal/model-chip/bootloader";
import { Bootloader, SLOT_LABELS } from "../../hal/model-chip/bootloader";
import { describe } from "../../host-sim/board/describe";
import type { BoardDescription } from "../../host-sim/board/describe";
import { MemoryCells } from "../../hal/model-chip/flash-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import { PartitionTable } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { Slots } from "../../hal/model-chip/slots";
import { readWear } from "../../host-sim/board/wear-file";
import type { Wear } from "../../host-sim/board/wear-file";
import { jobOf } from "../../host-sim/cli/inspect-job";
import type { JobInHand } from "../../host-sim/cli/inspect-job";

export type SlotLabel = (typeof SLOT_LABELS)[number];

/** All firmware images of the test, by version. */
export type Images = ReadonlyMap<string, Uint8Array>;

export interface SlotSeen {
  readonly label: SlotLabel;
  readonly bytes: Buffer;
  /** SHA-256 of all bytes. */
  readonly digest: string;
  readonly wear: Wear;
  /** The bootloader would start it. */
  readonly boots: boolean;
  /** Version of the complete image in it. */
  readonly holds: string | undefined;
}

export interface Seen {
  readonly slots: readonly [SlotSeen, SlotSeen];
  readonly entries: BoardDescription["boot"];
  /** The result of the next boot. */
  readonly next: BootResult;
  readonly job: JobInHand | undefined;
  /** The application's own keys in NVS. */
  readonly app: { readonly [key: string]: string | number | undefined };
  /** Digest of the chip without NVS, boot entries and slots. */
  readonly rest: string;
}

/** The application's own records in NVS: text, and a number. */
export const APP_TEXT = { ssid: "home", password: "correct horse battery staple", place: "greenhouse 3" } as const;
export const APP_RUNS = 200;
const APP = "app";

/**
 * Writes the application's records to a new board: so many writes of the counter that the agent's records soon make NVS
 * free pages.
 */
export function writeAppKeys(chip: FlashChip, nvs: Partition): void {
  const app = new Nvs(chip, nvs, APP);
  for (const [key, text] of Object.entries(APP_TEXT)) app.setString(key, Buffer.from(text));
  for (let run = 1; run <= APP_RUNS; run++) app.setNumber("runs", run);
}

/** Reads the folder without a change. */
export function look(folder: string, images: Images): Seen {
  const file = readFileSync(join(folder, FLASH_FILE));
  const cells = new MemoryCells(file.length);
  cells.set(0, file);
  const chip = new FlashChip(cells);
  const table = PartitionTable.read(chip);
  const slots = new Slots(chip, table, 0);
  const { boot, store } = describe(chip);
  const copy = new FlashChip(cells.fork());
  const app = new Nvs(copy, table.nvs, APP);
  const text = Object.keys(APP_TEXT).map((key) => [key, Buffer.from(app.getString(key) ?? []).toString()] as const);
  const seen = ([0, 1] as const).map((index): SlotSeen => {
    const { address, size } = table.slots[index];
    const bytes = file.subarray(address, address + size);
    const holds = [...images].find(([, image]) => bytes.subarray(0, image.length).equals(image))?.[0];
    return {
      label: SLOT_LABELS[index],
      bytes,
      digest: sha256(bytes),
      wear: readWear(join(folder, WEAR_FILE), address, size),
      boots: slots.boots(index) !== undefined,
      holds,
    };
  });
  return {
    slots: seen as unknown as Seen["slots"],
    entries: boot,
    next: new Bootloader(copy, table, new Slots(copy, table, 0)).boot(),
    job: jobOf(store).job,
    app: { ...Object.fromEntries(text), runs: app.getNumber("runs") },
    rest: sha256(without(file, [table.nvs, table.otadata, ...table.slots])),
  };
}

export function slotOf({ slots }: Pick<Seen, "slots">, label: string): SlotSeen {
  return slots[label === "ota_0" ? 0 : 1];
}

/** States of boot entries that ESP-IDF writes, and the erased state. */
const LEGAL = ["new", "pending", "valid", "invalid", "aborted", "undefined"];
const BOOTABLE = ["new", "pending", "valid", "undefined"];
const IMAGE_MAGIC = 0xe9;
/** First bytes of an image: held back in the job's record until the rest is verified. */
const HEAD = 16;

/** The violations in the present state of the board. `faulty`: versions that never work. */
export function wrongNow(seen: Seen, images: Images, faulty: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const expect = (holds: boolean, words: string): void => void (holds || found.push(words));
  const { slots, entries, next, job, app } = seen;
  for (const { label, bytes, boots, holds } of slots) {
    expect(!boots || holds !== undefined, `${label} would boot and holds no image that there is`);
    expect(
      bytes[0] !== IMAGE_MAGIC || holds !== undefined,
      `${label} has the head of an image and not the whole of one`,
    );
  }
  for (const entry of entries) {
    if (entry === undefined) continue;
    const { slot, state } = entry;
    const { boots, holds } = slotOf(seen, slot);
    expect(LEGAL.includes(state), `the boot entry of ${slot} says ${state}`);
    if (!BOOTABLE.includes(state)) continue;
    expect(boots, `the boot entry of ${slot} is ${state}, and nothing there boots`);
    expect(
      state !== "valid" || !faulty.has(holds ?? ""),
      `firmware ${holds} never worked, and its boot entry is valid`,
    );
  }
  expect(
    entries.filter((entry) => entry?.state === "new" || entry?.state === "pending").length <= 1,
    "two slots are on trial",
  );
  expect(next.bricked === undefined, `nothing boots: ${next.bricked}`);
  if (next.bricked === undefined && job !== undefined && (job.phase === "downloading" || job.phase === "committing")) {
    const target = slots[next.slot === "ota_0" ? 1 : 0];
    const entry = entries.find((one) => one?.slot === target.label);
    // Before the first sector is stored, the entry need not be invalidated yet.
    expect(
      job.stored === 0 || entry === undefined || !BOOTABLE.includes(entry.state),
      `${target.label} is being written, and its boot entry is ${entry?.state}`,
    );
    const image = images.get(job.version);
    const stored =
      image !== undefined &&
      target.bytes.subarray(HEAD, Math.max(HEAD, job.stored)).equals(image.subarray(HEAD, Math.max(HEAD, job.stored)));
    expect(stored, `the checkpoint says ${job.stored} bytes of ${job.version}, and the slot holds something else`);
  }
  for (const [key, value] of Object.entries({ ...APP_TEXT, runs: APP_RUNS }))
    expect(app[key] === value, `the application's ${key} is ${JSON.stringify(app[key])}`);
  return found;
}

/** A line `{"event":"boot"}` of a board. */
export interface Boot {
  readonly slot: string;
  readonly version: string;
  readonly trial: boolean;
}

/**
 * The violations between two states, with one power-on between them. `boots`: the starts of the firmware since then.
 */
export function wrongSince(before: Seen, after: Seen, boots: readonly Boot[]): string[] {
  const found: string[] = [];
  const [first] = boots;
  if (before.rest !== after.rest) found.push("something outside of NVS, boot entries and slots has changed");
  // The slot that ran first must not change before the power goes, and where nothing ran, neither slot may.
  for (const { label, digest, wear } of before.slots) {
    if (first !== undefined && first.slot !== label) continue;
    const now = slotOf(after, label);
    if (now.digest !== digest) found.push(`${label} has changed while it ran`);
    if (now.wear.erases !== wear.erases || now.wear.programs !== wear.programs)
      found.push(`${label} was erased or written while it ran`);
  }
  for (const { slot, version } of boots) {
    if (slotOf(after, slot).holds !== version) found.push(`${version} ran from ${slot}, which does not hold it whole`);
  }
  const expected =
    before.next.bricked === undefined
      ? { slot: before.next.slot, version: before.next.version, trial: before.next.trial }
      : undefined;
  if (
    first !== undefined &&
    JSON.stringify(expected) !== JSON.stringify({ slot: first.slot, version: first.version, trial: first.trial })
  ) {
    found.push(`${first.version} has started from ${first.slot}, expected was ${JSON.stringify(expected)}`);
  }
  return found;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The file with these partitions left out. */
function without(file: Buffer, partitions: readonly Partition[]): Buffer {
  const rest = Buffer.from(file);
  for (const { address, size } of partitions) rest.fill(0, address, address + size);
  return rest;
}
