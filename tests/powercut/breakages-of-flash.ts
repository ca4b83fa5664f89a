/**
 * Broken devices: slots, checkpoints and boot entries. A step that no device can be made to do is reported to the
 * checks directly.
 */
import { decodeJob, encodeJob } from "../../src/job/job-codecs";
import { RECORDS } from "../../src/job/records";
import { buildImage } from "../../hal/model-chip/build-image";
import type { Surroundings } from "./simulation/device";
import { checkDownload } from "./checks/download-checks";
import { SECTOR, firstPush, forgetting, once, storing } from "./breakages";
import type { Breakage } from "./breakages";
import { beforeStart, withBoot, withFlash, withPorts, withStore } from "./broken-device";

const slotOf = ({ simulation, monitor }: Surroundings, other: boolean): number =>
  simulation.oracle.slots.partitions[other ? monitor.target : monitor.running.index].address;

/** The record of a job with another query in its URL. */
function withOtherQuery(bytes: Uint8Array): Uint8Array {
  const record = decodeJob(bytes)!;
  return encodeJob({ ...record, offer: { ...record.offer, url: `${record.offer.url}0` } });
}

export const BREAKAGES_OF_FLASH: readonly Breakage[] = [
  {
    check: "running slot untouched",
    device: "programs a byte of the slot that it runs from",
    scenario: "good",
    make: () =>
      beforeStart((surroundings) =>
        surroundings.simulation.board.chip.program(slotOf(surroundings, false) + 8192, Uint8Array.of(0)),
      ),
  },
  {
    check: "no half-written slot boots",
    device: "leaves a bootable image in the slot that nobody has offered",
    scenario: "good",
    make: () =>
      beforeStart(
        once((surroundings) => {
          const { chip } = surroundings.simulation.board;
          const image = buildImage({ version: "0.9.9", size: 8192, payload: Uint8Array.of(1, 2, 3) });
          for (let at = 0; at < image.length; at += SECTOR) {
            chip.erase(slotOf(surroundings, true) + at);
            chip.program(slotOf(surroundings, true) + at, image.subarray(at, at + SECTOR));
          }
          surroundings.monitor.ports.boot.restart();
        }),
      ),
  },
  {
    check: "no half-written slot boots",
    device: "leaves no slot that boots",
    scenario: "good",
    make: () =>
      beforeStart(
        once((surroundings) => {
          surroundings.simulation.board.chip.cells.erase(slotOf(surroundings, false), SECTOR);
          surroundings.monitor.ports.boot.restart();
        }),
      ),
  },
  {
    check: "no half-written slot boots",
    device: "leaves the head of an image that it has refused",
    scenario: "tail",
    make: () =>
      withFlash((flash, { monitor }) => ({
        erase: (sector) => (monitor.outcome === undefined ? flash.erase(sector) : undefined),
      })),
  },
  {
    check: "head last",
    device: "programs the head together with the first sector",
    scenario: "good",
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
    scenario: "good",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) => {
          store.setNumber(key, value);
          if (key === RECORDS.firmwareOffset.key)
            store.setNumber(RECORDS.phase.key, ((value & 0xffff0000) | (1 << 8)) >>> 0);
        },
      })),
  },
  {
    check: "head proven",
    device: "does not read the head back",
    scenario: "good",
    make: () => withFlash((flash) => ({ equals: (offset, bytes) => offset === 0 || flash.equals(offset, bytes) })),
  },
  {
    check: "head proven",
    device: "does not check the image",
    scenario: "good",
    make: () => withBoot((_, surroundings) => ({ verifyTarget: () => firstPush(surroundings).file.length })),
  },
  {
    check: "image before boot choice",
    device: "changes the boot choice after the first sector",
    scenario: "good",
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
    scenario: "good",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) => store.setNumber(key, key === RECORDS.firmwareOffset.key ? value + 1 : value),
      })),
  },
  {
    check: "checkpoint true",
    device: "does not read a sector back",
    scenario: "good",
    make: () => withFlash((flash) => ({ equals: (offset, bytes) => offset !== 0 || flash.equals(offset, bytes) })),
  },
  {
    check: "checkpoint true",
    device: "stores a checkpoint that belongs to no job",
    scenario: "good",
    make: () => beforeStart(once(({ monitor }) => monitor.ports.store.setNumber(RECORDS.firmwareOffset.key, 1))),
  },
  {
    check: "checkpoint true",
    device: "erases a sector at start that the checkpoint claims",
    scenario: "good",
    where: storing(3),
    make: () =>
      withPorts(({ flash }, { monitor }) => {
        if (monitor.job !== undefined) flash.erase(1);
        return {};
      }),
  },
  {
    check: "resume of the same image",
    device: "goes on in mid-file although the slot holds nothing of it",
    scenario: "good",
    make: () =>
      beforeStart(once((surroundings) => checkDownload(surroundings.monitor, firstPush(surroundings), 2 * SECTOR, 0))),
  },
  {
    check: "resume of the same image",
    device: "goes on with a URL that nobody gave it",
    scenario: "alone",
    where: storing(2),
    make: () =>
      withStore((store) => ({
        setBytes: (key, bytes) => store.setBytes(key, key === RECORDS.job.key ? withOtherQuery(bytes) : bytes),
      })),
  },
  {
    check: "bytes fetched again",
    device: "begins anew after a cut",
    scenario: "good",
    scale: "whole",
    where: storing(9),
    make: () => forgetting(RECORDS.firmwareOffset.key),
  },
  {
    check: "sector erases",
    device: "erases a sector twice",
    scenario: "good",
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
    scenario: "good",
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
    scenario: "good",
    make: () => beforeStart(once(({ monitor }) => monitor.ports.flash.erase(0))),
  },
  {
    check: "erased to its end",
    device: "writes where it has not erased",
    scenario: "good",
    make: () => withFlash((flash) => ({ erase: (sector) => (sector === 2 ? undefined : flash.erase(sector)) })),
  },
  {
    check: "entry invalidated",
    device: "leaves the boot entry of the slot that it erases",
    scenario: "twice",
    make: () => withBoot(() => ({ invalidateTarget: () => undefined })),
  },
];
