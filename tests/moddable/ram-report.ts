/**
 * How much memory the agent takes on the SDK's engine, and how much flash: the tables of docs/MODDABLE.md, and of
 * docs/PLATFORMS.md for each platform alone, which are written there in place. Run by scripts/moddable-ram.mjs, which
 * takes "ram", "expand", "flash", "prices", "edition", "small", "platforms" and "platforms-ram" for these alone.
 */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { buildImage } from "../../hal/model-chip/build-image";
import { containerOf } from "../kit/containers";
import { bundleTable } from "./bundle-flash";
import { editionTable } from "./edition-flash";
import { priceTable } from "./feature-prices";
import { flashTable } from "./flash-report";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless } from "./harness";
import { platformRamTable } from "./platform-ram";
import { platformTable } from "./platform-flash";

const IDENTITY = { productId: "A1B2C3D4E5", deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" };
const SIZE = 200_000;
/** sizeof(txSlot) on a chip. */
const SLOT = 16;

interface Reading {
  readonly at: string;
  readonly slots: number;
  readonly chunks: number;
  readonly stack: number;
  readonly version?: string;
  /** Of the engine's pointers; in the first reading. */
  readonly bits?: number;
  /** Bytes of the system's heap that the decoder of containers takes. */
  readonly decoder?: number;
}

interface Scenario {
  readonly name: string;
  readonly tls: boolean;
  readonly range: number;
  readonly updates: number;
  /** The last update comes as a container with a patch. */
  readonly container?: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "plain TCP", tls: false, range: 4_096, updates: 1 },
  { name: "plain TCP", tls: false, range: 8_192, updates: 10 },
  { name: "plain TCP", tls: false, range: 16_384, updates: 1 },
  { name: "TLS", tls: true, range: 4_096, updates: 1 },
  { name: "TLS", tls: true, range: 8_192, updates: 10 },
  { name: "TLS", tls: true, range: 16_384, updates: 1 },
];

const CONTAINER: Scenario = { name: "container", tls: false, range: 8_192, updates: 2, container: true };

/** Bytes on a chip; of an engine built for 64 bits the chunks are a little larger. */
const bytes = ({ slots, chunks }: Reading): number => slots * SLOT + chunks;
const most = (readings: readonly Reading[], of: (reading: Reading) => number): number =>
  Math.max(0, ...readings.map(of));
const number = (value: number): string => Math.round(value).toLocaleString("en-US");

const words = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "xs-ota-ram-"));
/** Of its own: compiled perhaps by another compiler than the rest. */
const OUT = `${BUILD}-${words[0] ?? "ram"}`;
rmSync(OUT, { recursive: true, force: true });

/**
 * Every reading of a run: "nothing", then "idle" before and after each update with the readings of its download in
 * between.
 */
async function measure(
  headless: string,
  app: string,
  { tls, range, updates, container }: Scenario,
): Promise<Reading[]> {
  const cloud = await createCloud(tls ? { tls: { kind: "ec" } } : {});
  await cloud.start();
  const deviceName = `ram-${tls ? "tls" : "tcp"}-${range}`;
  const imageOf = (update: number): Uint8Array =>
    buildImage({ version: `0.${update}.0`, payload: Buffer.from("// for the meter"), size: SIZE });
  const device = cloud.addDevice("tencent", { ...IDENTITY, deviceName });
  const root = join(folder, "root.der");
  if (tls) writeFileSync(root, new X509Certificate(cloud.root!).raw);
  const scenario = {
    platform: { kind: "tencent", authMode: "KEY", ...IDENTITY, deviceName },
    broker: { host: "127.0.0.1", port: tls ? cloud.mqttsPort : cloud.mqttPort },
    range,
    ...(tls ? { root } : {}),
  };
  const run = new HeadlessRun(headless, app, { XS_OTA_RAM: JSON.stringify(scenario) });
  try {
    await run.line(({ at, version }) => at === "idle" && version === "0.0.1");
    for (let update = 1; update <= updates; update++) {
      const version = `0.${update}.0`;
      const image = imageOf(update);
      const packed = container === true && update === updates;
      const file = packed ? containerOf(image, [imageOf(update - 1)], { whole: false }).bytes : image;
      const task = cloud.push(device, await cloud.packages.add(file, { version, name: version }));
      await run.line((line) => line["at"] === "idle" && line["version"] === version);
      const { status, message } = await cloud.settled(task.id);
      if (status !== "success") throw new Error(`update ${update}: ${status}, ${message ?? ""}\n${run.transcript()}`);
      await setTimeout(0);
    }
    return run.lines.filter(({ at }) => at !== undefined) as unknown as Reading[];
  } finally {
    await run.cut();
    await cloud.stop();
  }
}

