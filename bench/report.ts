/** The tables of a run, as Markdown, and its plots. */
import type { Bar } from "./bars";
import { SECTOR_BUFFER, SLOT_BYTES, barRows, growth, headBytes, perKiB } from "./bars";
import { plot } from "./output/plot";
import { table } from "./output/table";
import { AGENT } from "./measure/weak-link";
import type { Outcome, WeakLink } from "./measure/weak-link";
import { flashSection, slowFlashSection } from "./measure/flash-times";
import type { SlowFlashRow } from "./measure/flash-times";
import { leastHeapSection } from "./measure/least-heap";
import type { LeastHeap } from "./measure/least-heap";
import { windowsPanel, windowsSection } from "./measure/receive-windows";
import type { WindowRow } from "./measure/receive-windows";
import type { Work } from "./measure/work";
import type { Fetched } from "./measure/fetchers";
import type { Counts } from "./measure/counts";
import type { HandshakeCost } from "./measure/first-byte";
import { firstByteSection } from "./measure/first-byte";
import { wakesSection } from "./measure/wakes";
import type { WakesResult } from "./simulation/wakes";
import type { FlashSummary } from "./simulation/device";
import type { RunResult } from "./simulation/update";
import { RESET_EVERY } from "./measure/lines";

export interface Results {
  readonly size: number;
  readonly floor: number;
  readonly seeds: readonly number[];
  readonly counts: Counts;
  readonly work: Work;
  readonly update: RunResult;
  readonly wear: { readonly updates: number; readonly flash: FlashSummary };
  readonly weak: readonly WeakLink[];
  readonly cuts: readonly { readonly cut: number; readonly outcomes: readonly Outcome[] }[];
  readonly windows: readonly WindowRow[];
  readonly slowFlash: readonly SlowFlashRow[];
  readonly leastHeap: readonly LeastHeap[];
  readonly fetchers: readonly Fetched[];
  readonly wakes: WakesResult;
  readonly handshakes: readonly HandshakeCost[];
  readonly bars: readonly Bar[];
  readonly machine: string;
}

const seconds = ({ finished, seconds: value }: Outcome): string => (finished ? `${value.toFixed(1)} s` : "never");
const times = (value: number): string => `${value.toFixed(3)} x`;

interface Section {
  readonly title: string;
  readonly note: string;
  readonly body: string;
}

export function sections(results: Results): Section[] {
  const { size, weak, cuts } = results;
  return [
    { title: "Bars", note: "", body: table(["promise", "measured", "bar", ""], barRows(results.bars)) },
    {
      title: "Against what one would use instead",
      note: `An image of ${size} bytes; means over seeds ${results.seeds.join(", ")}. The line is lost at the same moments for everybody, every ${RESET_EVERY} s on average. Everybody retries, at most after a second, although some of the originals give up.`,
      body: comparison(weak, cuts),
    },
    ...weak.map(completion),
    afterCuts(cuts),
    ...(results.fetchers.length === 0 ? [] : [tools(results.fetchers)]),
    windowsSection(results.windows),
    slowFlashSection(results.size, results.slowFlash),
    bytecodes(results),
    heap(results.work),
    leastHeapSection(results.leastHeap),
    flashWithWear(results),
    networkOfUpdate(results),
    wakesSection(results.wakes),
    firstByteSection(results.wakes, results.handshakes),
  ];
}

function completion(each: WeakLink): Section {
  return {
    title: `Completion at ${each.line.name}, ${each.line.latency} ms one way`,
    note: "Ideal: size divided by rate, or the floor of flash time where that is longer. While flash works, nothing of the device runs, and the window of 5,760 bytes fills: that bounds everybody on the faster lines.",
    body: table(
      ["strategy", "steady", "over ideal", "with breaks", "over ideal", "worst seed", "bytes again", "requests"],
      each.steady.map((calm, at) => {
        const broken = each.resets[at]!;
        return [
          calm.name,
          seconds(calm),
          times(calm.ratio),
          seconds(broken),
          times(broken.ratio),
          times(broken.worstRatio),
          broken.again,
          broken.requests.toFixed(1),
        ];
      }),
    ),
  };
}

