/** The report as a self-contained page, and as a small drawing for documents. */
import { FAULT_KINDS } from "../simulation/faults";
import type { FaultKind } from "../simulation/faults";
import { LIMITS } from "../checks/ledger";
import type { Dot, Panel } from "./report-panel";
import {
  PLOT_HEIGHT,
  PLOT_WIDTH,
  count,
  drawPanel,
  escape,
  phaseClass,
  phaseLetter,
  phaseText,
  phasesOf,
  text,
} from "./report-plot";

/** Colours for a light and a dark screen: marks have a contrast of at least 3:1 (WCAG 2.1, 1.4.11), text of 4.5:1. */
const COLOURS: { readonly [name: string]: readonly [light: string, dark: string] } = {
  ground: ["#ffffff", "#12161d"],
  ink: ["#1b2330", "#e7ebf1"],
  soft: ["#566170", "#a3aebc"],
  line: ["#dde2e8", "#2c343f"],
  base: ["#8793a1", "#6d7987"],
  bound: ["#1b2330", "#e7ebf1"],
  bad: ["#c8102e", "#ff6b6b"],
  "on-band": ["#ffffff", "#0c0f14"],
  "phase-b": ["#806000", "#dcb93c"],
  "phase-m": ["#806000", "#dcb93c"],
  "phase-i": ["#626b77", "#a9b3bf"],
  "phase-w": ["#626b77", "#a9b3bf"],
  "phase-c": ["#4c53b3", "#9aa2f5"],
  "phase-d": ["#0b63c4", "#62abf8"],
  "phase-v": ["#007a86", "#38c3cf"],
  "phase-s": ["#007d63", "#31c79e"],
  "phase-p": ["#b85208", "#f59a52"],
  "phase-l": ["#7d3fc0", "#bf93f2"],
  "phase-t": ["#b01e6d", "#f488bb"],
  "phase-o": ["#3d7a17", "#8fcd5c"],
  "phase-x": ["#1b2330", "#e7ebf1"],
};

const variables = (index: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([name, colours]) => `--${name}:${colours[index]}`)
    .join(";");
const PHASE_RULES = Object.keys(COLOURS)
  .filter((name) => name.startsWith("phase-"))
  .map((name) => `.${name}{--phase:var(--${name})}`)
  .join("");

/** Print uses the light colours. */
const STYLE = `:root{${variables(0)};color-scheme:light}
@media screen and (prefers-color-scheme:dark){:root{${variables(1)};color-scheme:dark}}
${PHASE_RULES}
svg text{font:12px system-ui,-apple-system,"Segoe UI","Open Sans",sans-serif;fill:var(--ink)}
svg .title{font-size:17px;font-weight:650}
svg .soft,svg .tick-text{fill:var(--soft)}
svg .axis{font-weight:600}
svg .middle{text-anchor:middle}
svg .end{text-anchor:end}
.ground{fill:var(--ground)}
.wash{fill:var(--phase);opacity:.07}
.grid,.tick{stroke:var(--line);fill:none}
.base{stroke:var(--base);fill:none}
.bound{stroke:var(--bound);stroke-width:1.5;stroke-dasharray:7 4;fill:none}
svg .bound-text{font-weight:600}
.dots{stroke:var(--phase);stroke-width:4.4;stroke-linecap:round;fill:none;stroke-opacity:.8}
.beyond{stroke-width:3;stroke-opacity:.45}
.violation path{stroke:var(--bad);stroke-width:3;stroke-linecap:round;fill:none}
.ring{stroke:var(--ink);stroke-width:1.6;fill:none}
svg .worst{font-weight:600;paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}
.band{fill:var(--phase)}
svg .band-text{fill:var(--on-band);font-weight:650;font-size:11.5px}`;

