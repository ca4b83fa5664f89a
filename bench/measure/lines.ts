/** The lines that downloads are measured on, and what the best conceivable download would take on them. */
import type { FlashTiming } from "../../hal/model-chip/flash-timing";
import { flashFloor } from "../simulation/device";
import type { Line } from "../../tests/kit/virtual-network";

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
