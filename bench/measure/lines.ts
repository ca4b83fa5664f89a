/** The lines that downloads are measured on, and what the best conceivable download would take on them. */
import type { FlashTiming } from "../../hal/model-chip/flash-timing";
import { flashFloor } from "../simulation/device";
import { BLOCK_SIZE, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import { ESP_IDF } from "../../hal/model-chip/flash-timing";
import type { Line } from "../../tests/kit/virtual-network";
import { OVERHEAD } from "../../tests/kit/virtual-network";
import { SEGMENT } from "../../tests/kit/lwip-receiver";

export interface NamedLine extends Line {
  readonly name: string;
  readonly rate: number;
}

/** From a cell at the edge of its range to Wi-Fi in the next room: the faster, the nearer. */
export const LINES: readonly NamedLine[] = [
  { name: "16 KiB/s", rate: 16 * 1024, latency: 80 },
  { name: "64 KiB/s", rate: 64 * 1024, latency: 30 },
  { name: "256 KiB/s", rate: 256 * 1024, latency: 10 },
];

/** Mean time between two breaks of the line, s. */
export const RESET_EVERY = 20;

/** Size divided by rate, or what flash takes where that is longer: no download is faster, ms. */
export function ideal(size: number, { rate }: NamedLine, timing?: FlashTiming): number {
  return Math.max((size / rate) * 1000, flashFloor(size, timing));
}

/** Bytes of the line for one of the file. */
const SHARE = (SEGMENT + OVERHEAD) / SEGMENT;

/**
 * No download that erases as it goes is faster, ms: while an erase stops the chip, the line carries no more than the
 * window, and goes on a round trip after the next read. By sectors or by blocks, whichever takes less.
 */
export function limit(size: number, { rate, latency }: NamedLine, window: number): number {
  const byErase = (erase: number, bytes: number): number => {
    const stop = Math.max(0, erase + 2 * latency - (window / rate) * 1000 * SHARE);
    const flash = (size / bytes) * erase + (size / SECTOR_SIZE) * (ESP_IDF.program + ESP_IDF.read);
    return Math.max(flash, (size / rate) * 1000 * SHARE + (size / bytes) * stop);
  };
  return Math.min(byErase(ESP_IDF.sector, SECTOR_SIZE), byErase(ESP_IDF.block, BLOCK_SIZE));
}
