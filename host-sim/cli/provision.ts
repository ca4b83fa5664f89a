import { dirname } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { KEYS, settingOf } from "../provision/columns";
import { BadSetting } from "../provision/bad-setting";
import { batchFiles, fileNames, nvsOf, writeBatch } from "../provision/batch";
import { boardsOf } from "../provision/boards";
import type { Boards } from "../provision/boards";
import { deviceOf } from "../provision/device";
import type { Device } from "../provision/device";
import { PLATFORMS } from "../../src/platforms/index";
import { readDevices } from "../provision/devices-file";
import type { Cell } from "../provision/devices-file";
import { orFail } from "./errors";
import { print } from "./output";

interface ProvisionFlags {
  readonly out: string;
  readonly set: ReadonlyMap<string, Cell>;
  readonly ignore: readonly string[];
  readonly table?: string;
  readonly build?: string;
  readonly flashSize: string;
  readonly merge?: boolean;
}

/** Bad rows that are told at once. */
const TOLD = 20;

/** `xs-ota provision`. */
export function register(program: Command): void {
  program
    .command("provision")
    .summary("make the NVS image of each new board from a list of devices")
    .description(
      "Makes for each device of a CSV file the image of its NVS partition, in ESP-IDF's format, with its settings, and the " +
        "esptool commands with the offsets of the partition table. For new boards: an image replaces the whole nvs " +
        "partition, with the agent's records and everything else in it. The first line names the columns: settings as on " +
        "a chip, as in device.json, or as the clouds' consoles export them. The files hold secrets and are readable by " +
        "their owner only. The last line on stdout is one JSON object.",
    )
    .argument("<devices.csv>", "one device a line")
    .requiredOption("--out <folder>", "a new or empty folder for the files")
    .addOption(
      new Option("--set <name=value>", "a setting of all devices; may be repeated")
        .argParser(collectSetting)
        .default(new Map(), "none"),
    )
    .addOption(
      new Option("--ignore <column>", "a column that is no setting; may be repeated")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--table <file>", "the boards' partitions.csv or partition-table.bin")
    .option("--build <folder>", "a build of mcconfig: its table, and commands that flash bootloader and app as well")
    .addOption(
      new Option("--flash-size <size>", "without --table and --build: this repository's layout")
        .choices(["4MB", "8MB", "16MB"])
        .default("4MB"),
    )
    .option("--merge", "with --build: one image for each board with everything in it, for address 0")
    .addHelpText("after", `\nSettings: ${KEYS.join(", ")}`)
    .action(orFail(run));
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

function collectSetting(text: string, before: ReadonlyMap<string, Cell>): ReadonlyMap<string, Cell> {
  const at = text.indexOf("=");
  const key = at < 0 ? undefined : settingOf(text.slice(0, at));
  if (key === undefined || key === null || !KEYS.includes(key))
    throw new InvalidArgumentError("It is NAME=VALUE with the name of a setting (--help lists them).");
  return new Map([...before, [key, { value: text.slice(at + 1), at: `--set ${key}` }]]);
}

async function run(path: string, { out, set, ignore, table, build, flashSize, merge }: ProvisionFlags): Promise<void> {
  if (merge === true && build === undefined) throw new Error("--merge needs --build, for what is merged");
  const boards = boardsOf({
    ...(table === undefined ? {} : { table }),
    ...(build === undefined ? {} : { build }),
    flashSize: Number.parseInt(flashSize, 10) << 20,
  });
  const { rows, leftOut } = readDevices(path, ignore);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const devices = goodDevices(
    path,
    rows.map((row) => () => deviceOf(row, set, dirname(path))),
    boards,
    say,
  );
  writeBatch(out, batchFiles(devices, boards, merge === true));
  for (const warning of [...boards.warnings, ...sharedPasswords(devices)]) say(`warning: ${warning}`);
  if (leftOut.length > 0) say(`columns left out: ${leftOut.join(", ")}`);
  say(`${boards.table}; commands in ${out}/commands.txt, to be run there`);
  say("for new boards: each image replaces everything in the nvs partition");
  await print(`${JSON.stringify({ devices: devices.length, out, nvs: boards.nvs.address })}\n`);
}

/** On a chip a platform's `password` is that of the Wi-Fi network too, unless there is a `wifiPassword`. */
function sharedPasswords(devices: readonly Device[]): string[] {
  const needed = PLATFORMS.filter(({ settings }) => settings().some(({ name, nvs = name }) => nvs === "password"));
  const shared = devices.filter(
    ({ settings }) =>
      settings.has("ssid") &&
      settings.has("password") &&
      !settings.has("wifiPassword") &&
      needed.some(({ name }) => name === settings.get("platform")),
  );
  return shared.length === 0
    ? []
    : [
        `${shared.length} devices have ssid and password: the same password is given to the Wi-Fi network and to the cloud (line ${shared[0]!.line}); the setting wifiPassword is for the network alone`,
      ];
}

/** All of them, or an error that names what is bad. */
function goodDevices(
  path: string,
  made: readonly (() => Device)[],
  boards: Boards,
  say: (line: string) => void,
): readonly Device[] {
  const bad: string[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof BadSetting)) throw error;
      bad.push(error.message);
      return undefined;
    }
  };
  const devices = made.flatMap((make) => {
    const device = attempt(make);
    if (device === undefined) return [];
    attempt(() => nvsOf(device, boards));
    return [device];
  });
  attempt(() => fileNames(devices));
  if (bad.length === 0) return devices;
  if (bad.length === 1) throw new Error(`${path}, ${bad[0]!}`);
  for (const line of bad.slice(0, TOLD)) say(`${path}, ${line}`);
  if (bad.length > TOLD) say(`... and ${bad.length - TOLD} more`);
  throw new Error(`${path}: ${bad.length} settings are wrong, nothing was written`);
}
