/**
 * The drawing of one scenario: two plots over the same axis of cut positions, and the phases as bands below. It is SVG
 * text. Colours are classes, which the page or file around it defines for light, dark and print.
 */
import type { Band, Dot, Panel } from "./report-panel";

export interface PlotOptions {
  /** "all": a mark for each case. "worst": only the worst case of each position, for a small file. */
  readonly marks: "all" | "worst";
  /** Vertical offset in the drawing, pixels. */
  readonly top: number;
}

export const PLOT_WIDTH = 1080;
export const PLOT_HEIGHT = 560;

const LEFT = 84;
const RIGHT = 22;
const AGAIN = { top: 62, height: 230 } as const;
const BACK = { top: 326, height: 132 } as const;
const BANDS = { top: 466, height: 18 } as const;
const TICKS = 498;
const KIBI = 1024;
/** Possible distances between two grid lines, ms; the smallest that needs at most BACK_LINES lines is used. */
const BACK_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] as const;
const BACK_LINES = 5;

/** In the order of an update. The letter stands in the band, so that colour is not the only sign. */
const PHASES: readonly (readonly [name: string, letter: string, text: string])[] = [
  ["bootloader", "B", "before the firmware runs"],
  ["mount", "M", "NVS is read"],
  ["idle", "I", "no update"],
  ["waiting", "W", "for the next push"],
  ["checking", "C", "what is in flash"],
  ["downloading", "D", "sector by sector"],
  ["verifying", "V", "digest of what is in flash"],
  ["committing", "S", "the image's header is programmed"],
  ["burning", "P", "reported to the cloud"],
  ["leaving", "L", "boot choice and restart"],
  ["trial", "T", "the new firmware is on trial"],
  ["reporting", "O", "the outcome waits for its PUBACK"],
];

export const phaseLetter = (phase: string): string => PHASES.find(([name]) => name === phase)?.[1] ?? "X";
export const phaseText = (phase: string): string => PHASES.find(([name]) => name === phase)?.[2] ?? "";
export const phaseClass = (phase: string): string => `phase-${phaseLetter(phase).toLowerCase()}`;

/** Phases of these panels, in order. */
export function phasesOf(panels: readonly Panel[]): string[] {
  const there = new Set(panels.flatMap(({ bands, dots }) => [...bands, ...dots].map(({ phase }) => phase)));
  const known = PHASES.map(([name]) => name).filter((name) => there.has(name));
  return [...known, ...[...there].filter((phase) => !known.includes(phase)).sort()];
}

/** `<g>` with everything that belongs to the panel. */
export function drawPanel(panel: Panel, { marks, top }: PlotOptions): string {
  const x = (position: number): number => LEFT + (position / panel.points) * (PLOT_WIDTH - LEFT - RIGHT);
  const highest = Math.max(panel.bound, ...panel.dots.map(({ again }) => again)) * 1.12;
  const slowest = Math.max(1, ...panel.dots.map(({ back }) => back ?? 0));
  const step = BACK_STEPS.find((each) => slowest / each <= BACK_LINES) ?? 10_000;
  const yAgain = scale(AGAIN, highest);
  const yBack = scale(BACK, slowest * 1.12);
  const dots = marks === "all" ? panel.dots : worstOfEach(panel.dots, ({ again }) => again);
  const dotsBack = (marks === "all" ? panel.dots : worstOfEach(panel.dots, ({ back }) => back ?? 0)).filter(
    ({ back }) => back !== undefined,
  );
  const at = (dot: Dot): number => x(dot.at + (marks === "all" ? dot.within : 0.5));
  const kibi = (value: number): string => (value === 0 ? "0" : `${value / KIBI} KiB`);
  return [
    `<g transform="translate(0 ${top})">`,
    drawHead(panel, marks),
    panel.bands.map((band) => drawWash(band, x)).join(""),
    axis(AGAIN, yAgain, multiples(4 * KIBI, highest), kibi, "bytes fetched again"),
    axis(BACK, yBack, multiples(step, slowest * 1.12), (value) => `${value} ms`, "recovery time"),
    bound(panel, yAgain(panel.bound)),
    points(dots, at, ({ again }) => yAgain(again)),
    points(dotsBack, at, ({ back }) => yBack(back!)),
    violations(panel.dots, at, yAgain),
    worst(
      panel.worstAgain,
      at,
      ({ again }) => yAgain(again),
      ({ again }) => `worst ${count(again)} B`,
    ),
    worst(
      panel.worstBack,
      at,
      ({ back }) => yBack(back ?? 0),
      ({ back }) => `worst ${(back ?? 0).toFixed(0)} ms`,
    ),
    panel.bands.map((band) => drawBand(band, x)).join(""),
    drawPositions(panel, x),
    "</g>",
  ].join("\n");
}

function drawHead({ title, about, dots }: Panel, marks: PlotOptions["marks"]): string {
  const drawn = marks === "all" ? "" : ", of each position the worst drawn";
  return `${text(LEFT, 22, `Scenario “${title}”: ${count(dots.length)} power cuts${drawn}`, "title")}\n${text(LEFT, 42, about, "soft")}`;
}

/** The phase behind both plots. */
function drawWash({ phase, from, to }: Band, x: (position: number) => number): string {
  return `<rect class="wash ${phaseClass(phase)}" x="${fix(x(from))}" y="${AGAIN.top}" width="${fix(x(to) - x(from))}" height="${BACK.top + BACK.height - AGAIN.top}"/>`;
}

