/**
 * `npm run powercut -- --report`: a drawing of every single power cut. docs/powercut.svg is a copy of the small drawing
 * that it writes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Density } from "../simulation/faults";
import { reportDrawing, reportPage } from "./report-page";
import { searchPanel } from "./report-panel";
import type { Setting } from "../search/search";

export interface ReportSearch {
  readonly settings: readonly Setting[];
  readonly density: Density;
}

/** A good update and one that is rolled back: every operation and message, each torn in about a dozen ways. */
const BOTH: ReportSearch = {
  settings: ["good", "unhealthy"].map((scenario): Setting => ({
    scenario,
    scale: "whole",
    device: "agent",
    network: "",
  })),
  density: { positions: 10, small: 12, subsets: 2, unstable: 1 },
};

export interface ReportFacts {
  readonly cases: number;
  readonly violations: number;
  /** Path of the page. */
  readonly file: string;
}

/** Searches, and writes report.html and powercut.svg into `folder`. Takes about a minute. */
export function writeReport(
  folder: string,
  onProgress: (text: string) => void,
  { settings, density }: ReportSearch = BOTH,
): ReportFacts {
  const panels = settings.map((setting) =>
    searchPanel(setting, density, (done) => onProgress(`scenario ${setting.scenario}: ${done} cuts`)),
  );
  const file = join(folder, "report.html");
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, reportPage(panels));
  writeFileSync(join(folder, "powercut.svg"), reportDrawing(panels));
  const dots = panels.flatMap((panel) => panel.dots);
  return { cases: dots.length, violations: dots.filter(({ violation }) => violation !== undefined).length, file };
}
