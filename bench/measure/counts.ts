/** The counts that are held against the budget: the same on every machine, no time among them. */
import { SECTOR } from "../../src/constants";
import { runUpdate } from "../simulation/update";
import { PARTS } from "../xs/protocol";
import type { Part } from "../xs/protocol";
import { LINES } from "./lines";
import { measureAgent, measureParts } from "./work";

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

/** `bytesPerRequest`: as an update of the agent asked for its file. */
export function countsOf(parts: ReadonlyMap<Part, number>, bytesPerRequest: number): Counts {
  const cost = (part: Part): number => (parts.get(part) ?? 0) - (parts.get("nothing") ?? 0);
  const each = (part: Part, bytes: number): number => Math.round((cost(part) * 1024) / bytes);
  return {
    headPerKiB: each("response head", bytesPerRequest),
    requestPerKiB: each("range request", bytesPerRequest),
    flashPerKiB: each("flash effects", SECTOR),
    checkpointPerKiB: each("checkpoint", SECTOR),
    reportPerKiB: each("report", REPORT_KIB * 1024),
    md5PerKiB: each("digest js-md5", SECTOR),
    report: Math.round(cost("report")),
  };
}

/** Measures what tests/bench holds against bench/budget.json; the names are the budget's. */
export async function count(): Promise<Record<string, number>> {
  const size = 200_000;
  const sectors = Math.ceil(size / SECTOR);
  const parts = await measureParts(PARTS.filter((part) => part !== "digest js-md5"));
  const work = await measureAgent(size, 2);
  const { flash, requests } = runUpdate({ size, line: LINES[1]!, seed: 1 });
  return {
    "bytecodes per KiB downloaded": Math.round(work.bytecodes.downloading / work.kibibytes),
    "bytecodes per KiB verified": Math.round(work.bytecodes.verifying / work.kibibytes),
    "bytecodes of a response head": Math.round(parts.get("response head") ?? 0),
    "bytecodes of a range request": Math.round(parts.get("range request") ?? 0),
    "bytecodes of a progress report": Math.round(parts.get("report") ?? 0),
    "bytecodes per sector to flash": Math.round(parts.get("flash effects") ?? 0),
    "bytecodes per checkpoint": Math.round(parts.get("checkpoint") ?? 0),
    "bytecodes of an idle hour": work.idleHour,
    "slots made per KiB downloaded": Math.round(work.slotsPerKiB),
    "slots above idle while downloading": work.heap.peak - work.heap.idle,
    "flash erases beyond one per sector": flash.erases - sectors,
    "flash bytes read": flash.bytesRead,
    "NVS entries beyond one per sector": flash.nvsEntries - sectors,
    "HTTP requests": requests,
  };
}
