import type { FleetResult } from "./fleet";
import { STATES } from "./messages";
import type { Percentiles } from "./statistics";

const ROWS = 12;
const BAR = 40;

/** The result for people. */
export function asText(result: FleetResult): string {
  const { statistics, rollout, devices, records, outage, took, memory, faulty, unexpected } = result;
  const { histogram, times } = statistics.reconnects();
  const lines = [
    "",
    `rollout ${rollout.state} after ${seconds(took)}${rollout.reason === undefined ? "" : `: ${rollout.reason}`}`,
    `  ${counted(rollout.counts)}`,
    ...waves(rollout),
    ...(records === undefined ? [] : [`  the server's records: ${counted(records)}`]),
    `  ${faulty} devices were to fail, ${unexpected} others did not come through`,
    "",
    "devices by state over time",
    ...table(result),
    "",
    `update time          ${percentiles(statistics.updateTimes())}`,
    ...servedLines(result),
    `memory               ${(memory / 2 ** 20).toFixed(0)} MiB in the fleet's processes, ${(memory / devices / 1024).toFixed(0)} KiB a device`,
  ];
  if (outage !== undefined) {
    const most = Math.max(1, ...histogram);
    const bars = histogram.map(
      (count, second) =>
        `  ${String(second).padStart(3)} s ${String(count).padStart(5)}  ${"#".repeat(Math.ceil((count / most) * BAR))}`,
    );
    lines.push("", `reconnects after an outage of ${seconds(outage.to - outage.from)}: ${percentiles(times)}`, ...bars);
  }
  const causes = statistics.causes();
  if (causes.length > 0)
    lines.push(
      "",
      "failures by cause",
      ...causes.map(({ cause, count }) => `  ${String(count).padStart(5)}  ${cause}`),
    );
  return `${lines.join("\n")}\n`;
}

const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${status} ${count}`)
    .join(", ");

/** Of several waves each one, with the share of all devices that took the version by then. */
function waves({ waves: all }: FleetResult["rollout"]): string[] {
  if (all.length < 2) return [];
  const devices = all.reduce((sum, { size }) => sum + size, 0);
  let taken = 0;
  return all.map(({ upTo, size, counts }) => {
    taken += counts.success;
    return `  up to ${upTo} %: ${size} devices, ${counts.success} took it, ${counts.failure} failed; ${((taken / devices) * 100).toFixed(1)} % of all have it`;
  });
}

function servedLines({ served, outage, devices, rollout, imageSize }: FleetResult): string[] {
  if (served === undefined) return [];
  const total = served + (outage?.servedBefore ?? 0);
  const asked = devices - rollout.counts.pending;
  const note = outage === undefined ? "" : " (what was under way at the kill is not counted)";
  return [
    `bytes served         ${total} = ${(total / Math.max(1, asked * imageSize)).toFixed(3)} x image x devices asked${note}`,
  ];
}

/** The result for programs. Times in milliseconds. */
export function asJson(result: FleetResult): object {
  const { statistics, rollout, devices, imageSize, served, records, outage, took, memory, faulty, unexpected } = result;
  return {
    devices,
    imageSize,
    state: rollout.state,
    ...(rollout.reason === undefined ? {} : { reason: rollout.reason }),
    counts: rollout.counts,
    waves: rollout.waves,
    took,
    faulty,
    unexpected,
    updateTimes: statistics.updateTimes(),
    ...(served === undefined ? {} : { served: served + (outage?.servedBefore ?? 0) }),
    ...(records === undefined ? {} : { records }),
    memory,
    causes: statistics.causes(),
    versions: statistics.versions(),
    ...(outage === undefined ? {} : { outage: outage.to - outage.from, reconnects: statistics.reconnects() }),
    samples: statistics.samples(),
  };
}

function table({ statistics }: FleetResult): string[] {
  const samples = statistics.samples();
  const shown = STATES.filter((state) => samples.some(({ counts }) => counts[state] > 0));
  const step = Math.max(1, (samples.length - 1) / (ROWS - 1));
  const rows = [
    ...new Set(Array.from({ length: ROWS }, (_, row) => Math.min(samples.length - 1, Math.round(row * step)))),
  ];
  const head = `  ${"s".padStart(6)}${shown.map((state) => state.padStart(12)).join("")}`;
  return [
    head,
    ...rows.map((row) => {
      const { at, counts } = samples[row]!;
      return `  ${(at / 1000).toFixed(0).padStart(6)}${shown.map((state) => String(counts[state]).padStart(12)).join("")}`;
    }),
  ];
}

function percentiles(times: Percentiles | undefined): string {
  if (times === undefined) return "none";
  return `p50 ${seconds(times.p50)}, p90 ${seconds(times.p90)}, p99 ${seconds(times.p99)}, longest ${seconds(times.longest)} (${times.count} devices)`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