/** The axis of cut positions. */
function drawPositions({ points: last }: Panel, x: (position: number) => number): string {
  const ticks = multiples(20, last).map(
    (number) =>
      `<path class="tick" d="M${fix(x(number))} ${BANDS.top + BANDS.height}v4"/>${text(x(number), TICKS + 5, String(number), "tick-text middle")}`,
  );
  const title =
    "cut position: number of the flash operation or message in the scenario; within one, its torn forms side by side";
  return `${ticks.join("")}\n${text((LEFT + PLOT_WIDTH - RIGHT) / 2, TICKS + 26, title, "soft middle")}`;
}

interface Field {
  readonly top: number;
  readonly height: number;
}

function scale({ top, height }: Field, highest: number): (value: number) => number {
  return (value) => top + height - (value / highest) * height;
}

function multiples(step: number, highest: number): number[] {
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => index * step);
}

function axis(
  { top, height }: Field,
  y: (value: number) => number,
  values: readonly number[],
  words: (value: number) => string,
  title: string,
): string {
  const lines = values.map(
    (value) =>
      `<path class="${value === 0 ? "base" : "grid"}" d="M${LEFT} ${fix(y(value))}H${PLOT_WIDTH - RIGHT}"/>${text(LEFT - 8, y(value) + 4, words(value), "tick-text end")}`,
  );
  const middle = top + height / 2;
  return `${lines.join("")}<text class="axis middle" transform="translate(18 ${middle}) rotate(-90)">${title}</text>`;
}

function bound({ bound: bytes }: Panel, y: number): string {
  return `<path class="bound" d="M${LEFT} ${fix(y)}H${PLOT_WIDTH - RIGHT}"/>${text(LEFT + 8, y - 6, `bound ${count(bytes)} B: one sector, and 16 KiB in flight`, "bound-text")}`;
}

/** The marks of one phase are one path, in which each case is one "h0". This keeps the file small. */
function points(dots: readonly Dot[], x: (dot: Dot) => number, y: (dot: Dot) => number): string {
  const groups = new Map<string, Dot[]>();
  for (const dot of dots) {
    if (dot.violation !== undefined) continue;
    const group = `${dot.limit === undefined ? "dots" : "dots beyond"} ${phaseClass(dot.phase)}`;
    groups.set(group, [...(groups.get(group) ?? []), dot]);
  }
  return [...groups]
    .map(
      ([classes, members]) =>
        `<path class="${classes}" d="${members.map((dot) => `M${fix(x(dot))} ${fix(y(dot))}h0`).join("")}"/>`,
    )
    .join("\n");
}

function violations(dots: readonly Dot[], x: (dot: Dot) => number, y: (value: number) => number): string {
  return dots
    .filter(({ violation }) => violation !== undefined)
    .map(
      (dot) =>
        `<g class="violation"><title>${escape(`${dot.line}\n${dot.violation}`)}</title><path d="M${fix(x(dot) - 5)} ${fix(y(dot.again) - 5)}l10 10m0 -10l-10 10"/></g>`,
    )
    .join("\n");
}

/** A ring around the dot, and text on the side with more room. */
function worst(
  dot: Dot | undefined,
  x: (dot: Dot) => number,
  y: (dot: Dot) => number,
  words: (dot: Dot) => string,
): string {
  if (dot === undefined) return "";
  const [cx, cy] = [x(dot), y(dot)];
  const left = cx > PLOT_WIDTH / 2;
  return `<circle class="ring" cx="${fix(cx)}" cy="${fix(cy)}" r="7"/>${text(cx + (left ? -12 : 12), cy - 7, `${words(dot)}  (${dot.line})`, `worst${left ? " end" : ""}`)}`;
}

function drawBand({ phase, from, to }: Band, x: (position: number) => number): string {
  const width = x(to) - x(from);
  const label = width > 9 * phase.length ? `${phaseLetter(phase)}  ${phase}` : width > 9 ? phaseLetter(phase) : "";
  return `<g><title>${phase}: ${from} to ${to - 1}</title><rect class="band ${phaseClass(phase)}" x="${fix(x(from))}" y="${BANDS.top}" width="${fix(width)}" height="${BANDS.height}"/>${label === "" ? "" : text(x(from) + width / 2, BANDS.top + 13, label, "band-text middle")}</g>`;
}

/** The dot with the highest value of each position and each kind of mark. */
function worstOfEach(dots: readonly Dot[], value: (dot: Dot) => number): Dot[] {
  const best = new Map<string, Dot>();
  for (const dot of dots) {
    const key = `${dot.at} ${dot.limit !== undefined} ${dot.phase}`;
    const known = best.get(key);
    if (known === undefined || value(dot) > value(known)) best.set(key, dot);
  }
  return [...best.values()];
}

export function text(x: number, y: number, words: string, classes: string): string {
  return `<text class="${classes}" x="${fix(x)}" y="${fix(y)}">${escape(words)}</text>`;
}

export function escape(words: string): string {
  return words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** 17618 -> "17,618". */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Coordinates to a tenth of a pixel. */
function fix(value: number): string {
  return String(Math.round(value * 10) / 10);
}
