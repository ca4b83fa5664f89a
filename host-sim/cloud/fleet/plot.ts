import type { FleetResult } from "./fleet";
import { STATES, type DeviceState } from "./messages";

const WIDTH = 960;
const PLOT = { left: 64, right: 24, top: 56, height: 300 } as const;
const BARS = { gap: 84, height: 120 } as const;

/** One hue for what waits, one for each step, green and red for the ends: they differ in lightness too. */
const COLOURS: Readonly<Record<DeviceState, string>> = {
  off: "#e3e6ea",
  connecting: "#c3c9d1",
  idle: "#98a2b0",
  downloading: "#4c8eda",
  verifying: "#2f6db5",
  expanding: "#6a7fc8",
  installing: "#2f6db5",
  burning: "#e0a030",
  "awaiting-link": "#f0c878",
  trial: "#b87a14",
  deciding: "#8a5c10",
  done: "#3f9d63",
  fail: "#c8453b",
};

/** Devices by state over time, as an SVG; after an outage, the histogram of reconnects below. */
export function plot({ statistics, devices, outage, rollout }: FleetResult): string {
  const samples = statistics.samples();
  const start = samples[0]?.at ?? 0;
  const end = Math.max(start + 1, samples.at(-1)?.at ?? 1);
  const { histogram } = statistics.reconnects();
  const width = WIDTH - PLOT.left - PLOT.right;
  const x = (at: number): number => PLOT.left + ((at - start) / (end - start)) * width;
  const y = (count: number): number => PLOT.top + PLOT.height - (count / devices) * PLOT.height;
  const stacked = [...STATES].reverse();
  const shown = stacked.filter((state) => samples.some(({ counts }) => counts[state] > 0));
  const below = (index: number, state: DeviceState): number =>
    stacked.slice(0, stacked.indexOf(state)).reduce((sum, one) => sum + samples[index]!.counts[one], 0);
  const areas = shown.map((state) => {
    const upper = samples.map(
      ({ at, counts }, index) => `${x(at).toFixed(1)},${y(below(index, state) + counts[state]).toFixed(1)}`,
    );
    const lower = samples.map(({ at }, index) => `${x(at).toFixed(1)},${y(below(index, state)).toFixed(1)}`).reverse();
    return `<polygon fill="${COLOURS[state]}" points="${[...upper, ...lower].join(" ")}"/>`;
  });
  const legend = [...shown].reverse().map((state, index) => {
    const at = PLOT.left + index * 104;
    return `<rect x="${at}" y="34" width="12" height="12" fill="${COLOURS[state]}"/>${text(at + 17, 44, state)}`;
  });
  const bottom = PLOT.top + PLOT.height;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const count = Math.round(devices * share);
    return `<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${y(count)}" y2="${y(count)}" class="grid"/>${text(PLOT.left - 8, y(count) + 4, String(count), "end")}`;
  });
  const ticks = timeTicks((end - start) / 1000).map((second) =>
    text(x(start + second * 1000), bottom + 18, `${second} s`, "middle"),
  );
  const height = bottom + 40 + (outage === undefined ? 0 : BARS.gap + BARS.height);
  const title = `${devices} devices, rollout ${rollout.state}${rollout.reason === undefined ? "" : ` (${rollout.reason})`}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">`,
    "<style>text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:14px}.grid{stroke:#000;stroke-opacity:.12}rect.paper{fill:#fff}</style>",
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    text(PLOT.left, 22, title, "start", "title"),
    ...legend,
    ...areas,
    ...grid,
    ...ticks,
    ...(outage === undefined ? [] : bars(histogram, bottom + 40 + BARS.gap, (outage.to - outage.from) / 1000)),
    "</svg>",
    "",
  ].join("\n");
}

function bars(histogram: readonly number[], top: number, seconds: number): string[] {
  const most = Math.max(1, ...histogram);
  const step = (WIDTH - PLOT.left - PLOT.right) / Math.max(1, histogram.length);
  const bottom = top + BARS.height;
  return [
    text(
      PLOT.left,
      top - 30,
      `Reconnects by second after the outage of ${seconds.toFixed(0)} s; most in one second: ${most}`,
      "start",
      "title",
    ),
    ...histogram.map((count, second) => {
      const height = (count / most) * BARS.height;
      return `<rect x="${(PLOT.left + second * step).toFixed(1)}" y="${(bottom - height).toFixed(1)}" width="${Math.max(1, step - 1).toFixed(1)}" height="${height.toFixed(1)}" fill="#4c8eda"/>`;
    }),
    ...timeTicks(histogram.length).map((second) =>
      text(PLOT.left + second * step, bottom + 18, `${second} s`, "middle"),
    ),
  ];
}

/** About ten round numbers from 0 on. */
function timeTicks(length: number): number[] {
  const raw = length / 10;
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((one) => one >= raw) ?? Math.ceil(raw / 600) * 600;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end" = "start", kind = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${kind === "" ? "" : ` class="${kind}"`}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
