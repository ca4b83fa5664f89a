/** Broken devices: outcomes, trials, the store, and wedged devices. Some steps are reported to the checks directly. */
import { encodeOutcome } from "../../src/job/job-codecs";
import { RECORDS } from "../../src/job/records";
import { checkRequest } from "./checks/download-checks";
import { imageOf } from "./simulation/simulation-state";
import { DONE, FACTORY, SECTOR, failed, firstPush, forgetting, inRecord, onTrial, once, report } from "./breakages";
import type { Breakage } from "./breakages";
import { afterStep, beforeStart, onStore, withBoot, withDevice, withPorts, withStore } from "./broken-device";

export const BREAKAGES_OF_REPORTS: readonly Breakage[] = [
  {
    check: "one outcome",
    device: "forgets the job in mid-download",
    scenario: "good",
    make: () =>
      withPorts(({ flash, store }) => ({
        flash: {
          ...flash,
          erase: (sector) => {
            flash.erase(sector);
            if (sector === 2) store.delete(RECORDS.job.key);
          },
        },
      })),
  },
  {
    check: "one outcome",
    device: "gives itself up without storing why",
    scenario: "unhealthy",
    make: () =>
      withStore((store) => ({
        setBytes: (key, bytes) => (key === RECORDS.outcome.key ? undefined : store.setBytes(key, bytes)),
      })),
  },
  {
    check: "one outcome",
    device: "changes the outcome that it has stored",
    scenario: "unhealthy",
    make: () =>
      withStore((store, { monitor }) => ({
        setBytes: (key, bytes) => {
          store.setBytes(key, bytes);
          if (key === RECORDS.outcome.key)
            store.setBytes(
              key,
              encodeOutcome(monitor.job!.identity, { kind: "fail", cause: "flash", message: "another one" }),
            );
        },
      })),
  },
  {
    check: "one outcome",
    device: "says its outcome after the acknowledgement",
    scenario: "good",
    make: () =>
      afterStep(
        once(
          (surroundings) => report(surroundings, DONE),
          ({ simulation }) => simulation.ledger.acknowledged,
        ),
      ),
  },
  {
    check: "one outcome",
    device: "says another outcome than the one in the store",
    scenario: "unhealthy",
    make: () =>
      beforeStart(
        once(
          (surroundings) => report(surroundings, failed("health check: the moon was full")),
          ({ monitor }) => monitor.outcome?.kind === "fail",
        ),
      ),
  },
  {
    check: "order of reports",
    device: "says its version before a fail that waits",
    scenario: "unhealthy",
    make: () =>
      beforeStart(
        once(
          (surroundings) => report(surroundings, { kind: "version", version: FACTORY }),
          ({ monitor }) => monitor.outcome?.kind === "fail",
        ),
      ),
  },
  {
    check: "order of reports",
    device: "goes back in its percentage",
    scenario: "good",
    make: () =>
      beforeStart(
        once((surroundings) => {
          for (const percent of [50, 10]) report(surroundings, { kind: "progress", percent, version: "0.2.0" });
        }),
      ),
  },
  {
    check: "order of reports",
    device: "says done before its version",
    scenario: "good",
    make: () =>
      afterStep(
        once(
          (surroundings) => report(surroundings, DONE),
          ({ monitor }) => monitor.outcome?.kind === "done",
        ),
      ),
  },
  {
    check: "done after confirm",
    device: "stores that it stays and does not confirm",
    scenario: "good",
    make: () => withBoot(() => ({ confirm: () => undefined })),
  },
  {
    check: "done after confirm",
    device: "reports a version that it is not",
    scenario: "good",
    make: () => beforeStart(once((surroundings) => report(surroundings, { kind: "version", version: "0.2.0" }))),
  },
  {
    check: "done after confirm",
    device: "reports its rollback before it goes",
    scenario: "unhealthy",
    make: () =>
      afterStep(
        once(
          (surroundings) =>
            report(surroundings, failed((surroundings.monitor.outcome as { readonly message: string }).message)),
          ({ monitor }) => monitor.outcome?.kind === "fail" && monitor.job?.record.slot === monitor.running.slot,
        ),
      ),
  },
  {
    check: "health before confirm",
    device: "confirms itself at start",
    scenario: "good",
    make: () =>
      beforeStart(
        once(
          ({ monitor }) => monitor.ports.boot.confirm(),
          ({ monitor }) => !monitor.confirmed,
        ),
      ),
  },
  {
    check: "trial repeated",
    device: "counts a trial that was cut short twice, and gives the image up",
    scenario: "good",
    where: onTrial,
    make: () =>
      withStore((store) => ({
        getNumber: (key) => {
          const value = store.getNumber(key);
          return key === RECORDS.phase.key && value !== undefined ? value + 1 : value;
        },
      })),
  },
  {
    check: "trial repeated",
    device: "downloads again what was on trial",
    scenario: "good",
    where: onTrial,
    make: () => forgetting(RECORDS.firmwareOffset.key, RECORDS.phase.key),
  },
  {
    check: "trial repeated",
    device: "downloads again what was on trial, after asking for its size",
    scenario: "panel",
    make: () =>
      beforeStart(
        once((surroundings) =>
          surroundings.simulation.ledger.note(imageOf(firstPush(surroundings).offer), { tried: true }),
        ),
      ),
  },
  {
    check: "trial repeated",
    device: "does not store that a trial begins",
    scenario: "good",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) =>
          key === RECORDS.phase.key && ((value >>> 8) & 0xff) === 2 ? undefined : store.setNumber(key, value),
      })),
  },
  {
    check: "never wedged",
    device: "does nothing and answers nobody",
    scenario: "good",
    make: () => withDevice(() => ({ step: () => false, answers: () => false })),
  },
  {
    check: "never wedged",
    device: "restarts for ever",
    scenario: "good",
    make: () => beforeStart(({ monitor }) => monitor.ports.boot.restart()),
  },
  {
    check: "never wedged",
    device: "is busy for ever",
    scenario: "good",
    make: () => withDevice(() => ({ step: () => true })),
  },
  {
    check: "never wedged",
    device: "throws",
    scenario: "good",
    make: () =>
      afterStep(() => {
        throw new Error("out of memory");
      }),
  },
  {
    check: "unconfirmed waits",
    device: "erases the other slot while it is on trial",
    scenario: "good",
    make: () =>
      beforeStart(
        once(
          ({ monitor }) => monitor.ports.flash.erase(1),
          ({ monitor }) => !monitor.confirmed,
        ),
      ),
  },
  {
    check: "bounded",
    device: "keeps a log in the store",
    scenario: "good",
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
    scenario: "good",
    make: () =>
      beforeStart(
        once(({ monitor }) => {
          try {
            monitor.ports.store.setBytes("large", new Uint8Array(4_000));
          } catch {
            // The store refuses it, too.
          }
        }),
      ),
  },
  {
    check: "bounded",
    device: "reads more than a sector at once",
    scenario: "good",
    make: () => beforeStart(once(({ monitor }) => monitor.ports.flash.read(0, new Uint8Array(SECTOR + 1)))),
  },
  {
    check: "bounded",
    device: "asks for a whole file at once",
    scenario: "good",
    scale: "whole",
    make: () =>
      beforeStart(
        once((surroundings) =>
          checkRequest(surroundings.monitor, firstPush(surroundings), firstPush(surroundings).file.length, 0),
        ),
      ),
  },
  {
    check: "record whole or absent",
    device: "finds a record in a worn store that nobody wrote",
    scenario: "good",
    where: inRecord,
    wear: true,
    make: () =>
      onStore((store) => ({
        getNumber: (key) => {
          const value = store.getNumber(key);
          return key === RECORDS.firmwareOffset.key && value !== undefined ? value ^ 0x8000 : value;
        },
      })),
  },
  {
    check: "store keeps",
    device: "has a store that loses what was set",
    scenario: "good",
    make: () =>
      onStore((store) => ({
        setNumber: (key, value) => (key === RECORDS.firmwareOffset.key ? undefined : store.setNumber(key, value)),
      })),
  },
  {
    check: "scenario's end",
    device: "answers, and takes no offer",
    scenario: "good",
    make: () => withDevice(() => ({ step: () => false })),
  },
];