function ramTable(results: readonly (readonly [Scenario, readonly Reading[]])[]): string {
  const rows = results.map(([{ name, range }, readings]) => {
    const first = readings.findIndex(({ at }) => at === "idle");
    const idle = readings[first]!;
    const download = readings.slice(first + 1).filter(({ at }) => at === "downloading" || at === "garbage");
    const live = download.filter(({ at }) => at === "downloading");
    const peak = live.reduce((a, b) => (bytes(b) > bytes(a) ? b : a));
    const cells = [
      name,
      number(range),
      number(idle.slots),
      number(idle.chunks),
      number(peak.slots),
      number(peak.chunks),
      `**${number(bytes(peak) - bytes(idle))}**`,
    ];
    return `| ${[...cells, number(most(download, bytes) - bytes(idle)), number(most(readings, ({ stack }) => stack))].join(" | ")} |`;
  });
  return [
    "| connections | range | idle: slots | chunks, bytes | downloading: slots | chunks, bytes | above idle, bytes | with garbage | stack, slots |",
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ...rows,
  ].join("\n");
}

function growthTable(results: readonly (readonly [Scenario, readonly Reading[]])[]): string {
  const long = results.filter(([{ updates }]) => updates > 1);
  const rows = long.map(
    ([{ name, range }, readings]) =>
      `| ${name}, ${number(range)} | ${readings
        .filter(({ at }) => at === "idle")
        .map((reading) => number(bytes(reading)))
        .join(" | ")} |`,
  );
  const updates = Array.from({ length: 11 }, (_, index) => String(index));
  return [
    `| idle after update | ${updates.join(" | ")} |`,
    `|---|${updates.map(() => "---:").join("|")}|`,
    ...rows,
  ].join("\n");
}

/** What the last update takes above idle, by its phases. */
function expandTable(readings: readonly Reading[]): string {
  const before = readings.findLastIndex(({ at }, index) => at === "idle" && index < readings.length - 1);
  const [idle, update] = [readings[before]!, readings.slice(before + 1)];
  const above = (at: string): number =>
    most(
      update.filter((each) => each.at === at),
      bytes,
    ) - bytes(idle);
  const decoder = update.find((reading) => reading.decoder !== undefined)!.decoder!;
  const expanding = above("expanding");
  return [
    "| the container is fetched, above idle, bytes | expanding, above idle | the decoder, outside of XS | together |",
    "|---:|---:|---:|---:|",
    `| ${[above("downloading"), expanding, decoder].map(number).join(" | ")} | **${number(expanding + decoder)}** |`,
  ].join("\n");
}

/** Puts `text` between the marks of that name, which one of the documents has. */
function place(name: string, text: string): void {
  const path = join(ROOT, "docs", name.startsWith("platforms") ? "PLATFORMS.md" : "MODDABLE.md");
  const document = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- ${name}: written by scripts/moddable-ram.mjs -->`, `<!-- end of ${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} lacks the marks of "${name}"`);
  writeFileSync(path, `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`);
}

/** Each table under its mark's name. */
async function expandTables(headless: string, app: string): Promise<{ [name: string]: string }> {
  return { expand: expandTable(await measure(headless, app, CONTAINER)) };
}

async function ramTables(headless: string, app: string): Promise<{ [name: string]: string }> {
  const results: (readonly [Scenario, readonly Reading[]])[] = [];
  for (const scenario of SCENARIOS) {
    results.push([scenario, await measure(headless, app, scenario)]);
    console.error(`${scenario.name}, ${scenario.range}: done`);
  }
  console.error(`engine built for ${results[0]?.[1][0]?.bits} bits`);
  return { ram: ramTable(results), growth: growthTable(results) };
}

try {
  const asked = (name: string): boolean => words.length === 0 || words.includes(name);
  const meter = (): [headless: string, app: string] => [
    buildHeadless(OUT),
    build(join(ROOT, "tests", "moddable", "ram"), OUT, "instrument").path,
  ];
  const tables = {
    ...(asked("ram") ? await ramTables(...meter()) : {}),
    ...(asked("expand") ? await expandTables(...meter()) : {}),
    ...(asked("platforms-ram") ? { "platforms-ram": await platformRamTable(...meter()) } : {}),
    ...(asked("flash") ? { flash: flashTable(OUT) } : {}),
    ...(asked("prices") ? { prices: priceTable(OUT) } : {}),
    ...(asked("edition") ? { edition: editionTable(OUT) } : {}),
    ...(asked("small") ? { small: await bundleTable(OUT) } : {}),
    ...(asked("platforms") ? { platforms: platformTable(OUT) } : {}),
  };
  for (const [name, table] of Object.entries(tables)) {
    console.log(`${table}\n`);
    place(name, table);
  }
} finally {
  rmSync(folder, { recursive: true });
}
