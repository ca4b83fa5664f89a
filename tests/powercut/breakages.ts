/**
 * One thing done wrong in each, and the named check that has to notice it. Where a device can not be made to do it, the step is reported
 * to the checks as if it had.
 */
import { decodeJob, encodeJob, encodeOutcome, KEY_JOB, KEY_OFFSET, KEY_OUTCOME, KEY_STATE } from "../../src/job/record";
import { KEY_REFUSED, RefusedImages } from "../../src/job/refused";
import { buildImage } from "../../host-sim/image/build-image";
import type { MakeDevice, Surroundings } from "../../host-sim/powercut/device";
import { judgeDownload, judgeRequest } from "../../host-sim/powercut/fetch-watch";
import type { Check } from "../../host-sim/powercut/ledger";
import type { Point } from "../../host-sim/powercut/life";
import { connected, judgeReport } from "../../host-sim/powercut/report-watch";
import type { Heard } from "../../host-sim/powercut/cloud-side";
import type { Push, Scale } from "../../host-sim/powercut/stories";
import { imageOf } from "../../host-sim/powercut/world";
import { afterStep, beforeStart, onStore, withBoot, withDevice, withFlash, withPorts, withStore } from "./broken-device";

export interface Breakage {
  readonly check: Check;
  /** What the device does wrong. */
  readonly device: string;
  readonly story: string;
  readonly scale?: Scale;
  /** A new one for each case. */
  make(): MakeDevice;
  /** Where the power goes, or with `wear` where an operation is lost; default: nowhere. */
  where?(point: Point): boolean;
  readonly wear?: boolean;
}

const SECTOR = 4096;
/** Address of ota_1 and end of NVS in the layout of world.ts. */
const OTHER_SLOT = 0x30000;
const NVS_END = 0xc000;
const FACTORY = "0.1.0";

/** Acts once in a case, however often it starts. */
function once(act: (surroundings: Surroundings) => void, when: (surroundings: Surroundings) => boolean = () => true): (surroundings: Surroundings) => void {
  let done = false;
  return (surroundings) => {
    if (done || !when(surroundings)) return;
    done = true;
    act(surroundings);
  };
}

/** Says something on a connection that has carried nothing yet. */
function say({ world, watch }: Surroundings, report: Heard): void {
  judgeReport(world, watch, connected(watch), report);
}

const failed = (message: string): Heard => ({ kind: "outcome", done: false, cause: "rolled-back", message, version: "0.2.0" });
const DONE: Heard = { kind: "outcome", done: true, cause: undefined, message: "", version: "0.2.0" };
const firstPush = ({ world }: Surroundings): Push => world.story.pushes[0]!;
const slotOf = ({ world, watch }: Surroundings, other: boolean): number => world.truth.slots.partitions[other ? watch.target : watch.running.index].address;
/** Places for cuts. */
const onTrial = ({ phase }: Point): boolean => phase === "trial";
const storing =
  (sector: number) =>
  ({ operation }: Point): boolean =>
    operation?.kind === "erase" && operation.address === OTHER_SLOT + sector * SECTOR;
/** The text of the job's record: the only program of NVS that is longer than two entries. */
const inRecord = ({ operation }: Point): boolean => operation?.kind === "program" && operation.address < NVS_END && operation.length > 64;

/** The entry that begins the record of the outcome. */
const outcomeStored = ({ operation }: Point): boolean => operation?.kind === "program" && operation.address < NVS_END && Buffer.from(operation.data).toString("latin1", 8, 12) === "out\0";

/** The old firmware finds nothing under these keys. */
function forgetting(...keys: string[]): MakeDevice {
  return withStore((store, { watch }) => ({ getNumber: (key) => (keys.includes(key) && watch.running.version === FACTORY ? undefined : store.getNumber(key)) }));
}

