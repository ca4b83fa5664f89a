import { access, constants, mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { fileReason } from "../board/config/file-errors";
import { readText } from "../board/config/text-file";
import type { FleetOptions } from "../cloud/fleet/fleet";
import { runFleet } from "../cloud/fleet/fleet";
import { FLEET_PLATFORMS, type FleetPlatform } from "../cloud/fleet/servers/open";
import { plot } from "../cloud/fleet/plot";
import { asJson, asText } from "../cloud/fleet/summary";
import { bytesArgument, originArgument } from "./arguments";
import { orFail } from "./errors";
import { FleetProgressLine } from "./fleet-progress";
import { print } from "./output";
import { writeWhole } from "./whole-file";

interface FleetFlags {
  readonly devices: number;
  readonly processes: number;
  readonly size: number;
  readonly failShare: number;
  readonly weakShare: number;
  readonly waves?: number[];
  readonly failureLimit?: number;
  readonly outage?: number;
  readonly ramp: number;
  readonly minutes: number;
  readonly seed: number;
  readonly cloud?: string;
  readonly token?: string;
  readonly plot: string;
  readonly json?: boolean;
  readonly platform: FleetPlatform;
  readonly server?: string;
  readonly site?: string;
  readonly poll?: number;
  readonly speed: number;
  readonly groups?: number;
}

/** `xs-ota fleet`. */
export function register(program: Command): void {
  program
    .command("fleet")
    .summary("take many devices through an update")
    .description(
      "Runs many agents, the same code that boards run, against one server and takes them through one rollout. Starts a cloud of its " +
        "own, or a web server for static, unless one is named. Prints what became of them and writes a plot; shows progress on stderr " +
        "while it runs. Exits with 1 if a device failed that was not meant to. hawkBit and ThingsBoard are servers of your own, with the " +
        "account in XS_OTA_HAWKBIT_USER and _PASSWORD, or XS_OTA_THINGSBOARD_USER, _PASSWORD and _MQTT_PORT; what is made there is removed.",
    )
    .addOption(
      new Option("--platform <name>", "that the devices speak").choices([...FLEET_PLATFORMS]).default("tencent"),
    )
    .option("--server <url>", "of hawkBit or ThingsBoard; for static where the folder --site is served")
    .option("--site <folder>", "served by a web server of your own at --server")
    .option(
      "--poll <seconds>",
      "from one poll of a device to the next, where the platform is polled",
      count(60, 604_800),
    )
    .option("--speed <factor>", "how many times faster than real time the devices' clocks go", count(1, 60), 1)
    .option("--devices <count>", "how many", count(1, 10_000), 100)
    .option("--processes <count>", "that they run in", count(1, 64), Math.min(4, availableParallelism()))
    .option("--size <bytes>", "of the image", bytesArgument, 300_000)
    .option(
      "--fail-share <share>",
      "share of the devices that fail on purpose, half by their health check and half by worn flash",
      share,
      0,
    )
    .option("--weak-share <share>", "share of the devices behind a weak link", share, 0)
    .option(
      "--waves <percentages>",
      "rollout in waves, such as 5,25,100; for static percentages of the manifest",
      wavesArgument,
    )
    .option(
      "--groups <count>",
      "of hawkBit, which begins the next one when enough of one have succeeded",
      count(1, 500),
    )
    .option(
      "--failure-limit <percent>",
      "halt when more of the devices asked so far have failed; on hawkBit of a group",
      percent,
    )
    .option("--outage <seconds>", "kill the cloud in mid-rollout and bring it back after that time", count(0, 600))
    .option("--ramp <seconds>", "over which the devices are switched on", count(0, 3600), 5)
    .option("--minutes <minutes>", "that the rollout may take", count(1, 24 * 60), 15)
    .option("--seed <number>", "picks the devices that fail, and their links", count(0, 2 ** 31), 1)
    .option("--cloud <url>", "a cloud that runs already, as its console is reached", originArgument)
    .option("--token <file>", "its API token: the file api-token in its state folder")
    .option("--plot <file>", "where the plot goes", "build/fleet.svg")
    .option("--json", "the result as one JSON object")
    .action(orFail(run));
}

async function run(flags: FleetFlags): Promise<void> {
  const { platform, devices, processes, size, failShare, weakShare, waves, failureLimit, outage, ramp, minutes, seed } =
    flags;
  const { server, site, poll: pollSeconds, speed, groups } = flags;
  const cloud = cloudOf(flags);
  refuseOthers(flags);
  const path = resolve(flags.plot);
  // Before everything else: a fleet takes minutes.
  await mkdir(dirname(path), { recursive: true })
    .then(() => access(dirname(path), constants.W_OK))
    .catch((error: Error) => Promise.reject(new Error(`no plot can be written to ${path}: ${fileReason(error)}`)));
  const options: FleetOptions = {
    platform,
    speed,
    devices,
    processes: Math.min(processes, devices),
    size,
    failShare,
    weakShare,
    ramp: ramp * 1000,
    timeLimit: minutes * 60_000,
    seed,
    ...(waves === undefined ? {} : { waves }),
    ...(failureLimit === undefined ? {} : { failureLimit }),
    ...(outage === undefined ? {} : { outage }),
    ...(cloud === undefined ? {} : { cloud }),
    ...(groups === undefined ? {} : { groups }),
    ...(server === undefined ? {} : { server }),
    ...(site === undefined ? {} : { site }),
    ...(pollSeconds === undefined ? {} : { pollSeconds }),
  };
  const line = new FleetProgressLine(process.stderr);
  const result = await runFleet(options, line).finally(() => line.end());
  await print(flags.json === true ? `${JSON.stringify(asJson(result))}\n` : asText(result));
  writeWhole(path, Buffer.from(plot(result)));
  process.stderr.write(`plot: ${path}\n`);
  if (result.unexpected > 0) process.exitCode = 1;
}

/** Throws one line on flags that the platform has no use for. */
function refuseOthers({ platform, cloud, outage, server, site, waves, groups, poll }: FleetFlags): void {
  const isLocal = platform === "tencent" || platform.startsWith("thingspanel");
  const wrong = (flag: string, why: string): never => {
    throw new Error(`${flag} is not for ${platform}: ${why}`);
  };
  if (outage !== undefined && cloud !== undefined)
    throw new Error("--outage kills the cloud, so it needs one of its own: leave --cloud out");
  if (outage !== undefined && !isLocal) wrong("--outage", "only a cloud of our own can be killed");
  if (cloud !== undefined && !isLocal) wrong("--cloud", "give its --server");
  if (server !== undefined && isLocal) wrong("--server", "give --cloud and --token of a local cloud");
  if (site !== undefined && platform !== "static") wrong("--site", "it has no folder");
  if (waves !== undefined && platform === "hawkbit") wrong("--waves", "its groups are of equal size, give --groups");
  if (groups !== undefined && platform !== "hawkbit") wrong("--groups", "give --waves");
  if (poll !== undefined && platform !== "static" && platform !== "hawkbit") wrong("--poll", "it is not polled");
}

function cloudOf({ cloud, token }: FleetFlags): FleetOptions["cloud"] {
  if (cloud === undefined && token === undefined) return undefined;
  if (cloud === undefined || token === undefined) throw new Error("--cloud and --token belong together");
  return { url: cloud, token: readText(token).trim() };
}

function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
    return value;
  };
}

function share(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError("It is a share from 0 to 1.");
  return value;
}

function percent(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError("It is a percentage from 0 to 100.");
  return value;
}

function wavesArgument(text: string): number[] {
  const waves = text.split(",").map(Number);
  const rising = waves.every((value, index) => value > (waves[index - 1] ?? 0));
  if (!rising || waves.at(-1) !== 100)
    throw new InvalidArgumentError("Waves are rising percentages up to 100, such as 5,25,100.");
  return waves;
}
