import type { Wear } from "../board/wear-file";
import type { SecondUpdate } from "./second-update";

/** Measurements of the demonstration. */
export interface Measured {
  readonly size: number;
  readonly sectors: number;
  /** Bytes of the image that left the cloud, and those of them that left it twice. */
  readonly served: number;
  readonly again: number;
  readonly cutPercent: number;
  /** Bytes stored at the cut, and the offset at which the board resumed. */
  readonly checkpoint: number;
  readonly resumed: number;
  /** Status of the task in the cloud, and the version that the board reported last. */
  readonly status: string;
  readonly runs: string | undefined;
  readonly wanted: string;
  readonly inFlash: readonly string[];
  readonly wear: Readonly<Record<string, Wear>>;
  readonly reports: number;
  readonly violations: readonly string[];
  readonly seconds: number;
  readonly second: SecondUpdate;
}

/** Bytes: one sector and what is in flight when the power is cut (invariant 6 in docs/DESIGN.md). */
const AGAIN_MAX = 4096 + 16_384;
/** Sectors that one command erases. The last block is erased whole, and a power cut costs one block at most. */
const BLOCK = 16;
const NOTHING: Wear = { erases: 0, mostErases: 0, programs: 0 };

export function summarize(measured: Measured): string[] {
  const { size, served, again, wear, reports, seconds, runs, status, inFlash, second } = measured;
  const of = (label: string): Wear => wear[label] ?? NOTHING;
  const rows: readonly (readonly [string, string])[] = [
    ["cloud says", `${status}, the board runs ${runs}`],
    ["in flash", inFlash.join(", ")],
    ["bytes served", `${served} for an image of ${size}`],
    ["bytes fetched again", `${again} (bar: ${AGAIN_MAX})`],
    [
      "sectors erased, ota_1",
      `${of("ota_1").erases} for ${measured.sectors}, in blocks of ${BLOCK}; one sector ${of("ota_1").mostErases} times at most`,
    ],
    ["sectors erased, ota_0", `${of("ota_0").erases} (the running slot)`],
    ["NVS", `${of("nvs").programs} writes, ${of("nvs").erases} page erases`],
    ["boot entries", `${of("otadata").programs} writes`],
    ["reports sent", String(reports)],
    [
      `update to ${second.version}`,
      `${second.status}: ${second.served} bytes served, of a container of ${second.container}, for an image of ${second.image} (${percent(second)} %)`,
    ],
    ["time", `${seconds.toFixed(1)} s`],
  ];
  return ["", ...rows.map(([name, value]) => `  ${name.padEnd(22)} ${value}`), ""];
}

const percent = ({ served, image }: SecondUpdate): string => ((100 * served) / image).toFixed(1);

/** Promises that the run broke. */
export function problems({
  size,
  sectors,
  served,
  again,
  checkpoint,
  resumed,
  status,
  runs,
  wanted,
  wear,
  violations,
  second,
}: Measured): string[] {
  const found: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || found.push(what));
  expect(status === "success", `the cloud has the update as ${status}`);
  expect(runs === wanted, `the board runs ${runs}`);
  expect(resumed === checkpoint && resumed > 0, `resumed at ${resumed}, the checkpoint was ${checkpoint}`);
  expect(served >= size, `only ${served} bytes were served`);
  expect(again <= AGAIN_MAX, `${again} bytes were fetched again`);
  expect((wear["ota_0"] ?? NOTHING).erases === 0, "the running slot was erased");
  const most = Math.ceil(sectors / BLOCK) * BLOCK + BLOCK;
  expect((wear["ota_1"] ?? NOTHING).erases <= most, `${wear["ota_1"]?.erases} sectors were erased`);
  expect((wear["ota_1"] ?? NOTHING).mostErases <= 2, `a sector was erased ${wear["ota_1"]?.mostErases} times`);
  expect(second.status === "success" && second.runs === second.version, `the update by a delta is ${second.status}`);
  expect(second.served * 4 < second.image, `${second.served} bytes were served for a delta`);
  expect(violations.length === 0, `the cloud saw breaches of protocol: ${violations.join(", ")}`);
  return found;
}