function afterCuts(cuts: Results["cuts"]): Section {
  return {
    title: "A power cut at 10, 50 and 90 %",
    note: "Bytes of the file served again, at 64 KiB/s. How many depends on where in a sector, a record or an answer the cut falls; the bound of the agent is a sector and 16 KiB.",
    body: table(
      ["strategy", ...cuts.map(({ cut }) => `at ${cut * 100} %`), "NVS entries"],
      cuts[0]!.outcomes.map(({ name, nvsEntries }, at) => [
        name,
        ...cuts.map(({ outcomes }) => outcomes[at]!.again),
        Math.round(nvsEntries),
      ]),
    ),
  };
}

function tools(fetched: readonly Fetched[]): Section {
  return {
    title: "curl and wget",
    note: "On this machine's loopback, the connection closed at 10, 50 and 90 % of the file. They keep each byte that arrived, in a file system; what neither does is to know that it is still the same file, or that it is right.",
    body: table(
      ["tool", "complete", "connections", "requests", "bytes again"],
      fetched.map(({ name, complete, connections, requests, again }) => [
        name,
        complete ? "yes" : "no",
        connections,
        requests,
        again,
      ]),
    ),
  };
}

function bytecodes({ counts, work }: Results): Section {
  return {
    title: "Bytecodes on XS",
    note: "The agent over ports that do nothing, so only its own work counts: XS meters a native copy at two bytecodes for each byte, and the copy out of the socket, a memcpy, is left out. Segments of 1,440 bytes, heads of Tencent's object store (437 bytes), a signed URL of 330 characters.",
    body: table(
      ["what", "bytecodes"],
      [
        ["download, each KiB, all together", perKiB(work, work.bytecodes.downloading)],
        ["of it: response heads", counts.headPerKiB],
        ["of it: range requests", counts.requestPerKiB],
        ["of it: sector to flash and readback", counts.flashPerKiB],
        ["of it: checkpoint", counts.checkpointPerKiB],
        ["of it: progress reports, one a second at 64 KiB/s", counts.reportPerKiB],
        [
          "of it: the rest (socket to sector buffer, driver, job)",
          perKiB(work, work.bytecodes.downloading) -
            counts.headPerKiB -
            counts.requestPerKiB -
            counts.flashPerKiB -
            counts.checkpointPerKiB -
            counts.reportPerKiB,
        ],
        ["verify, each KiB, native digest", perKiB(work, work.bytecodes.verifying)],
        ["digest by js-md5, each KiB, where there is no native one", counts.md5PerKiB],
        ["one progress report, JSON and MQTT", counts.report],
        ["start, connection to the broker, first report", work.bytecodes.starting],
        ["one idle hour (keep-alive of 60 s)", work.idleHour],
      ],
    ),
  };
}

function heap(work: Work): Section {
  return {
    title: "XS heap",
    note: `Live slots after a collection; a slot has ${SLOT_BYTES.chip} bytes on a chip, ${SLOT_BYTES.host} on the host. Beside it: one sector buffer of ${SECTOR_BUFFER} bytes, 512 bytes for heads, 1,024 for MQTT.`,
    body:
      table(
        ["moment", "slots", "above idle", "bytes above idle on a chip"],
        (["idle", "downloading", "verifying", "peak"] as const).map((moment) => [
          moment,
          work.heap[moment],
          work.heap[moment] - work.heap.idle,
          (work.heap[moment] - work.heap.idle) * SLOT_BYTES.chip,
        ]),
      ) +
      `\n\nSlots made for each KiB downloaded, garbage included: ${work.slotsPerKiB.toFixed(1)}. After each of ${work.heap.afterEach.length} downloads in one boot cycle: ${range(work.heap.afterEach)}; growth after the first: ${growth(work)} slots.`,
  };
}

function flashWithWear({ size, update, wear }: Results): Section {
  const section = flashSection(size, update.flash);
  return { ...section, body: `${section.body}\n\n${wearText(wear, Math.ceil(size / 4096))}` };
}

