/**
 * What the firmware's start-up does before its JavaScript runs: hal/esp32/startup.c on the model's flash, in the same
 * order.
 */
import type { ResetReason, StartUp } from "../../src/ports";
import type { BootResult, BootloaderConfig } from "./bootloader";
import { Bootloader } from "./bootloader";
import { EspOta } from "./esp-ota";
import type { FlashChip } from "./flash-chip";
import { nextStart, nextWake, startsOf, wakesOf } from "./marks";
import { OtaData, State, activeEntry, isBlank, isOnTrial, names, slotOf } from "./otadata";
import type { EntryIndex, OtaEntries } from "./otadata";
import type { PartitionTable } from "./partitions";
import type { SlotIndex, Slots } from "./slots";

/** Starts of an image in one trial; the next is given up. */
export const STARTS_MAX = 3;
/** Deep-sleep wakes in one trial; the next is given up. */
export const WAKES_MAX = 20;
/** Longest trial with its sleep, ms. */
export const TRIAL_SINCE_MAX = 24 * 3_600_000;

export interface RtcMemory {
  /**
   * Number of the boot entry on trial, awake time before the last sleep and begin by the RTC, ms. Kept over deep sleep
   * alone.
   */
  trial?: { readonly seq: number; readonly awake: number; readonly began: number } | undefined;
  /** What ended the run that the guard gave up; for the start after it. Kept over all but a loss of power. */
  givenUp?: ResetReason | undefined;
  /** What the run before the next start has left of its recording. Kept likewise. */
  recording?: Uint8Array | undefined;
}

export interface StartUpParts {
  readonly chip: FlashChip;
  readonly table: PartitionTable;
  readonly slots: Slots;
  readonly rtc: RtcMemory;
  /** Time by the RTC, ms. */
  readonly rtcTime: () => number;
  /** Default: OWN_BOOTLOADER. */
  readonly bootloader?: BootloaderConfig;
}

export interface Started {
  readonly boot: BootResult;
  readonly startUp: StartUp;
  readonly resetReason: ResetReason;
}

/** Bootloader and start-up, up to the firmware's first line of JavaScript; once more where the guard gives it up. */
export function startChip(parts: StartUpParts, resetReason: ResetReason): Started {
  const { chip, table, slots, rtc, bootloader } = parts;
  if (resetReason === "power-on" || resetReason === "brown-out") rtc.givenUp = rtc.recording = undefined;
  if (resetReason !== "deep-sleep") rtc.trial = undefined;
  for (let reason = resetReason; ; reason = "software") {
    const boot = new Bootloader(chip, table, slots, bootloader).boot();
    const told = reason === "software" ? (rtc.givenUp ?? reason) : reason;
    rtc.givenUp = undefined;
    if (boot.bricked !== undefined) return { boot, startUp: NOT_ON_TRIAL, resetReason: told };
    const { startUp, givenUp } = startFirmware(parts, boot.slot === "ota_0" ? 0 : 1, reason);
    if (!givenUp) return { boot, startUp, resetReason: told };
    rtc.givenUp = told;
    rtc.trial = undefined;
  }
}

/** The start-up alone. `givenUp`: the firmware restarts, for the other slot's. */
export function startFirmware(
  parts: StartUpParts,
  running: SlotIndex,
  reason: ResetReason,
): { readonly startUp: StartUp; readonly givenUp: boolean } {
  const startUp = count(parts, running, reason);
  const over = startUp.starts > STARTS_MAX || startUp.wakes > WAKES_MAX || startUp.since > TRIAL_SINCE_MAX;
  return { startUp, givenUp: over && new EspOta(parts.chip, parts.table, parts.slots).markInvalid() };
}

/** What the start-up of confirmed firmware finds, where it learns nothing of the bootloader. */
export const NOT_ON_TRIAL: StartUp = Object.freeze({
  bootloaderRollsBack: undefined,
  guarded: true,
  starts: 0,
  wakes: 0,
  awake: 0,
  since: 0,
});

function count({ chip, table, rtc, rtcTime }: StartUpParts, running: SlotIndex, reason: ResetReason): StartUp {
  const otadata = new OtaData(chip, table.otadata.address);
  const entries = otadata.read();
  const active = activeEntry(entries) ?? repair(otadata, entries, running);
  const bootloaderRollsBack = rollsBack(entries, active, reason);
  const entry = active === undefined ? undefined : entries[active];
  if (active === undefined || entry === undefined || slotOf(entry) !== running || !isOnTrial(entry)) {
    if (bootloaderRollsBack === undefined) plant(otadata, entries, active);
    return { ...NOT_ON_TRIAL, bootloaderRollsBack };
  }
  const { label = [] } = entry;
  const before = { starts: startsOf(label), wakes: wakesOf(label) };
  const asleep = reason === "deep-sleep";
  const mark = asleep ? nextWake(label) : nextStart(label);
  if (mark !== undefined) otadata.mark(active, mark.byte, mark.value);
  const now = rtcTime();
  const isFirst = before.starts + before.wakes === 0;
  if (isFirst || rtc.trial?.seq !== entry.seq) rtc.trial = { seq: entry.seq, awake: 0, began: now };
  return {
    bootloaderRollsBack,
    guarded: true,
    starts: before.starts + (asleep ? 0 : 1),
    wakes: before.wakes + (asleep ? 1 : 0),
    awake: rtc.trial.awake,
    since: now - rtc.trial.began,
  };
}

/**
 * A bootloader with rollback makes NEW PENDING, and what is PENDING at a start ABORTED. After a deep sleep it may have
 * taken a way that leaves the entries alone (CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP).
 */
export function rollsBack(
  entries: OtaEntries,
  active: EntryIndex | undefined,
  reason?: ResetReason,
): boolean | undefined {
  const state = active === undefined ? undefined : entries[active].state;
  if (state === State.pending || entries.some((entry) => entry.state === State.aborted)) return true;
  const untouched = state === State.new || entries.some((entry) => entry.state === State.pending);
  return untouched && reason !== "deep-sleep" ? false : undefined;
}

/** Before any update the next start tells, by an entry that never decides. */
function plant(otadata: OtaData, entries: OtaEntries, active: EntryIndex | undefined): void {
  if (active === undefined) return;
  const unused = active === 0 ? 1 : 0;
  if (isBlank(entries[unused])) otadata.plant(unused);
}

/**
 * No entry decides, because a power cut has taken the running firmware's: it gets one, as the bootloader writes it at
 * the first start. Without it nothing could be rolled back to.
 */
function repair(otadata: OtaData, entries: OtaEntries, running: SlotIndex): undefined {
  const free = entries.findIndex((entry) => !names(entry));
  if (free < 0) return;
  otadata.erase(free as EntryIndex);
  otadata.write(free as EntryIndex, running + 1, State.valid);
}
