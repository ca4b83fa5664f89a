/**
 * What is linked for an ESP32-C3 of an app that has the agent and nothing else, over the library's sources and over the
 * folder of `xs-ota bundle`: the table at the end of "Size" in docs/MODDABLE.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { featureNames, manifestsWithout, platformNames, writeBundle } from "../../host-sim/bundle/write-bundle";
import { buildForChip } from "./chip-build";
import { PLATFORM, bareApp, linkedSize } from "./flash-report";
import { ROOT } from "./harness";

/** What edition 1 did not have. */
const SINCE = ["containers", "recorder"];

const CHOICES: readonly (readonly [title: string, platforms: readonly string[], without: readonly string[]])[] = [
  ["all clouds, nothing left out", platformNames(), []],
  ["Tencent and ThingsPanel, with what version 0.1.0 had", ["tencent", "thingspanel"], SINCE],
  ["Tencent, all left out that can be", ["tencent"], featureNames()],
];

/** One row for each choice. */
export async function bundleTable(out: string): Promise<string> {
  const number = (value: number): string => value.toLocaleString("en-US");
  const sum = (folder: string): number => {
    const { code, objects } = linkedSize(buildForChip(folder, PLATFORM, out).linked);
    return code + objects;
  };
  const rows = [];
  for (const [index, [title, platforms, without]] of CHOICES.entries()) {
    const app = join(out, `sources-${index}`);
    const manifests = [
      ...platforms.map((name) => join(ROOT, "src", "platforms", name, "manifest.json")),
      ...manifestsWithout(without),
      join(ROOT, "hal", "esp32", "manifest_wifi.json"),
    ];
    const small = join(out, `bundle-${index}`);
    mkdirSync(small, { recursive: true });
    await writeBundle(join(small, "xs-ota"), { platforms, without, network: "wifi", minify: true });
    const [before, after] = [
      sum(appOver(app, platforms, manifests)),
      sum(appOver(small, platforms, ["./xs-ota/manifest.json"])),
    ];
    rows.push(`| ${title} | ${number(before)} | ${number(after)} | ${number(before - after)} |`);
    console.error(rows.at(-1));
  }
  const bare = number(sum(bareApp(join(out, "bare"))));
  return [
    "| linked for an ESP32-C3, bytes | sources | `xs-ota bundle` | less |",
    "|---|---:|---:|---:|",
    ...rows,
    `| an app that does nothing | ${bare} | ${bare} | 0 |`,
  ].join("\n");
}

function appOver(folder: string, platforms: readonly string[], include: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  const used = ["OtaAgent", "powerOn", ...platforms.map((_, index) => `platform${index}`)];
  const lines = [
    'import OtaAgent from "xs-ota";',
    'import { powerOn } from "xs-ota/moddable";',
    ...platforms.map((name, index) => `import * as platform${index} from "xs-ota/${name}";`),
    `trace([${used.join(", ")}].length);`,
  ];
  writeFileSync(join(folder, "main.js"), `${lines.join("\n")}\n`);
  writeFileSync(
    join(folder, "manifest.json"),
    JSON.stringify({
      include: ["$(MODDABLE)/examples/manifest_base.json", ...include],
      modules: { "*": "./main" },
      config: { led: { rainbow: false } },
    }),
  );
  return folder;
}