export const BREAKAGES: readonly Breakage[] = [
  {
    check: "running slot untouched",
    device: "programs a byte of the slot that it runs from",
    story: "good",
    make: () => beforeStart((surroundings) => surroundings.world.board.chip.program(slotOf(surroundings, false) + 8192, Uint8Array.of(0))),
  },
  {
    check: "no half-written slot boots",
    device: "leaves a bootable image in the slot that nobody has offered",
    story: "good",
    make: () =>
      beforeStart(
        once((surroundings) => {
          const { chip } = surroundings.world.board;
          const image = buildImage({ version: "0.9.9", size: 8192, payload: Uint8Array.of(1, 2, 3) });
          for (let at = 0; at < image.length; at += SECTOR) {
            chip.erase(slotOf(surroundings, true) + at);
            chip.program(slotOf(surroundings, true) + at, image.subarray(at, at + SECTOR));
          }
          surroundings.watch.ports.boot.restart();
        }),
      ),
  },
  {
    check: "no half-written slot boots",
    device: "leaves no slot that boots",
    story: "good",
    make: () =>
      beforeStart(
        once((surroundings) => {
          surroundings.world.board.chip.cells.erase(slotOf(surroundings, false), SECTOR);
          surroundings.watch.ports.boot.restart();
        }),
      ),
  },
  {
    check: "no half-written slot boots",
    device: "leaves the head of an image that it has refused",
    story: "tail",
    make: () => withFlash((flash, { watch }) => ({ erase: (sector) => (watch.outcome === undefined ? flash.erase(sector) : undefined) })),
  },
  {
    check: "head last",
    device: "programs the head together with the first sector",
    story: "good",
    make: () =>
      withFlash((flash, surroundings) => ({
        write: (offset, bytes) => {
          if (offset === 16) flash.write(0, firstPush(surroundings).file.subarray(0, 16));
          flash.write(offset, bytes);
        },
      })),
  },
  {
    check: "head last",
    device: "stores that the digest matched when the first sector is there",
    story: "good",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) => {
          store.setNumber(key, value);
          if (key === KEY_OFFSET) store.setNumber(KEY_STATE, ((value & 0xffff0000) | (1 << 8)) >>> 0);
        },
      })),
  },
  {
    check: "head proven",
    device: "does not read the head back",
    story: "good",
    make: () => withFlash((flash) => ({ equals: (offset, bytes) => offset === 0 || flash.equals(offset, bytes) })),
  },
  {
    check: "head proven",
    device: "does not check the image",
    story: "good",
    make: () => withBoot((_, surroundings) => ({ verifyTarget: () => firstPush(surroundings).file.length })),
  },
  {
    check: "image before boot choice",
    device: "changes the boot choice after the first sector",
    story: "good",
    make: () =>
      withPorts(({ flash, boot }) => ({
        flash: {
          ...flash,
          write: (offset, bytes) => {
            flash.write(offset, bytes);
            try {
              if (offset === 16) boot.activate();
            } catch {
              // The port refuses it, too; that it was tried is what counts.
            }
          },
        },
      })),
  },
  {
    check: "checkpoint true",
    device: "puts the checkpoint one sector ahead",
    story: "good",
    make: () => withStore((store) => ({ setNumber: (key, value) => store.setNumber(key, key === KEY_OFFSET ? value + 1 : value) })),
  },
  {
    check: "checkpoint true",
    device: "does not read a sector back",
    story: "good",
    make: () => withFlash((flash) => ({ equals: (offset, bytes) => offset !== 0 || flash.equals(offset, bytes) })),
  },
  {
    check: "checkpoint true",
    device: "stores a checkpoint that belongs to no job",
    story: "good",
    make: () => beforeStart(once(({ watch }) => watch.ports.store.setNumber(KEY_OFFSET, 1))),
  },
  {
    check: "checkpoint true",
    device: "erases a sector at start that the checkpoint claims",
    story: "good",
    where: storing(3),
    make: () =>
      withPorts(({ flash }, { watch }) => {
        if (watch.job !== undefined) flash.erase(1);
        return {};
      }),
  },
  {
    check: "resume of the same image",
    device: "goes on in mid-file although the slot holds nothing of it",
    story: "good",
    make: () => beforeStart(once((surroundings) => judgeDownload(surroundings.watch, firstPush(surroundings), 2 * SECTOR, 0))),
  },
  {
    check: "resume of the same image",
    device: "goes on with a URL that nobody gave it",
    story: "alone",
    where: storing(2),
    make: () =>
      withStore((store) => ({
        setBytes: (key, bytes) => store.setBytes(key, key === KEY_JOB ? withOtherQuery(bytes) : bytes),
      })),
  },
  {
    check: "bytes fetched again",
    device: "begins anew after a cut",
    story: "good",
    scale: "whole",
    where: storing(9),
    make: () => forgetting(KEY_OFFSET),
  },
  {
    check: "sector erases",
    device: "erases a sector twice",
    story: "good",
    make: () =>
      withFlash((flash) => ({
        erase: (sector) => {
          flash.erase(sector);
          if (sector === 2) flash.erase(sector);
        },
      })),
  },
  {
    check: "sector erases",
    device: "erases beyond the end of the image",
    story: "good",
    make: () =>
      withFlash((flash) => ({
        erase: (sector) => {
          flash.erase(sector);
          if (sector === 3) flash.erase(4);
        },
      })),
  },
  {
    check: "sector erases",
    device: "erases without a job",
    story: "good",
    make: () => beforeStart(once(({ watch }) => watch.ports.flash.erase(0))),
  },
  {
    check: "one outcome",
    device: "forgets the job in mid-download",
    story: "good",
    make: () =>
      withPorts(({ flash, store }) => ({
        flash: {
          ...flash,
          erase: (sector) => {
            flash.erase(sector);
            if (sector === 2) store.delete(KEY_JOB);
          },
        },
      })),
  },
  {
    check: "one outcome",
    device: "gives itself up without storing why",
    story: "unhealthy",
    make: () => withStore((store) => ({ setBytes: (key, bytes) => (key === KEY_OUTCOME ? undefined : store.setBytes(key, bytes)) })),
  },
  {
    check: "one outcome",
    device: "changes the outcome that it has stored",
    story: "unhealthy",
    make: () =>
      withStore((store, { watch }) => ({
        setBytes: (key, bytes) => {
          store.setBytes(key, bytes);
          if (key === KEY_OUTCOME) store.setBytes(key, encodeOutcome(watch.job!.identity, { kind: "fail", cause: "flash", message: "another one" }));
        },
      })),
  },
  {
    check: "one outcome",
    device: "says its outcome after the acknowledgement",
    story: "good",
    make: () => afterStep(once((surroundings) => say(surroundings, DONE), ({ world }) => world.ledger.acknowledged)),
  },
  {
    check: "one outcome",
    device: "says another outcome than the one in the store",
    story: "unhealthy",
    make: () => beforeStart(once((surroundings) => say(surroundings, failed("health check: the moon was full")), ({ watch }) => watch.outcome?.kind === "fail")),
  },
  {
    check: "order of reports",
    device: "says its version before a fail that waits",
    story: "unhealthy",
    make: () => beforeStart(once((surroundings) => say(surroundings, { kind: "version", version: FACTORY }), ({ watch }) => watch.outcome?.kind === "fail")),
  },
  {
    check: "order of reports",
    device: "goes back in its percentage",
    story: "good",
    make: () =>
      beforeStart(
        once((surroundings) => {
          for (const percent of [50, 10]) say(surroundings, { kind: "progress", percent, version: "0.2.0" });
        }),
      ),
  },
  {
    check: "order of reports",
    device: "says done before its version",
    story: "good",
    make: () => afterStep(once((surroundings) => say(surroundings, DONE), ({ watch }) => watch.outcome?.kind === "done")),
  },
  {
    check: "done after confirm",
    device: "stores that it stays and does not confirm",
    story: "good",
    make: () => withBoot(() => ({ confirm: () => undefined })),
  },
  {
    check: "done after confirm",
    device: "reports a version that it is not",
    story: "good",
    make: () => beforeStart(once((surroundings) => say(surroundings, { kind: "version", version: "0.2.0" }))),
  },
  {
    check: "done after confirm",
    device: "reports its rollback before it goes",
    story: "unhealthy",
    make: () =>
      afterStep(
        once(
          (surroundings) => say(surroundings, failed((surroundings.watch.outcome as { readonly message: string }).message)),
          ({ watch }) => watch.outcome?.kind === "fail" && watch.job?.record.slot === watch.running.slot,
        ),
      ),
  },
  {
    check: "health before confirm",
    device: "confirms itself at start",
    story: "good",
    make: () => beforeStart(once(({ watch }) => watch.ports.boot.confirm(), ({ watch }) => !watch.confirmed)),
  },
  {
    check: "blame",
    device: "remembers a good image as one to refuse",
    story: "good",
    make: () => beforeStart(once((surroundings) => surroundings.watch.ports.store.setBytes(KEY_REFUSED, new RefusedImages(undefined).remember(firstPush(surroundings).offer.digest, "rolled-back")!))),
  },
  {
    check: "blame",
    device: "does not remember an image that failed by itself",
    story: "unhealthy",
    make: () => withStore((store) => ({ setBytes: (key, bytes) => (key === KEY_REFUSED ? undefined : store.setBytes(key, bytes)) })),
  },
  {
    check: "blame",
    device: "tries an image again that failed by itself",
    story: "unhealthy",
    where: outcomeStored,
    make: () => withStore((store, { watch }) => ({ getBytes: (key) => (key === KEY_REFUSED && watch.running.version === FACTORY ? undefined : store.getBytes(key)) })),
  },
  {
    check: "trial repeated",
    device: "counts a trial that was cut short twice, and gives the image up",
    story: "good",
    where: onTrial,
    make: () =>
      withStore((store) => ({
        getNumber: (key) => {
          const value = store.getNumber(key);
          return key === KEY_STATE && value !== undefined ? value + 1 : value;
        },
      })),
  },
  {
    check: "trial repeated",
    device: "downloads again what was on trial",
    story: "good",
    where: onTrial,
    make: () => forgetting(KEY_OFFSET, KEY_STATE),
  },
  {
    check: "trial repeated",
    device: "downloads again what was on trial, after asking for its size",
    story: "panel",
    make: () => beforeStart(once((surroundings) => surroundings.world.ledger.note(imageOf(firstPush(surroundings).offer), { tried: true }))),
  },
  {
    check: "trial repeated",
    device: "does not store that a trial begins",
    story: "good",
    make: () => withStore((store) => ({ setNumber: (key, value) => (key === KEY_STATE && ((value >>> 8) & 0xff) === 2 ? undefined : store.setNumber(key, value)) })),
  },
  {
    check: "never wedged",
    device: "does nothing and answers nobody",
    story: "good",
    make: () => withDevice(() => ({ step: () => false, answers: () => false })),
  },
  {
    check: "never wedged",
    device: "restarts for ever",
    story: "good",
    make: () => beforeStart(({ watch }) => watch.ports.boot.restart()),
  },
  {
    check: "never wedged",
    device: "is busy for ever",
    story: "good",
    make: () => withDevice(() => ({ step: () => true })),
  },
  {
    check: "never wedged",
    device: "throws",
    story: "good",
    make: () =>
      afterStep(() => {
        throw new Error("out of memory");
      }),
  },
  {
    check: "unconfirmed waits",
    device: "erases the other slot while it is on trial",
    story: "good",
    make: () => beforeStart(once(({ watch }) => watch.ports.flash.erase(1), ({ watch }) => !watch.confirmed)),
  },
  {
    check: "entry invalidated",
    device: "leaves the boot entry of the slot that it erases",
    story: "twice",
    make: () => withBoot(() => ({ invalidateTarget: () => undefined })),
  },
  {
    check: "bounded",
    device: "keeps a log in the store",
    story: "good",
    scale: "whole",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) => {
          store.setNumber(key, value);
          store.setNumber(`log${value % 20}`, value);
        },
      })),
  },
  {
    check: "bounded",
    device: "keeps a record of more than a page",
    story: "good",
    make: () =>
      beforeStart(
        once(({ watch }) => {
          try {
            watch.ports.store.setBytes("large", new Uint8Array(4_000));
          } catch {
            // The store refuses it, too.
          }
        }),
      ),
  },
  {
    check: "bounded",
    device: "reads more than a sector at once",
    story: "good",
    make: () => beforeStart(once(({ watch }) => watch.ports.flash.read(0, new Uint8Array(SECTOR + 1)))),
  },
  {
    check: "bounded",
    device: "asks for a whole file at once",
    story: "good",
    scale: "whole",
    make: () => beforeStart(once((surroundings) => judgeRequest(surroundings.watch, firstPush(surroundings), firstPush(surroundings).file.length, 0))),
  },
  {
    check: "record whole or absent",
    device: "finds a record in a worn store that nobody wrote",
    story: "good",
    where: inRecord,
    wear: true,
    make: () =>
      onStore((store) => ({
        getNumber: (key) => {
          const value = store.getNumber(key);
          return key === KEY_OFFSET && value !== undefined ? value ^ 0x8000 : value;
        },
      })),
  },
  {
    check: "store keeps",
    device: "has a store that loses what was set",
    story: "good",
    make: () => onStore((store) => ({ setNumber: (key, value) => (key === KEY_OFFSET ? undefined : store.setNumber(key, value)) })),
  },
  {
    check: "story's end",
    device: "answers, and takes no offer",
    story: "good",
    make: () => withDevice(() => ({ step: () => false })),
  },
];

/** The record of a job with another query in its URL. */
function withOtherQuery(bytes: Uint8Array): Uint8Array {
  const record = decodeJob(bytes)!;
  return encodeJob({ ...record, offer: { ...record.offer, url: `${record.offer.url}0` } });
}