const PAGE_STYLE = `body{margin:0 auto;max-width:1120px;padding:28px 20px 48px;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI","Open Sans",sans-serif}
h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 8px}p{margin:6px 0;max-width:76ch}
.sub{color:var(--soft)}
figure{margin:20px 0 0;overflow-x:auto}figure svg{display:block;min-width:820px;width:100%;height:auto}
.facts{display:flex;flex-wrap:wrap;gap:12px;margin:20px 0 0;padding:0;list-style:none}
.facts li{border:1px solid var(--line);border-radius:8px;padding:10px 14px;min-width:150px}
.facts b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
.facts span{color:var(--soft);font-size:13px}
.good b{color:var(--phase-o)}.bad b{color:var(--bad)}
.legend{display:flex;flex-wrap:wrap;gap:6px 18px;margin:18px 0 0;padding:0;list-style:none;font-size:14px}
.legend i{display:inline-block;min-width:18px;padding:0 3px;margin-right:7px;border-radius:4px;background:var(--phase);color:var(--on-band);font-style:normal;font-weight:650;font-size:12px;line-height:18px;text-align:center}
.legend small{color:var(--soft);font-size:12.5px}
.legend .mark{background:none;color:var(--bad)}
.tables{display:flex;flex-wrap:wrap;gap:20px 48px;margin:12px 0 36px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13.5px;align-self:flex-start}
caption{text-align:left;font-weight:650;padding:0 0 6px}
th,td{padding:4px 0 4px 12px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th{font-weight:600;color:var(--soft)}th:first-child,td:first-child{text-align:left;padding-left:0}tbody tr:last-child td{font-weight:650;border-bottom:0}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.violations li{margin:6px 0}
.violations b{color:var(--bad)}
@media print{body{max-width:none;padding:0}.legend i{print-color-adjust:exact;-webkit-print-color-adjust:exact}figure,.tables,table{break-inside:avoid}figure{overflow:visible}figure svg{min-width:0}}`;

/** A whole HTML file. */
export function reportPage(panels: readonly Panel[]): string {
  const dots = panels.flatMap((panel) => panel.dots);
  const broken = dots.filter(({ violation }) => violation !== undefined);
  const lost = dots.filter(({ back }) => back === undefined).length;
  const { worstAgain, worstBack } = overall(panels);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Power cuts during an update</title>
<style>${STYLE}
${PAGE_STYLE}</style></head><body>
<h1>Power cuts at every point of an update</h1>
<p class="sub">The power is cut at every flash operation and every message of a whole update, torn writes included. Each dot is one power cut; the board then runs
up to an acknowledged outcome. The upper plot has the bytes that the file server served again. The lower plot has the modelled flash time from power-on to
the first message to the cloud (reads of the bootloader count, the time to connect does not). Colours and bands show the phase that the cut interrupted.</p>
<ul class="facts">
${fact(count(dots.length), "power cuts")}
${fact(count(broken.length), "violations", broken.length === 0 ? "good" : "bad")}
${fact(`${count(worstAgain?.again ?? 0)} B`, `fetched again in the worst case, of ${count(panels[0]?.bound ?? 0)} allowed`)}
${fact(`${(worstBack?.back ?? 0).toFixed(0)} ms`, "recovery in the worst case")}
${lost === 0 ? "" : fact(count(lost), "cuts without a dot in the lower plot: the device never connected again", "bad")}
</ul>
${legend(panels, dots)}
${violationList(broken)}
${panels.map((panel) => `<figure>${svg(PLOT_HEIGHT, `Power cuts of the scenario ${panel.title}`, drawPanel(panel, { marks: "all", top: 0 }))}</figure>\n<div class="tables">${kindTable(panel)}${phaseTable(panel)}</div>`).join("\n")}
<h2>Replay a case</h2>
<p>The name of a case contains its power cuts: <code>npm run powercut -- --replay ${escape(worstAgain?.line ?? "good.whole.agent.-")}</code></p>
${beyondNote(dots)}
</body></html>
`;
}

/** A small drawing without tables: the worst case of each position. */
export function reportDrawing(panels: readonly Panel[]): string {
  const height = panels.length * PLOT_HEIGHT + LEGEND_HEIGHT;
  const content = [
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${PLOT_WIDTH}" height="${height}"/>`,
    ...panels.map((panel, index) => drawPanel(panel, { marks: "worst", top: index * PLOT_HEIGHT })),
    drawnLegend(panels),
  ];
  return svg(
    height,
    "Power cuts during an update: bytes fetched again and recovery time, by cut position",
    content.join("\n"),
  );
}

const LEGEND_HEIGHT = 40;
const LETTER_WIDTH = 7.2;

function svg(height: number, title: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${PLOT_WIDTH} ${height}" role="img" aria-label="${escape(title)}">${content}</svg>`;
}