function networkOfUpdate({ size, update }: Results): Section {
  return {
    title: "Network of one update",
    note: "At 64 KiB/s without breaks.",
    body: table(
      ["", "count"],
      [
        ["HTTP requests", update.requests],
        ["connections to the file server", update.file.connections],
        ["TLS handshakes, were it https", update.file.connections],
        ["bytes of the file served twice", update.again],
        ["bytes of response heads", headBytes(size, update)],
        ["bytes sent to the file server", update.file.up],
        ["round trips from the offer to the first byte (connect, request)", 2],
        ["connections to the broker (one for each start)", update.mqtt.connections],
        ["bytes from and to the broker", `${update.mqtt.sent} / ${update.mqtt.up}`],
      ],
    ),
  };
}

export function comparison(weak: readonly WeakLink[], cuts: Results["cuts"]): string {
  const slow = weak[0]!;
  const middle = cuts.find(({ cut }) => cut === 0.5)!;
  return table(
    [
      "strategy",
      "as in",
      `${slow.line.name} with breaks`,
      "bytes fetched again",
      "again after a power cut at 50 %",
      "NVS entries",
      "flash time over floor",
    ],
    slow.resets.map((outcome, at) => [
      outcome.name,
      outcome.like || "this agent",
      seconds(outcome),
      outcome.again,
      middle.outcomes[at]!.again,
      Math.round(outcome.nvsEntries),
      times(outcome.flashRatio),
    ]),
  );
}

export function comparisonPlot({ weak, cuts, windows, size }: Results): string {
  const slow = weak[0]!;
  const middle = cuts.find(({ cut }) => cut === 0.5)!;
  const best = size / slow.line.rate;
  const label = ({ name, like }: Outcome): string => (like === "" ? name : name);
  return plot(`${Math.round(size / 1024)} KiB of firmware over a weak link (${slow.line.name})`, [
    {
      title: `time to completion, the line lost every ${RESET_EVERY} s on average`,
      bars: slow.resets.map((outcome) => ({
        label: label(outcome),
        value: outcome.seconds,
        text: seconds(outcome),
        ours: outcome.name === AGENT,
      })),
      limit: best * 2.5,
      mark: { value: best, label: `ideal ${best.toFixed(1)} s` },
    },
    {
      title: "bytes fetched again over these breaks",
      bars: slow.resets.map((outcome) => ({
        label: label(outcome),
        value: outcome.again,
        text: kib(outcome.again),
        ours: outcome.name === AGENT,
      })),
      limit: 40_000,
    },
    {
      title: "bytes fetched again after one power cut at half the file",
      bars: middle.outcomes.map((outcome) => ({
        label: label(outcome),
        value: outcome.again,
        text: kib(outcome.again),
        ours: outcome.name === AGENT,
      })),
      limit: 40_000,
    },
    {
      title: "records appended to NVS (they wear it out)",
      bars: slow.resets.map((outcome) => ({
        label: label(outcome),
        value: outcome.nvsEntries,
        text: String(Math.round(outcome.nvsEntries)),
        ours: outcome.name === AGENT,
      })),
    },
    windowsPanel(windows),
  ]);
}

export function linesPlot({ weak }: Results): string {
  return plot(
    "Completion over the ideal, with breaks",
    weak.map(({ line, resets }) => ({
      title: `${line.name}, ${line.latency} ms one way`,
      bars: resets.map((outcome) => ({
        label: outcome.name,
        value: outcome.ratio,
        text: times(outcome.ratio),
        ours: outcome.name === AGENT,
      })),
      limit: 3,
      mark: { value: 1, label: "ideal" },
    })),
  );
}

/** `flash` is measured; 10,000 updates are that, multiplied. */
function wearText({ updates, flash }: Results["wear"], sectors: number): string {
  const LIFE = 10_000;
  const slot = LIFE / 2;
  const nvs = Math.round((flash.nvsErases / updates) * LIFE);
  return (
    `Wear, measured over ${updates} updates in a row on one board and multiplied: 10,000 updates erase each of the ${sectors} sectors in use of either slot ${slot.toLocaleString("en-US")} times ` +
    `(measured: ${flash.mostErases} in ${updates}), and NVS pages ${nvs.toLocaleString("en-US")} times together, ${Math.round(nvs / 6).toLocaleString("en-US")} each of six; NOR flash stands 100,000.`
  );
}

function range(values: readonly number[]): string {
  return `${Math.min(...values)} to ${Math.max(...values)}`;
}

function kib(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`;
}
