/** One device of the list: its settings as a chip reads them, checked as the firmware will check them. */
import { hostName } from "../board/config/host-name";
import { topicProblem } from "../board/config/publish-topic";
import { NodeCrypto } from "../board/node-crypto";
import { REPEAT_BUDGET_MAX, TRIAL_SECONDS_MAX, TRIAL_SECONDS_MIN } from "../../src/constants";
import { PLATFORMS } from "../../src/platforms/index";
import type { AnyPlatform, Setting } from "../../src/platforms/platform";
import { readPublicKey } from "../../src/signature/keys";
import { BadSetting } from "./bad-setting";
import { CREDENTIALS, checkPair, credential } from "./credentials";
import type { Cell, Row } from "./devices-file";

export interface Device {
  readonly line: number;
  /** What people call it; the name of its files. */
  readonly name: string;
  /** By the names on a chip, in the order of the columns. */
  readonly settings: ReadonlyMap<string, string>;
}

const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  mqttPort: [1, 65_535],
  range: [4_096, 16_384],
  trialSeconds: [TRIAL_SECONDS_MIN, TRIAL_SECONDS_MAX],
  maxAttempts: [1, 15],
  repeatBudget: [0, REPEAT_BUDGET_MAX],
  eraseBlock: [4, 64],
};
const FLAGS: readonly string[] =
  "mqttTls crc16 allowHttp allowDowngrade allowNoDigest allowForeign allowDelta recorder".split(" ");
/** Characters of control, but for the ends of lines that PEM has. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f]/;

/** `common`: settings of all devices, which those of the row replace. `folder`: where files that cells name lie. */
export function deviceOf(row: Row, common: ReadonlyMap<string, Cell>, folder: string): Device {
  const cells = new Map([...common, ...row.cells]);
  for (const [key, { value, at }] of cells) check(key, value, at);
  const missing = (key: string): never => {
    throw new BadSetting(`line ${row.line}: ${key} is missing`);
  };
  const { value: kind, at } = cells.get("platform") ?? missing("platform");
  const definition = PLATFORMS.find(({ name }) => name === kind);
  if (definition === undefined)
    throw new BadSetting(`${at}: a platform is expected, ${PLATFORMS.map(({ name }) => name).join(" or ")}`);
  const settings = new Map<string, string>();
  for (const [key, cell] of cells) settings.set(key, valueOf(key, cell, folder));
  const config = configOf(definition, cells, settings, row.line);
  try {
    void new definition.Platform(config as never, new NodeCrypto());
    const host = settings.get("mqttHost") ?? definition.brokerHost?.(config as never);
    if (host === undefined && definition.server === undefined) missing("mqttHost");
  } catch (error) {
    throw error instanceof BadSetting
      ? error
      : new BadSetting(placed((error as Error).message, definition, cells, row));
  }
  checkPair(settings, row.line);
  return { line: row.line, name: nameOf(definition, config, row), settings };
}

function check(key: string, value: string, at: string): void {
  if (CONTROL.test(value) || (/[\r\n]/.test(value) && !value.includes("-----BEGIN ")))
    throw new BadSetting(`${at}: has a control character or the end of a line in it`);
  const bounds = NUMBERS[key];
  if (bounds !== undefined) {
    checkNumber(value, at, bounds);
    if (key === "eraseBlock" && value !== "4" && value !== "64")
      throw new BadSetting(`${at}: 64 or 4 (KiB) is expected`);
  }
  if (FLAGS.includes(key) && value !== "true" && value !== "false")
    throw new BadSetting(`${at}: true or false is expected`);
  const problem = key === "diagTopic" ? topicProblem(value) : undefined;
  if (problem !== undefined) throw new BadSetting(`${at}: ${problem}`);
}

function checkNumber(value: string, at: string, [least, most]: readonly [number, number]): void {
  if (!/^\d+$/.test(value) || Number(value) < least || Number(value) > most)
    throw new BadSetting(`${at}: a whole number from ${least} to ${most} is expected`);
}

function valueOf(key: string, { value, at }: Cell, folder: string): string {
  try {
    if (CREDENTIALS.includes(key)) return credential(key, value, folder);
    if (key === "mqttHost") return hostName(value, "mqttPort");
    if (key === "signingKeys") for (const each of value.split(",")) void readPublicKey(each);
    return value;
  } catch (error) {
    throw new BadSetting(`${at}: ${(error as Error).message}`, { cause: error });
  }
}

function configOf(
  definition: AnyPlatform,
  cells: ReadonlyMap<string, Cell>,
  settings: ReadonlyMap<string, string>,
  line: number,
): Readonly<Record<string, string | number>> {
  const config: Record<string, string | number> = {};
  for (const { name, nvs = name, required, oneOf, when, file, number } of definition.settings()) {
    const value = settings.get(nvs);
    const asked = when === undefined ? required === true : holds(when, config);
    if (value === undefined && asked && oneOf === undefined) throw new BadSetting(`line ${line}: ${nvs} is missing`);
    if (value !== undefined && oneOf !== undefined && !oneOf.includes(value))
      throw new BadSetting(`${cells.get(nvs)!.at}: ${oneOf.join(" or ")} is expected`);
    const given = value ?? (required === true ? oneOf?.[0] : undefined);
    if (value !== undefined && number !== undefined) checkNumber(value, cells.get(nvs)!.at, number);
    if (given !== undefined && file === undefined) config[name] = number === undefined ? given : Number(given);
    if (value !== undefined && file !== undefined && asked && settings.get("mqttTls") === "false")
      throw new BadSetting(`${cells.get(nvs)!.at}: a certificate needs TLS, and mqttTls is false`);
  }
  return config;
}

function holds(when: string, config: Readonly<Record<string, string | number>>): boolean {
  const [name = "", value] = when.split("=");
  return config[name] === value;
}

/** The platform names the setting at the beginning of its message. */
function placed(message: string, definition: AnyPlatform, cells: ReadonlyMap<string, Cell>, row: Row): string {
  const named = (setting: Setting): boolean => message.startsWith(`${setting.name}:`);
  const setting = definition.settings().find(named);
  const cell = setting === undefined ? undefined : cells.get(setting.nvs ?? setting.name);
  return cell === undefined ? `line ${row.line}: ${message}` : `${cell.at}:${message.slice(setting!.name.length + 1)}`;
}

function nameOf(definition: AnyPlatform, config: Readonly<Record<string, string | number>>, row: Row): string {
  const secret = new Set(definition.settings().flatMap(({ name, secret: kept }) => (kept === undefined ? [] : [name])));
  const names = [...definition.title.split(" "), "clientId", "deviceNumber", "deviceName"];
  // A token is no name: files are listed where others see them.
  const name = names.map((each) => (secret.has(each) ? undefined : config[each])).find((each) => each !== undefined);
  if (name === undefined) throw new BadSetting(`line ${row.line}: nothing names the device`);
  return String(name);
}
