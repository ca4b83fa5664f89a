import { Option } from "commander";
import type { Command } from "commander";
import { Board } from "../board/board";
import { createNodeEngine } from "../board/engine-node";
import { createXsEngine } from "../board/engine-xs";
import { workerPath } from "../board/xs-worker";
import { readDeviceConfig } from "../board/config/device-config";
import { OWN_BOOTLOADER, STOCK_BOOTLOADER } from "../../hal/model-chip/bootloader";
import { sleepArgument, versionArgument } from "./arguments";
import { Narrator } from "./device-progress";
import { orFail } from "./errors";
import { outliveOutput } from "./output";
import { written } from "./written";
import { sampleImage } from "../board/firmware/sample-image";

interface DeviceFlags {
  readonly config: string;
  readonly state: string;
  readonly version: string;
  readonly engine: "xs" | "node";
  readonly portableMd5?: boolean;
  readonly sleep?: { readonly awake: number; readonly asleep: number };
  readonly bootloader: "rollback" | "stock";
  readonly verbose?: boolean;
}

/** `xs-ota device`. */
export function register(program: Command): void {
  program
    .command("device")
    .summary("run one simulated board")
    .description(
      "Runs one simulated board over real TCP until it is killed, which is a power cut; started again, it goes on from what is in " +
        "its flash. Prints one JSON object per line on stdout. The first start with an empty folder makes the board with factory firmware.",
    )
    .requiredOption("--config <file>", "device.json: cloud, identity and policy")
    .requiredOption("--state <folder>", "the board itself: its flash chip is a file in this folder")
    .option("--version <version>", "version of the factory firmware of a new board", versionArgument, "0.1.0")
    .addOption(new Option("--engine <engine>", "what runs the firmware").choices(["xs", "node"]).default("xs"))
    .option(
      "--portable-md5",
      "MD5 in JavaScript in place of this computer's; slow, to try what an engine without it does",
    )
    .option(
      "--sleep <AWAKE,ASLEEP>",
      "a battery device: seconds awake at most, then asleep, with an update over as many wakes as it takes",
      sleepArgument,
    )
    .addOption(
      new Option("--bootloader <bootloader>", "the board's: with rollback, or as the SDK builds it")
        .choices(["rollback", "stock"])
        .default("rollback"),
    )
    .option("--verbose", "the firmware's log on stderr")
    .action(orFail(run));
}

async function run({
  config,
  state,
  version,
  engine,
  portableMd5 = false,
  sleep,
  bootloader,
  verbose,
}: DeviceFlags): Promise<void> {
  outliveOutput();
  if (engine === "xs") workerPath();
  await written(config, (line) => process.stderr.write(`${line}\n`));
  const { firmware, trust, flashSize, warnings } = readDeviceConfig(config);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const narrator = process.stderr.isTTY ? new Narrator(process.stderr) : undefined;
  let bricked: string | undefined;
  const board = await Board.open({
    folder: state,
    configuration: { ...firmware, ...(portableMd5 ? { portableMd5 } : {}), ...(sleep === undefined ? {} : { sleep }) },
    network: trust,
    flashSize,
    bootloader: bootloader === "stock" ? STOCK_BOOTLOADER : OWN_BOOTLOADER,
    factory: async () => await sampleImage(version),
    createEngine: engine === "xs" ? createXsEngine : createNodeEngine,
    onEvent: (event) => {
      if (event.event === "bricked") bricked = event.message;
      narrator?.clear();
      process.stdout.write(`${JSON.stringify(event)}\n`);
      narrator?.tell(event);
    },
    onLog: (line) => verbose === true && process.stderr.write(`${line}\n`),
  });
  try {
    await board.powerOn();
  } finally {
    await board.close();
  }
  if (bricked !== undefined) throw new Error(`no firmware on this board boots: ${bricked}`);
}
