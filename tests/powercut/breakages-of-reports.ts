/**
 * What can be done wrong with outcomes, trials and the store, and what wedges a device. Where a device can not be made to do it, the step
 * is reported to the checks as if it had.
 */
import { encodeOutcome, KEY_JOB, KEY_OFFSET, KEY_OUTCOME, KEY_STATE } from "../../src/job/record";
import { KEY_REFUSED, RefusedImages } from "../../src/job/refused";
import type { Surroundings } from "./simulation/device";
import type { Heard } from "./simulation/cloud-side";
import { judgeRequest } from "./checks/fetch-watch";
import { connected, judgeReport } from "./checks/report-watch";
import { imageOf } from "./simulation/world";
import { FACTORY, SECTOR, firstPush, forgetting, inRecord, onTrial, once, outcomeStored } from "./breakages";
import type { Breakage } from "./breakages";
import { afterStep, beforeStart, onStore, withBoot, withDevice, withPorts, withStore } from "./broken-device";

/** Says something on a connection that has carried nothing yet. */
function say({ world, watch }: Surroundings, report: Heard): void {
  judgeReport(world, watch, connected(watch), report);
}

const failed = (message: string): Heard => ({
  kind: "outcome",
  done: false,
  cause: "rolled-back",
  message,
  version: "0.2.0",
});
const DONE: Heard = { kind: "outcome", done: true, cause: undefined, message: "", version: "0.2.0" };

export const BREAKAGES_OF_REPORTS: readonly Breakage[] = [
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
    make: () =>
      withStore((store) => ({
        setBytes: (key, bytes) => (key === KEY_OUTCOME ? undefined : store.setBytes(key, bytes)),
      })),
  },
  {
    check: "one outcome",
    device: "changes the outcome that it has stored",
    story: "unhealthy",
    make: () =>
      withStore((store, { watch }) => ({
        setBytes: (key, bytes) => {
          store.setBytes(key, bytes);
          if (key === KEY_OUTCOME)
            store.setBytes(
              key,
              encodeOutcome(watch.job!.identity, { kind: "fail", cause: "flash", message: "another one" }),
            );
        },
      })),
  },
  {
    check: "one outcome",
    device: "says its outcome after the acknowledgement",
    story: "good",
    make: () =>
      afterStep(
        once(
          (surroundings) => say(surroundings, DONE),
          ({ world }) => world.ledger.acknowledged,
        ),
      ),
  },
  {
    check: "one outcome",
    device: "says another outcome than the one in the store",
    story: "unhealthy",
    make: () =>
      beforeStart(
        once(
          (surroundings) => say(surroundings, failed("health check: the moon was full")),
          ({ watch }) => watch.outcome?.kind === "fail",
        ),
      ),
  },
  {
    check: "order of reports",
    device: "says its version before a fail that waits",
    story: "unhealthy",
    make: () =>
      beforeStart(
        once(
          (surroundings) => say(surroundings, { kind: "version", version: FACTORY }),
          ({ watch }) => watch.outcome?.kind === "fail",
        ),
      ),
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
    make: () =>
      afterStep(
        once(
          (surroundings) => say(surroundings, DONE),
          ({ watch }) => watch.outcome?.kind === "done",
        ),
      ),
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
          (surroundings) =>
            say(surroundings, failed((surroundings.watch.outcome as { readonly message: string }).message)),
          ({ watch }) => watch.outcome?.kind === "fail" && watch.job?.record.slot === watch.running.slot,
        ),
      ),
  },
  {
    check: "health before confirm",
    device: "confirms itself at start",
    story: "good",
    make: () =>
      beforeStart(
        once(
          ({ watch }) => watch.ports.boot.confirm(),
          ({ watch }) => !watch.confirmed,
        ),
      ),
  },
  {
    check: "blame",
    device: "remembers a good image as one to refuse",
    story: "good",
    make: () =>
      beforeStart(
        once((surroundings) =>
          surroundings.watch.ports.store.setBytes(
            KEY_REFUSED,
            new RefusedImages(undefined).remember(firstPush(surroundings).offer.digest, "rolled-back")!,
          ),
        ),
      ),
  },
  {
    check: "blame",
    device: "does not remember an image that failed by itself",
    story: "unhealthy",
    make: () =>
      withStore((store) => ({
        setBytes: (key, bytes) => (key === KEY_REFUSED ? undefined : store.setBytes(key, bytes)),
      })),
  },
  {
    check: "blame",
    device: "tries an image again that failed by itself",
    story: "unhealthy",
    where: outcomeStored,
    make: () =>
      withStore((store, { watch }) => ({
        getBytes: (key) => (key === KEY_REFUSED && watch.running.version === FACTORY ? undefined : store.getBytes(key)),
      })),
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
    make: () =>
      beforeStart(
        once((surroundings) => surroundings.world.ledger.note(imageOf(firstPush(surroundings).offer), { tried: true })),
      ),
  },
  {
    check: "trial repeated",
    device: "does not store that a trial begins",
    story: "good",
    make: () =>
      withStore((store) => ({
        setNumber: (key, value) =>
          key === KEY_STATE && ((value >>> 8) & 0xff) === 2 ? undefined : store.setNumber(key, value),
      })),
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
    make: () =>
      beforeStart(
        once(
          ({ watch }) => watch.ports.flash.erase(1),
          ({ watch }) => !watch.confirmed,
        ),
      ),
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
    make: () =>
      beforeStart(
        once((surroundings) =>
          judgeRequest(surroundings.watch, firstPush(surroundings), firstPush(surroundings).file.length, 0),
        ),
      ),
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
    make: () =>
      onStore((store) => ({
        setNumber: (key, value) => (key === KEY_OFFSET ? undefined : store.setNumber(key, value)),
      })),
  },
  {
    check: "story's end",
    device: "answers, and takes no offer",
    story: "good",
    make: () => withDevice(() => ({ step: () => false })),
  },
];
