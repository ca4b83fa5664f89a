/**
 * The attacker has the device, unsolders its flash chip, writes to it and puts it back. Only secure boot and flash
 * encryption protect boot entries and the running slot (docs/SECURITY.md). The agent's records must not be an easier
 * way.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Store } from "../../src/ports";
import { AbRecordStore } from "../../src/store/ab-record-store";
import { NAMESPACE } from "../../hal/model-chip/board-ports";
import { FileCells } from "../../host-sim/board/file-cells";
import { SECTOR_SIZE } from "../../hal/model-chip/flash-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { decodeJob, encodeHeader, encodeJob, encodeOffset, encodePhase, identityOf } from "../../src/job/job-codecs";
import { RECORDS } from "../../src/job/records";
import type { Phase } from "../../src/job/job-codecs";
import type { Offer } from "../../src/job/types";
import { signed } from "../signature/test-keys";
import { Bench, firmware, good, stranger } from "./bench";

/** The chip in the attacker's programmer. */
interface Opened {
  readonly store: Store;
  /** Puts a file into the slot that does not run. */
  fill(file: Uint8Array): void;
}

function tamper(bench: Bench, work: (opened: Opened) => void): void {
  const cells = FileCells.open(bench.flash);
  try {
    const chip = new FlashChip(cells);
    chip.powerOn();
    const table = PartitionTable.read(chip);
    work({
      store: new AbRecordStore(new Nvs(chip, table.nvs, NAMESPACE)),
      fill(file) {
        const { address, size } = table.slots[1];
        for (let at = 0; at < size; at += SECTOR_SIZE) chip.erase(address + at);
        chip.program(address, file);
      },
    });
  } finally {
    cells.close();
  }
}

/** Bytes per second: slow enough that the power can be cut in the middle of the download. */
const SLOW = 150_000;

/** A good update whose power is cut in the middle of the download. */
async function half(bench: Bench, file: Uint8Array): Promise<string> {
  const task = bench.cloud.push(bench.device, await bench.cloud.packages.add(file));
  for (let n = 1; ; n++) if (Number(Object(await bench.eventLog.until("state", n)).percent) >= 25) break;
  await bench.off();
  return task.id;
}

/** Changes to the records of a download that stands at a quarter. */
const TAMPERED: readonly { readonly name: string; readonly change: (store: Store, identity: number) => void }[] = [
  {
    name: "an offset far ahead of what is in flash",
    change: (store, identity) => store.setNumber(RECORDS.firmwareOffset.key, encodeOffset(identity, 90)),
  },
  {
    name: "an offset that says all is there",
    change: (store, identity) => store.setNumber(RECORDS.firmwareOffset.key, encodeOffset(identity, 98)),
  },
  {
    name: "another head",
    change: (store, identity) =>
      store.setBytes(
        RECORDS.firmwareHeader.key,
        encodeHeader(
          identity,
          Uint8Array.from({ length: 16 }, (_, index) => (index === 0 ? 0xe9 : 3)),
        ),
      ),
  },
  {
    name: "a state that says the digest matched",
    change: (store, identity) =>
      store.setNumber(
        RECORDS.phase.key,
        encodePhase(identity, { phase: "committing", activations: 0, trials: 0, refetched: false }),
      ),
  },
  {
    name: "a state that says the trial was cut short",
    change: (store, identity) =>
      store.setNumber(
        RECORDS.phase.key,
        encodePhase(identity, { phase: "trial", activations: 1, trials: 0, refetched: false }),
      ),
  },
];

for (const { name, change } of TAMPERED) {
  test(`half a download, and ${name}: the digest differs, all of it is downloaded once more and installed`, async (t) => {
    const bench = await Bench.start(t, { throttle: SLOW });
    await bench.listening();
    const file = await good("0.2.0", { size: 400_000 });
    const taskId = await half(bench, file);
    tamper(bench, ({ store }) => change(store, identityOf(decodeJob(store.getBytes(RECORDS.job.key))!)));
    bench.cloud.files.throttle = 4_000_000;
    await bench.on();
    const task = await bench.cloud.settled(taskId);
    assert.equal(task.status, "success", task.message);
    assert.ok(
      bench.eventLog.events.some(
        (event) =>
          event.event === "warning" &&
          /^MD5 of what is in flash is \w+; it is downloaded once more$/.test(String(Object(event).message)),
      ),
      "the digest has noticed it",
    );
    bench.runs(file, "0.2.0");
    assert.deepEqual(bench.cloud.violations(), []);
  });
}

/** Writes the records of a complete forged job, in the agent's format. */
function plant(store: Store, file: Uint8Array, version: string, phase: Phase): void {
  const hex = createHash("md5").update(file).digest("hex");
  const offer: Offer = {
    version,
    size: file.length,
    url: "http://127.0.0.1:1/forged.bin",
    digest: { algorithm: "MD5", hex },
  };
  const record = { platform: "tencent", slot: "ota_1", offer };
  const identity = identityOf(record);
  store.setBytes(RECORDS.job.key, encodeJob(record));
  store.setBytes(RECORDS.firmwareHeader.key, encodeHeader(identity, file.subarray(0, 16)));
  store.setNumber(RECORDS.firmwareOffset.key, encodeOffset(identity, Math.ceil(file.length / SECTOR_SIZE)));
  store.setNumber(RECORDS.phase.key, encodePhase(identity, { phase, activations: 1, trials: 0, refetched: false }));
}

const IMAGES = [
  [
    "a forged image",
    "6.6.6",
    async () => signed(await firmware("6.6.6"), stranger),
    /^signed by a key that is not trusted here$/,
  ],
  ["an unsigned image", "6.6.6", () => firmware("6.6.6"), /^the file is not signed$/],
  ["an old release", "0.0.9", () => good("0.0.9"), /^version 0\.0\.9 is older than the running 0\.1\.0/],
] as const;

for (const [name, version, make, message] of IMAGES) {
  for (const phase of ["downloading", "committing", "trial"] as const) {
    test(`${name} in the slot, with a job that says ${phase}`, async (t) => {
      const bench = await Bench.start(t);
      const file = await make();
      await bench.repelled(
        async () => {
          await bench.off();
          tamper(bench, ({ store, fill }) => {
            fill(file);
            plant(store, file, version, phase);
          });
          await bench.on();
          while (bench.ends().length === 0)
            await new Promise<void>((resolve) => bench.cloud.once("message", () => resolve()));
        },
        { code: -5, message },
      );
    });
  }
}

test("a denylist filled with garbage counts as empty and refuses nothing", async (t) => {
  const bench = await Bench.start(t);
  await bench.listening();
  await bench.off();
  tamper(bench, ({ store }) => store.setBytes(RECORDS.denylist.key, new Uint8Array(3_000).fill(1)));
  await bench.on();
  await bench.serves();
});

test("a minimum security version lowered in the store is raised again at the next start", async (t) => {
  const bench = await Bench.start(t, { factory: { securityFloor: 3 }, json: () => ({ allowDowngrade: true }) });
  await bench.repelled(
    async () => {
      await bench.off();
      tamper(bench, ({ store }) => store.setNumber(RECORDS.minimumSecurityVersion.key, 0));
      await bench.on();
      await bench.offer(await good("0.0.9", { securityFloor: 1 }), "0.0.9");
    },
    { code: -5, message: /^security floor of the image is 1, this device has seen 3$/ },
  );
});
