/** What an update costs by a plain image and by containers of it, on the line and the flash of the bench. */
import { toHex } from "../../src/util/hex";
import { containerOf } from "../../tests/kit/containers";
import { makeKey, signed } from "../../tests/signature/test-keys";
import { table } from "../output/table";
import type { Bar } from "../bars";
import { runPeer } from "../peers/run";
import { STRATEGIES } from "../peers/strategies";
import { runUpdate } from "../simulation/update";
import type { Files, RunResult } from "../simulation/update";
import { LINES } from "../measure/lines";
import { NEW_VERSION, OWN_SIZE, ownBuilds } from "./images";

export interface DeltaRow {
  readonly name: string;
  /** Of the file that is offered. */
  readonly offered: number;
  readonly fetched: number;
  /** From the offer to the image proven in flash, and to `done`. */
  readonly seconds: number;
  readonly totalSeconds: number | undefined;
  readonly flashMs: number;
  readonly erases: number | undefined;
  readonly finished: boolean;
}

const SLOW = LINES[0]!;

/** The first row is the plain image, the second the patch, the third the compressed whole. */
export function measureDeltas(): DeltaRow[] {
  const { old, file } = ownBuilds();
  const key = makeKey();
  const plain: Files = { version: NEW_VERSION, factory: old, offered: file, signingKeys: [] };
  const secure = (offered: Uint8Array): Files => ({ ...plain, offered, signingKeys: [toHex(key.point)] });
  const offers: readonly (readonly [string, Files])[] = [
    ["plain image", plain],
    [
      "container, signed: the patch is fetched",
      secure(containerOf(signed(file, key), [old], { key: key.privateKey }).bytes),
    ],
    ["container of the compressed image", { ...plain, offered: containerOf(file, []).bytes }],
    ["container of the patch alone", { ...plain, offered: containerOf(file, [old], { whole: false }).bytes }],
    ["container of both, not signed", { ...plain, offered: containerOf(file, [old]).bytes }],
  ];
  const ours = offers.map(([name, files]) =>
    rowOf(`xs-ota, ${name}`, files.offered.length, runUpdate({ size: OWN_SIZE, line: SLOW, seed: 1, files })),
  );
  const others = STRATEGIES.map((strategy): DeltaRow => {
    const { downloadMs, flash, finished } = runPeer(strategy, { size: OWN_SIZE, line: SLOW, seed: 1 });
    return {
      name: strategy.name,
      offered: OWN_SIZE,
      fetched: OWN_SIZE,
      seconds: downloadMs / 1000,
      totalSeconds: undefined,
      flashMs: flash.milliseconds,
      erases: flash.erases,
      finished,
    };
  });
  return [...ours, ...others];
}

function rowOf(name: string, offered: number, run: RunResult): DeltaRow {
  return {
    name,
    offered,
    fetched: run.file.read,
    seconds: run.downloadMs / 1000,
    totalSeconds: run.totalMs / 1000,
    flashMs: run.flash.milliseconds,
    erases: run.flash.erases,
    finished: run.finished,
  };
}

/** Flash time as a share of that of the plain image. */
const flashRatio = (rows: readonly DeltaRow[], row: DeltaRow): number => row.flashMs / rows[0]!.flashMs;

export function deltaBars(rows: readonly DeltaRow[]): Bar[] {
  const [, patch, whole] = rows as [DeltaRow, DeltaRow, DeltaRow];
  const bar = (what: string, value: number, limit: number, text: string): Bar => ({ what, value, limit, text });
  const times = (value: number): string => `${value.toFixed(3)} x`;
  return [
    bar(
      "flash time of an update by a patch, over the plain image",
      flashRatio(rows, patch),
      1.15,
      times(flashRatio(rows, patch)),
    ),
    bar(
      "flash time of an update by the compressed image, likewise",
      flashRatio(rows, whole),
      1.6,
      times(flashRatio(rows, whole)),
    ),
    bar(`${SLOW.name}: an update by a patch to done, s`, patch.totalSeconds!, 25, patch.totalSeconds!.toFixed(1)),
  ];
}

export function deltaTable(rows: readonly DeltaRow[]): string {
  return table(
    [
      "what is offered",
      "bytes offered",
      "bytes fetched",
      "proven after",
      "done after",
      "flash time",
      "over plain",
      "sectors erased",
    ],
    rows.map((row) => [
      row.name,
      row.offered,
      row.fetched,
      row.finished ? `${row.seconds.toFixed(1)} s` : "never",
      row.totalSeconds === undefined ? "" : `${row.totalSeconds.toFixed(1)} s`,
      `${(row.flashMs / 1000).toFixed(2)} s`,
      `${flashRatio(rows, row).toFixed(3)} x`,
      row.erases ?? "",
    ]),
  );
}
