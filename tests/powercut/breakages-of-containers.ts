/** Broken devices: containers that are staged and expanded. */
import { RECORDS } from "../../src/job/records";
import { SECTOR, storing } from "./breakages";
import type { Breakage } from "./breakages";
import { withFlash, withPorts, withStore } from "./broken-device";

/** First sector of the staged container of the scenario "delta" on small images: it takes four. */
const TAIL = 28;
/** EXPANDING in src/job/job-codecs.ts. */
const EXPANDING = 0x2000;

export const BREAKAGES_OF_CONTAINERS: readonly Breakage[] = [
  {
    check: "checkpoint true",
    device: "puts the checkpoint of a staged container one sector ahead",
    scenario: "delta",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) => store.setNumber(key, key === RECORDS.stagedOffset.key ? value + 1 : value),
      })),
  },
  {
    check: "checkpoint true",
    device: "puts the checkpoint of an expansion one sector ahead",
    scenario: "delta",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) => store.setNumber(key, key === RECORDS.firmwareOffset.key ? value + 1 : value),
      })),
  },
  {
    check: "checkpoint true",
    device: "erases a staged sector at start that the checkpoint claims",
    scenario: "delta",
    where: storing(TAIL + 2),
    make: () =>
      withPorts(({ flash }, { monitor }) => {
        if (monitor.job !== undefined) flash.erase(TAIL);
        return {};
      }),
  },
  {
    check: "head last",
    device: "expands a container before all of it is there",
    scenario: "delta",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) => {
          store.setNumber(key, value);
          if (key === RECORDS.stagedOffset.key)
            store.setNumber(RECORDS.phase.key, ((value & 0xffff0000) | EXPANDING) >>> 0);
        },
      })),
  },
  {
    check: "checkpoint true",
    device: "does not read back what it expands",
    scenario: "delta",
    make: () =>
      withFlash((flash) => ({
        write: (offset, bytes) => flash.write(offset, offset === 2 * SECTOR ? bytes.map((byte) => byte & 0xf0) : bytes),
        equals: (offset, bytes) => offset === 2 * SECTOR || flash.equals(offset, bytes),
      })),
  },
  {
    check: "bytes fetched again",
    device: "fetches a container anew after a cut in its expansion",
    scenario: "delta",
    where: storing(2),
    make: () =>
      withStore((store) => ({ getBytes: (key) => (key === RECORDS.staged.key ? undefined : store.getBytes(key)) })),
  },
  {
    check: "sector erases",
    device: "erases a sector of the container while it is expanded",
    scenario: "delta",
    make: () =>
      withFlash((flash) => ({
        erase: (sector) => {
          flash.erase(sector);
          if (sector === 2) flash.erase(TAIL);
        },
      })),
  },
];