function drawnLegend(panels: readonly Panel[]): string {
  let x = 84;
  const y = panels.length * PLOT_HEIGHT + 14;
  return phasesOf(panels)
    .map((phase) => {
      const entry = `<rect class="band ${phaseClass(phase)}" x="${x}" y="${y - 13}" width="18" height="18" rx="4"/>${text(x + 9, y, phaseLetter(phase), "band-text middle")}${text(x + 25, y, phase, "")}`;
      x += Math.round(48 + phase.length * LETTER_WIDTH);
      return entry;
    })
    .join("");
}

function fact(value: string, words: string, classes = ""): string {
  return `<li class="${classes}"><b>${value}</b><span>${words}</span></li>`;
}

function legend(panels: readonly Panel[], dots: readonly Dot[]): string {
  const phases = phasesOf(panels).map(
    (phase) =>
      `<li class="${phaseClass(phase)}"><i>${phaseLetter(phase)}</i>${escape(phase)} <small>${escape(phaseText(phase))}</small></li>`,
  );
  if (dots.some(({ limit }) => limit !== undefined))
    phases.push("<li>small and pale: a cut beyond what ESP-IDF protects</li>");
  phases.push('<li><i class="mark">✕</i>a check is broken</li>');
  return `<ul class="legend" aria-label="Phases">${phases.join("")}</ul>`;
}

function violationList(broken: readonly Dot[]): string {
  if (broken.length === 0) return "";
  const items = broken.map(
    ({ line, violation }) =>
      `<li><b>${escape(violation!)}</b><br><code>npm run powercut -- --replay ${escape(line)}</code></li>`,
  );
  return `<h2>Violations</h2><ul class="violations">${items.join("\n")}</ul>`;
}

const KINDS = Object.keys(FAULT_KINDS) as FaultKind[];

function kindTable({ dots }: Panel): string {
  const rows = KINDS.map((kind) =>
    row(
      FAULT_KINDS[kind],
      dots.filter((dot) => dot.kind === kind),
    ),
  ).filter((one) => one !== "");
  return table("By kind of cut", "kind", rows, dots);
}

function phaseTable(panel: Panel): string {
  const { dots } = panel;
  const rows = phasesOf([panel]).map((phase) =>
    row(
      phase,
      dots.filter((dot) => dot.phase === phase),
    ),
  );
  return table("By phase", "phase", rows, dots);
}

function table(caption: string, first: string, rows: readonly string[], dots: readonly Dot[]): string {
  const head = [first, "cuts", "violations", "again at worst", "back at worst"]
    .map((words) => `<th scope="col">${words}</th>`)
    .join("");
  return `<table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${rows.join("")}${row("together", dots)}</tbody></table>`;
}

/** A cut beyond what ESP-IDF protects counts as a cut, not for the worst values. */
function row(words: string, dots: readonly Dot[]): string {
  if (dots.length === 0) return "";
  const promised = dots.filter(({ limit }) => limit === undefined);
  const again = Math.max(0, ...promised.map((dot) => dot.again));
  const back = Math.max(0, ...promised.map((dot) => dot.back ?? 0));
  const cells = [
    escape(words),
    count(dots.length),
    count(dots.filter(({ violation }) => violation !== undefined).length),
    `${count(again)} B`,
    `${back.toFixed(1)} ms`,
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

function beyondNote(dots: readonly Dot[]): string {
  const found = Object.entries(LIMITS)
    .map(([limit, words]) => ({ words, cuts: dots.filter((dot) => dot.limit === limit).length }))
    .filter(({ cuts }) => cuts > 0);
  if (found.length === 0) return "";
  return `<h2>Beyond what ESP-IDF protects</h2><p>${found.map(({ words, cuts }) => `${words}: ${cuts === 1 ? "1 cut" : `${count(cuts)} cuts`}`).join("; ")}. They are drawn, but do not count for bounds and worst cases; docs/POWERCUT.md has the reason.</p>`;
}

function overall(panels: readonly Panel[]): { worstAgain: Dot | undefined; worstBack: Dot | undefined } {
  const worst = (dots: readonly (Dot | undefined)[], value: (dot: Dot) => number): Dot | undefined =>
    dots.filter((dot) => dot !== undefined).sort((a, b) => value(b) - value(a))[0];
  return {
    worstAgain: worst(
      panels.map((panel) => panel.worstAgain),
      ({ again }) => again,
    ),
    worstBack: worst(
      panels.map((panel) => panel.worstBack),
      ({ back }) => back ?? 0,
    ),
  };
}
