/** The counts that are held against the budget: the same on every machine, no time among them. */
import { RANGE, SECTOR } from "../../src/constants";
import type { FlashSummary } from "../world/device";
import type { Part } from "../xs/protocol";
import type { Work } from "./work";

export interface Counts {
  readonly headPerKiB: number;
  readonly requestPerKiB: number;
  readonly flashPerKiB: number;
  readonly checkpointPerKiB: number;
  readonly reportPerKiB: number;
  readonly md5PerKiB: number;
  readonly report: number;
}

/** Reports at one a second and 64 KiB/s. */
const REPORT_KIB = 64;

export function countsOf(parts: ReadonlyMap<Part, number>): Counts {
  const cost = (part: Part): number => (parts.get(part) ?? 0) - (parts.get("nothing") ?? 0);
  const each = (part: Part, bytes: number): number => Math.round((cost(part) * 1024) / bytes);
  return {
    headPerKiB: each("response head", RANGE),
    requestPerKiB: each("range request", RANGE),
    flashPerKiB: each("flash effects", SECTOR),
    checkpointPerKiB: each("checkpoint", SECTOR),
    reportPerKiB: each("report", REPORT_KIB * 1024),
    md5PerKiB: each("digest js-md5", SECTOR),
    report: Math.round(cost("report")),
  };
}

/** What tests/bench holds against bench/budget.json. Names are the budget's. */
export function budgeted(work: Work, parts: ReadonlyMap<Part, number>, flash: FlashSummary, requests: number, sectors: number): Record<string, number> {
  const counts = countsOf(parts);
  return {
    "bytecodes per KiB downloaded": Math.round(work.bytecodes.downloading / work.kibibytes),
    "bytecodes per KiB verified": Math.round(work.bytecodes.verifying / work.kibibytes),
    "bytecodes of a response head": Math.round(parts.get("response head") ?? 0),
    "bytecodes of a progress report": counts.report,
    "bytecodes per sector to flash": Math.round(parts.get("flash effects") ?? 0),
    "bytecodes per checkpoint": Math.round(parts.get("checkpoint") ?? 0),
    "bytecodes of an idle hour": work.idleHour,
    "slots made per KiB downloaded": Math.round(work.slotsPerKiB),
    "slots above idle while downloading": work.heap.peak - work.heap.idle,
    "flash erases beyond one per sector": flash.erases - sectors,
    "flash bytes read per byte of the image, in percent": Math.round((flash.bytesRead * 100) / (sectors * SECTOR)),
    "NVS entries beyond one per sector": flash.nvsEntries - sectors,
    "HTTP requests": requests,
  };
}
