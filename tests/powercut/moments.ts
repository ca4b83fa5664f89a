/** Moments for a kill: events of the cloud, output lines of the board, changes of its flash, and random times. */
import { watch } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import { WEAR_FILE } from "../../host-sim/board/board-folder";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Device as CloudDevice, LoggedMessage } from "../../host-sim/cloud/core/devices/devices";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import { Traffic } from "../../host-sim/cloud/core/files/traffic";
import type { Device, Line } from "../../host-sim/demo/device-process";
import type { Random } from "./simulation/random";

/** One boot cycle of the board, and what a moment can observe. */
export interface Scene {
  readonly device: Device;
  readonly cloud: Cloud;
  readonly file: Package;
  readonly state: string;
}

export interface Moment {
  readonly name: string;
  /** Calls `now` at the moment, perhaps more than once. Returns a function that stops the observation. */
  watch(scene: Scene, now: () => void): () => void;
  /** It occurs once in an update: where it comes before earlier moments of the list, those were missed. */
  readonly milestone: boolean;
  /** Milliseconds from the moment to the kill; 0: at once, so that the PUBACK of a report does not arrive. */
  readonly delay: number;
}

/** A kill at any moment falls within so many milliseconds from power-on: while the board starts, or right after. */
const ANY = 1_000;

const any = (random: Random): Moment => ({
  name: "any moment",
  delay: random.below(ANY),
  milestone: false,
  watch: (_, now) => (now(), () => undefined),
});

/** After so many bytes of the file were served in this boot cycle. */
const served = (bytes: number, delay: number): Moment => ({
  name: "n-th byte served",
  delay,
  milestone: false,
  watch({ cloud, file }, now) {
    const before = cloud.traffic.ofPackage(file.id).bytes;
    const { traffic } = cloud;
    const counted = mock.method(traffic, "add", (...change: Parameters<typeof traffic.add>) => {
      Traffic.prototype.add.apply(traffic, change);
      if (traffic.ofPackage(file.id).bytes - before >= bytes) now();
    });
    return () => counted.mock.restore();
  },
});

/**
 * After so many changes of the chip's wear counters, which precede each operation. Changes in quick succession may
 * count as one.
 */
const flash = (count: number): Moment => ({
  name: "n-th change of flash",
  delay: 0,
  milestone: false,
  watch({ state }, now) {
    let changes = 0;
    const watcher = watch(join(state, WEAR_FILE), () => ++changes >= count && now());
    return () => watcher.close();
  },
});

function message(name: string, delay: number, is: (message: LoggedMessage, version: string) => boolean): Moment {
  return {
    name,
    delay,
    milestone: true,
    watch({ cloud, file }, now) {
      const heard = (_: CloudDevice, one: LoggedMessage): void => void (is(one, file.version) && now());
      cloud.on("message", heard);
      return () => cloud.off("message", heard);
    },
  };
}

function line(name: string, delay: number, is: (line: Line, version: string) => boolean): Moment {
  return {
    name,
    delay,
    milestone: true,
    watch({ device, file }, now) {
      const before = device.onEvent;
      device.onEvent = (event) => {
        before?.(event);
        if (is(event, file.version)) now();
      };
      return () => (device.onEvent = undefined);
    },
  };
}

const up = (name: string, delay: number, part: RegExp): Moment =>
  message(name, delay, ({ direction, payload }) => direction === "up" && part.test(payload));

const starts = ({ event, version }: Line, wanted: string): boolean => event === "boot" && version === wanted;

/** The kills of one update, in order. */
export function momentsOf(random: Random, size: number, faulty: boolean): Moment[] {
  const upToTrial = [
    any(random),
    message(
      "offer",
      random.below(12),
      ({ direction, payload }) => direction === "down" && payload.includes("update_firmware"),
    ),
    up("first progress", random.below(8), /"downloading"/),
    ...Array.from({ length: 2 }, () => served(1 + random.below(size / 4), random.below(4))),
    flash(1 + random.below(30)),
    flash(1 + random.below(30)),
    line("verifying", random.below(20), ({ state }) => state === "verifying"),
    up("burning", random.below(12), /"burning"/),
    // After a kill between the restart and the start of the new firmware there is no second restart.
    line("restart", random.below(40), (event, wanted) => event.event === "reboot" || starts(event, wanted)),
    line("new firmware starts", random.below(faulty ? 40 : 220), starts),
  ];
  return faulty
    ? [
        ...upToTrial,
        line("new firmware fails", random.below(60), ({ event }) => event === "reset"),
        up("fail", 0, /"fail"/),
        up("fail", random.below(5), /"fail"/),
      ]
    : [
        ...upToTrial,
        message(
          "new version",
          random.below(8),
          ({ direction, payload }, version) =>
            direction === "up" && payload.includes("report_version") && payload.includes(`"${version}"`),
        ),
        line("confirmed", random.below(4), ({ event }) => event === "confirmed"),
        up("done", 0, /"done"/),
        up("done", random.below(5), /"done"/),
      ];
}
