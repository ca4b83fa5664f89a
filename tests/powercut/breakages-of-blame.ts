/** Broken devices: which images they remember as refused. */
import { Denylist } from "../../src/job/denylist";
import { RECORDS } from "../../src/job/records";
import { FACTORY, firstPush, once, outcomeStored } from "./breakages";
import type { Breakage } from "./breakages";
import { beforeStart, withDevice, withStore } from "./broken-device";

export const BREAKAGES_OF_BLAME: readonly Breakage[] = [
  {
    check: "blame",
    device: "remembers a good image as one to refuse",
    scenario: "good",
    make: () =>
      beforeStart(
        once((surroundings) =>
          surroundings.monitor.ports.store.setBytes(
            RECORDS.denylist.key,
            new Denylist(undefined).add(firstPush(surroundings).offer.digest, "rolled-back")!,
          ),
        ),
      ),
  },
  {
    check: "blame",
    device: "forgets an image that failed by itself",
    scenario: "unhealthy",
    // The old firmware has read it by then, and has not reported yet.
    make: () =>
      withDevice((device, { monitor }) => ({
        start: () => {
          device.start();
          if (monitor.running.version === FACTORY) monitor.ports.store.delete(RECORDS.denylist.key);
        },
      })),
  },
  {
    check: "blame",
    device: "tries an image again that failed by itself",
    scenario: "unhealthy",
    where: outcomeStored,
    make: () =>
      withStore((store, { monitor }) => ({
        getBytes: (key) =>
          key === RECORDS.denylist.key && monitor.running.version === FACTORY ? undefined : store.getBytes(key),
      })),
  },
];
