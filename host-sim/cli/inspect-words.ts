import type { BoardDescription, SlotDescription } from "../board/describe";
import { hex } from "../../hal/model-chip/flash-chip";
import type { Partition } from "../../hal/model-chip/partitions";
import type { Wear } from "../board/wear-file";
import { ACTIVATIONS_MAX } from "../../src/job/boot-table";
import type { JobInHand, StoreInWords } from "./inspect-job";

export interface Inspection
  extends Pick<BoardDescription, "flashSize" | "boot" | "bootloader" | "slots" | "settings" | "lastRun">, StoreInWords {
  /** A simulated board counts its wear; a dump may lack the end of a partition. */
  readonly partitions: readonly (Partition & { readonly wear?: Wear; readonly missing?: number })[];
  /** Of a dump: chip and bootloader, and what can not be told. */
  readonly chip?: string;
  readonly notes?: readonly string[];
}

/** Of a simulated board. */
export interface BoardInspection extends Inspection {
  readonly partitions: readonly (Partition & { readonly wear: Wear })[];
}

/** The report as text. */
export function report(inspection: Inspection): string {
  const { flashSize, partitions, boot, bootloader, slots, job, budgets, records, settings } = inspection;
  return [
    `flash: ${sizeInWords(flashSize)}${inspection.chip === undefined ? "" : `, ${inspection.chip}`}`,
    ...(inspection.notes ?? []).map((note) => `note: ${note}`),
    "",
    "partitions",
    ...partitions.map((partition) => `  ${partitionLine(partition)}`),
    "",
    "boot entries",
    ...boot.map(
      (entry, index) =>
        `  ${index}: ${entry === undefined ? "blank" : `${entry.slot}, sequence ${entry.seq}, ${entry.state}${entry.decides ? ", decides" : ""}${startsIn(entry)}`}`,
    ),
    ...(boot.length === 0 ? ["  none"] : []),
    `  trial: ${trialInWords(boot)}`,
    `  bootloader: ${bootloader}`,
    "",
    "slots",
    ...slots.map((slot) => `  ${slotLine(slot)}`),
    "",
    "update in hand",
    ...(job === undefined ? ["none"] : jobLines(job)).map((line) => `  ${line}`),
    "",
    "budgets",
    ...(budgets.length === 0 ? ["nothing counted"] : budgets).map((line) => `  ${line}`),
    "",
    "records of the agent",
    ...(records.length === 0
      ? ["  none"]
      : records.map(
          ({ key, bytes, value }) =>
            `  ${key.padEnd(8)} ${bytes === undefined ? `${value} (${hex(value ?? 0)})` : `${bytes} bytes`}`,
        )),
    "",
    "last run",
    ...lastRunInWords(inspection.lastRun).map((line) => `  ${line}`),
    "",
    "settings (secret)",
    ...(settings.length === 0 ? ["  none"] : settings.map(({ key, bytes }) => `  ${key}  ${bytes} bytes`)),
    "",
  ]
    .map(printable)
    .join("\n");
}

/** Names and texts of a damaged flash may be anything; a terminal acts on control characters. */
function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}

function sizeInWords(bytes: number): string {
  return bytes % (1 << 20) === 0 ? `${bytes >> 20} MB` : `${bytes} bytes`;
}

function trialInWords(boot: BoardDescription["boot"]): string {
  const entry = boot.find((each) => each?.decides);
  if (entry === undefined) return "no boot entry decides: the bootloader starts the first slot that is whole";
  if (entry.state === "valid") return `none, ${entry.slot} is confirmed`;
  if (entry.state === "new") return `${entry.slot} has been activated and starts on trial next`;
  if (entry.state === "pending") return `${entry.slot} is on trial and not confirmed: the next start rolls back`;
  return `${entry.slot} is on trial and not confirmed`;
}

const RUNS: Readonly<Record<number, string>> = {
  0: "ended by a wanted restart",
  1: "was running, or ended without announcement (power, watchdog, crash)",
  2: "activated another image and restarted",
};

function lastRunInWords({ running, fault, stage }: Inspection["lastRun"]): string[] {
  const run = running === undefined ? undefined : RUNS[running];
  return [
    ...(run === undefined ? ["no record"] : [run]),
    ...(stage === undefined ? [] : [`on trial: ${stage}`]),
    ...(fault === undefined ? [] : [`last fault: ${fault}`]),
  ];
}

function startsIn({ starts, wakes }: NonNullable<BoardDescription["boot"][number]>): string {
  return starts + wakes === 0 ? "" : `, ${starts} starts and ${wakes} wakes in its trial`;
}

function partitionLine({ label, address, size, wear, missing = 0 }: Inspection["partitions"][number]): string {
  const place = `${label.padEnd(10)} ${hex(address).padStart(8)} ${String(size >> 10).padStart(6)} KB`;
  if (wear === undefined)
    return missing === 0 ? place : `${place}  ${missing === size ? "not in this dump" : `${missing} bytes missing`}`;
  const worn =
    wear.erases === 0 && wear.programs === 0
      ? "untouched"
      : `${wear.erases} sector erases (one sector ${wear.mostErases} at most), ${wear.programs} writes`;
  return `${place}  ${worn}`;
}

function slotLine({ label, bootable, problem, length, version, project, signature }: SlotDescription): string {
  const name = version === undefined ? "no firmware" : `${version} of ${project}`;
  return `${label}: ${name}${bootable ? `, ${length} bytes, boots; ${signature}` : `, does not boot: ${problem}`}`;
}

function jobLines({
  version,
  size,
  digest,
  url,
  module,
  phase,
  stored,
  trials,
  activations,
  outcome,
  platform,
}: JobInHand): string[] {
  const percent = size === 0 ? "" : ` of ${size} (${Math.floor((stored / size) * 100)} %)`;
  return [
    `${version} from ${platform}${module === undefined ? "" : ` for module ${JSON.stringify(module)}`}, ${phase}`,
    `${stored} bytes stored${percent}`,
    `${digest ?? "no digest"}; ${url}`,
    ...(trials === 0 ? [] : [`${trials} trials cut short by power loss`]),
    ...(activations === 0 ? [] : [`activated ${activations} times of ${ACTIVATIONS_MAX}`]),
    ...(outcome === undefined ? [] : [`outcome not yet acknowledged: ${outcome}`]),
  ];
}
