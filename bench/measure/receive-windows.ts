/** The agent and streams of one request, by line and receive window: how near each comes to line and flash. */
import { ESP_IDF } from "../../hal/model-chip/flash-timing";
import type { Panel } from "../output/plot";
import { table } from "../output/table";
import { runPeer } from "../peers/run";
import { BARE_STREAMS, STRATEGIES } from "../peers/strategies";
import { WINDOW, runUpdate } from "../simulation/update";
import type { RunOptions } from "../simulation/update";
import { LINES, RESET_EVERY, ideal, limit } from "./lines";
import type { NamedLine } from "./lines";

/** CONFIG_LWIP_TCP_WND_DEFAULT: of ESP-IDF, of the Moddable SDK on an ESP32, and of apps that set it. */
export const WINDOWS = [WINDOW, 8_192, 2 * WINDOW, 3 * WINDOW] as const;
/** A chip whose erases take no time: what line and window leave. */
const NO_ERASE = { ...ESP_IDF, name: "no erases", sector: 0, block: 0 };

interface Downloaded {
  readonly finished: boolean;
  readonly downloadMs: number;
  readonly atRisk?: number;
}
type Download = (options: RunOptions) => Downloaded;

const DOWNLOADS: readonly { readonly name: string; readonly run: Download }[] = [
  { name: "xs-ota", run: runUpdate },
  { name: "stream, blocks", run: (options) => runPeer(BARE_STREAMS.block, options) },
  { name: "stream, sectors", run: (options) => runPeer(BARE_STREAMS.sector, options) },
  { name: STRATEGIES[0]!.like, run: (options) => runPeer(STRATEGIES[0]!, options) },
  { name: "stream, no erases", run: (options) => runPeer(BARE_STREAMS.block, { ...options, timing: NO_ERASE }) },
];

export interface WindowRow {
  readonly line: NamedLine;
  readonly window: number;
  /** Over the ideal, in the order of `DOWNLOADS`; means over the seeds where the line breaks. */
  readonly ratios: readonly number[];
  /** Over the ideal: no erase by sectors or blocks allows less. */
  readonly limit: number;
  /** Bytes that a power cut of the agent would cost at the worst moment. */
  readonly atRisk: number;
}

/** Lines without breaks, and the first one with them. */
export function receiveWindows(size: number, seeds: readonly number[]): WindowRow[] {
  const [slow, ...fast] = LINES;
  const broken = { ...slow!, name: `${slow!.name}, breaks`, resetEvery: RESET_EVERY };
  return [slow!, broken, ...fast].flatMap((line) =>
    WINDOWS.map((window) => {
      const best = ideal(size, line);
      const all = DOWNLOADS.map(({ run }) =>
        (line.resetEvery === undefined ? seeds.slice(0, 1) : seeds).map((seed) =>
          run({ size, line: { ...line, window }, seed }),
        ),
      );
      return {
        line,
        window,
        ratios: all.map((runs) => meanTime(runs) / best),
        limit: limit(size, line, window) / best,
        atRisk: line.resetEvery === undefined ? (all[0]![0]!.atRisk ?? 0) : 0,
      };
    }),
  );
}

function meanTime(runs: readonly Downloaded[]): number {
  if (runs.some(({ finished }) => !finished)) return Infinity;
  return runs.reduce((sum, { downloadMs }) => sum + downloadMs, 0) / runs.length;
}

const times = (ratio: number): string => (Number.isFinite(ratio) ? `${ratio.toFixed(3)} x` : "never");

export function windowsSection(rows: readonly WindowRow[]): { title: string; note: string; body: string } {
  return {
    title: "Receive window",
    note:
      "Completion over the ideal. A stream is one request for the whole file, nothing recorded and nothing read back, all read that has come; after a break it goes on where it was. It erases by blocks as the agent does, " +
      `by sectors as esp_ota_write with OTA_WITH_SEQUENTIAL_WRITES, or in no time at all, which leaves line, window and programs. ${WINDOWS.map((bytes) => bytes.toLocaleString("en-US")).join(", ")} bytes: ` +
      "ESP-IDF's default, the Moddable SDK's for the ESP32 (its other chips: 5,744), and two and three times the default (CONFIG_LWIP_TCP_WND_DEFAULT; docs/MODEL.md says what it costs). Limit: no download that erases by sectors or blocks as it goes takes less. " +
      "At risk: what had left the server and was not in the agent's flash, at most.",
    body: table(
      ["line", "window, bytes", ...DOWNLOADS.map(({ name }) => name), "limit", "at risk, bytes"],
      rows.map(({ line, window, ratios, limit: least, atRisk }) => [
        `${line.name}, ${line.latency} ms`,
        window,
        ...ratios.map(times),
        ...(line.resetEvery === undefined ? [times(least), atRisk] : ["", ""]),
      ]),
    ),
  };
}

/** A line that the default window holds back and the widest does not: the agent, and the stream that erases as it does. */
export function windowsPanel(rows: readonly WindowRow[]): Panel {
  const ends: readonly (number | undefined)[] = [WINDOWS[0], WINDOWS.at(-1)];
  const shown = rows.filter(({ line, window }) => line.name === LINES[1]!.name && ends.includes(window));
  return {
    title: `${LINES[1]!.name}, time over the ideal, by receive window`,
    bars: shown.flatMap(({ window, ratios }) =>
      DOWNLOADS.slice(0, 2).map(({ name }, at) => ({
        label: `${name}, ${window.toLocaleString("en-US")} B`,
        value: ratios[at]! - 1,
        text: `${ratios[at]!.toFixed(3)} x`,
        ours: at === 0,
      })),
    ),
    limit: 0.5,
  };
}
