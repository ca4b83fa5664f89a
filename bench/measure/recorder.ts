/** What the recorder costs an update: counted work on XS, and entries of NVS, with it and without. */
import { table } from "../output/table";
import { runUpdate } from "../simulation/update";
import { LINES } from "./lines";
import { measureAgent } from "./work";

export interface RecorderRow {
  readonly what: string;
  readonly without: number;
  readonly with: number;
}

const MIB = 1 << 20;

export async function measureRecorder(): Promise<RecorderRow[]> {
  const [off, on] = [await countsWith(false), await countsWith(true)];
  return Object.keys(on).map((what) => ({ what, without: off[what]!, with: on[what]! }));
}

async function countsWith(recorder: boolean): Promise<Record<string, number>> {
  const { bytecodes, kibibytes, heap, slotsPerKiB, idleHour } = await measureAgent(MIB, 1, recorder);
  const { flash } = runUpdate({ size: MIB, line: LINES[1]!, seed: 1, recorder });
  return {
    "bytecodes per KiB downloaded": Math.round(bytecodes.downloading / kibibytes),
    "bytecodes per KiB verified": Math.round(bytecodes.verifying / kibibytes),
    "bytecodes of an idle hour": idleHour,
    "slots made per KiB downloaded": Math.round(slotsPerKiB),
    "slots of an idle agent": heap.idle,
    "slots above idle while downloading": heap.peak - heap.idle,
    "NVS entries of an update of 1 MiB": flash.nvsEntries,
  };
}

export const recorderTable = (rows: readonly RecorderRow[]): string =>
  table(
    ["", "without", "with", "more"],
    rows.map((row) => [
      row.what,
      row.without.toLocaleString("en-US"),
      row.with.toLocaleString("en-US"),
      row.without === 0 ? "" : `${((row.with / row.without - 1) * 100).toFixed(1)} %`,
    ]),
  );
