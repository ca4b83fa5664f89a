/** What an update does to flash, the time of it by the timing tables, and downloads on slower chips. */
import type { FlashTiming } from "../../hal/model-chip/flash-timing";
import { FLASH_TIMINGS, flashTime } from "../../hal/model-chip/flash-timing";
import { table } from "../output/table";
import { runPeer } from "../peers/run";
import { BARE_STREAMS } from "../peers/strategies";
import { flashFloor } from "../simulation/device";
import type { FlashSummary } from "../simulation/device";
import { runUpdate } from "../simulation/update";
import { LINES, ideal } from "./lines";
import type { NamedLine } from "./lines";

interface Section {
  readonly title: string;
  readonly note: string;
  readonly body: string;
}

const columns = (of: (timing: FlashTiming) => number): string[] =>
  FLASH_TIMINGS.map((timing) => Math.round(of(timing)).toLocaleString("en-US"));

export function flashSection(size: number, flash: FlashSummary): Section {
  const sectors = Math.ceil(size / 4096);
  const counts = table(
    ["", "measured", "floor"],
    [
      ["sector erases", flash.erases, sectors],
      ["commands that erased 64 KiB", flash.blockErases, Math.floor(size / 65_536)],
      ["most erases of one sector", flash.mostErases, 1],
      ["bytes programmed", flash.bytesProgrammed, size],
      ["bytes read", flash.bytesRead, size],
      ["NVS entries", flash.nvsEntries, sectors],
      ["NVS page erases", flash.nvsErases, 0],
    ],
  );
  const milliseconds = table(
    ["ms", ...FLASH_TIMINGS.map(({ name }) => name)],
    [
      ["erase of a sector", ...FLASH_TIMINGS.map(({ sector }) => sector.toFixed(1))],
      ["erase of a block of 64 KiB, the longest time that nothing runs", ...columns(({ block }) => block)],
      ["program of 4 KiB", ...FLASH_TIMINGS.map(({ program }) => program.toFixed(1))],
      ["read of 4 KiB", ...FLASH_TIMINGS.map(({ read }) => read.toFixed(2))],
      ["this update", ...columns((timing) => flashTime(flash.chip, timing))],
      ["floor: an erase, a program and a read of each", ...columns((timing) => flashFloor(size, timing))],
    ],
  );
  return {
    title: "Flash of one update",
    note: "Everything is in: readback, digest, the image checks of activation and bootloader, NVS, otadata. Times by ESP-IDF's model, which the rest of this page uses (it has no block: theirs is typical), and by the typical and the longest times of a data sheet (hal/model-chip/flash-timing.ts names them).",
    body: `${counts}\n\n${milliseconds}`,
  };
}

export interface SlowFlashRow {
  readonly line: NamedLine;
  readonly timing: FlashTiming;
  /** Over the ideal with these times. */
  readonly agent: number;
  readonly blocks: number;
  readonly sectors: number;
}

export function slowFlash(size: number): SlowFlashRow[] {
  return LINES.flatMap((line) =>
    FLASH_TIMINGS.map((timing) => {
      const options = { size, line, timing, seed: 1 };
      const best = ideal(size, line, timing);
      return {
        line,
        timing,
        agent: runUpdate(options).downloadMs / best,
        blocks: runPeer(BARE_STREAMS.block, options).downloadMs / best,
        sectors: runPeer(BARE_STREAMS.sector, options).downloadMs / best,
      };
    }),
  );
}

export function slowFlashSection(size: number, rows: readonly SlowFlashRow[]): Section {
  return {
    title: "Slower flash chips",
    note: "Completion over the ideal in the default window, and the ideal itself, with the times of each table.",
    body: table(
      ["line", "times of flash", "ideal", "xs-ota", "stream, blocks", "stream, sectors"],
      rows.map(({ line, timing, agent, blocks, sectors }) => [
        line.name,
        timing.name,
        `${(ideal(size, line, timing) / 1000).toFixed(1)} s`,
        ...[agent, blocks, sectors].map((ratio) => `${ratio.toFixed(3)} x`),
      ]),
    ),
  };
}
