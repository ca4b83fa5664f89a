/**
 * How much memory the agent takes for each platform: idle, and while it downloads, over plain TCP. The servers are those
 * of `xs-ota fleet`, with one device.
 */
import { buildImage } from "../../hal/model-chip/build-image";
import { openServer } from "../../host-sim/cloud/fleet/servers/open";
import type { FleetPlatform } from "../../host-sim/cloud/fleet/servers/open";
import { HawkbitDouble } from "../doubles/hawkbit/server";
import { ThingsBoardDouble } from "../doubles/thingsboard/server";
import { HeadlessRun } from "./harness";

const SIZE = 200_000;
/** sizeof(txSlot) on a chip. */
const SLOT = 16;
/** Longest silence, ms: a device polls each minute, at the least. */
const SILENCE = 180_000;

interface Reading {
  readonly at: string;
  readonly slots: number;
  readonly chunks: number;
}

const PLATFORMS: readonly (readonly [FleetPlatform, title: string])[] = [
  ["static", "static files"],
  ["tencent", "Tencent"],
  ["thingspanel-v0", "ThingsPanel"],
  ["hawkbit", "hawkBit"],
  ["thingsboard", "ThingsBoard"],
];

const bytes = ({ slots, chunks }: Reading): number => slots * SLOT + chunks;

/** A server of one's own where the platform needs one. */
async function serverFor(platform: FleetPlatform): Promise<{ readonly url?: string; stop(): Promise<void> }> {
  if (platform !== "hawkbit" && platform !== "thingsboard") return { stop: async () => undefined };
  const double = platform === "hawkbit" ? new HawkbitDouble() : new ThingsBoardDouble();
  await double.start();
  if (double instanceof ThingsBoardDouble) process.env["XS_OTA_THINGSBOARD_MQTT_PORT"] = String(double.mqttPort);
  return { url: double.url, stop: () => double.stop() };
}

/** Readings of one update: "nothing", "idle", those of the download, "idle". */
async function measure(headless: string, app: string, platform: FleetPlatform): Promise<Reading[]> {
  const { url, stop } = await serverFor(platform);
  const server = await openServer({ platform, ...(url === undefined ? {} : { server: url }) });
  let run: HeadlessRun | undefined;
  try {
    const [settings] = await server.addDevices(["ram-00000"]);
    run = new HeadlessRun(headless, app, { XS_OTA_RAM: JSON.stringify(settings) });
    await run.line(({ at, version }) => at === "idle" && version === "0.0.1", SILENCE);
    const image = buildImage({ version: "0.1.0", payload: Buffer.from("// for the meter"), size: SIZE });
    await server.begin({ version: "0.1.0", bytes: Buffer.from(image) }, { timeLimit: SILENCE });
    await run.line(({ at, version }) => at === "idle" && version === "0.1.0", SILENCE);
    return run.lines.filter(({ at }) => at !== undefined) as unknown as Reading[];
  } finally {
    await run?.cut();
    await server.close();
    await stop();
  }
}

/** One row for each platform. */
export async function platformRamTable(headless: string, app: string): Promise<string> {
  const number = (value: number): string => Math.round(value).toLocaleString("en-US");
  const rows: string[] = [];
  for (const [platform, title] of PLATFORMS) {
    const readings = await measure(headless, app, platform);
    const [nothing, idle] = ["nothing", "idle"].map((at) => bytes(readings.find((reading) => reading.at === at)!));
    const peak = Math.max(...readings.filter(({ at }) => at === "downloading").map(bytes));
    rows.push(`| ${title} | ${number(idle! - nothing!)} | ${number(peak - idle!)} |`);
    console.error(`${title}: done`);
  }
  return ["| RAM, bytes | the idle agent | an update above that |", "|---|---:|---:|", ...rows].join("\n");
}
