import type { BoardDescription, SlotDescription } from "../board/describe";
import { hex } from "../../hal/model-chip/flash-chip";
import type { Partition } from "../../hal/model-chip/partitions";
import type { Wear } from "../board/wear-file";
import { ACTIVATIONS_MAX } from "../../src/job/boot-table";
import type { JobInHand, StoreInWords } from "./inspect-job";

export interface Inspection
  extends Pick<BoardDescription, "flashSize" | "boot" | "bootloader" | "slots" | "settings">, StoreInWords {
  readonly partitions: readonly (Partition & { readonly wear: Wear })[];
}

/** The report as text. */
export function report(inspection: Inspection): string {
  const { flashSize, partitions, boot, bootloader, slots, job, budgets, records, settings } = inspection;
  return [
    `flash: ${flashSize >> 20} MB`,
    "",
    "partitions",
    ...partitions.map((partition) => `  ${partitionLine(partition)}`),
    "",
    "boot entries",
    ...boot.map(
      (entry, index) =>
        `  ${index}: ${entry === undefined ? "blank" : `${entry.slot}, sequence ${entry.seq}, ${entry.state}${entry.decides ? ", decides" : ""}${startsIn(entry)}`}`,
    ),
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
    "settings (secret)",
    ...(settings.length === 0 ? ["  none"] : settings.map(({ key, bytes }) => `  ${key}  ${bytes} bytes`)),
    "",
  ].join("\n");
}

function startsIn({ starts, wakes }: NonNullable<BoardDescription["boot"][number]>): string {
  return starts + wakes === 0 ? "" : `, ${starts} starts and ${wakes} wakes in its trial`;
}

function partitionLine({ label, address, size, wear }: Inspection["partitions"][number]): string {
  const worn =
    wear.erases === 0 && wear.programs === 0
      ? "untouched"
      : `${wear.erases} sector erases (one sector ${wear.mostErases} at most), ${wear.programs} writes`;
  return `${label.padEnd(10)} ${hex(address).padStart(8)} ${String(size >> 10).padStart(6)} KB  ${worn}`;
}

function slotLine({ label, bootable, problem, length, version, project }: SlotDescription): string {
  const name = version === undefined ? "no firmware" : `${version} of ${project}`;
  return `${label}: ${name}${bootable ? `, ${length} bytes, boots` : `, does not boot: ${problem}`}`;
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
