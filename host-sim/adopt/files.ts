/** The files that an adopted app gets, in a folder of their own. */
import { readFileSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { filesFor } from "../moddable/sdkconfig";
import { FOLDER } from "./base";
import type { Base, Network } from "./base";

export interface Library {
  /** The checkout. */
  readonly folder: string;
  /** By git in place of the checkout. */
  readonly git?: string;
  readonly tag?: string;
}

export interface Choices {
  readonly flashSize: number;
  readonly network: Network;
  /** The text of partitions.csv. */
  readonly table: string;
  /** `config` of the manifest: the cloud, and the public keys of firmware. */
  readonly config: Readonly<Record<string, string>>;
  readonly library: Library;
}

/** Slots: what the firmware at the root of this repository has. */
const STACK = 1024;

/** By their paths below the app. */
export function filesOf(app: string, base: Base, choices: Choices): Map<string, string> {
  const files = new Map([
    [`${FOLDER}/manifest.json`, json(manifest(app, base, choices))],
    [`${FOLDER}/board.json`, json({ build: { SDKCONFIGPATH: "./sdkconfig", PARTITIONS_FILE: "./partitions.csv" } })],
    [`${FOLDER}/setup.js`, SETUP],
    [`${FOLDER}/partitions.csv`, choices.table],
  ]);
  for (const name of filesFor("instrument"))
    files.set(`${FOLDER}/sdkconfig/${name}`, settingsFile(name, base, choices));
  return files;
}

const json = (value: object): string => `${JSON.stringify(value, null, "\t")}\n`;

/** All of it for the chip alone: what the app is in the simulator does not change. */
function manifest(app: string, { stack = 0 }: Base, { network, config, library }: Choices): object {
  const port = `hal/esp32/manifest_${network}.json`;
  const modules = { "setup/ota": "./setup" };
  const ours = ["roots", "settings"].map((name) => [`firmware/${name}`, `firmware/${name}`] as const);
  const include =
    library.git === undefined
      ? [`${pathTo(app, library.folder)}/src/manifest.json`, `${pathTo(app, library.folder)}/${port}`, "./board.json"]
      : [
          {
            git: library.git,
            ...(library.tag === undefined ? {} : { tag: library.tag }),
            manifest: {
              include: ["./src/manifest.json", `./${port}`],
              modules: Object.fromEntries(ours.map(([name, path]) => [name, `./${path}`])),
            },
          },
          "./board.json",
        ];
  const local = ours.map(([name, path]) => [name, `${pathTo(app, library.folder)}/${path}`]);
  return {
    platforms: {
      esp32: {
        include,
        modules: library.git === undefined ? { ...modules, ...Object.fromEntries(local) } : modules,
        preload: ours.map(([name]) => name),
        ...(stack >= STACK ? {} : { creation: { stack: STACK } }),
        config: { sntp: "pool.ntp.org", ...config },
        defines: { xs: { abortHook: 1 } },
      },
    },
  };
}

/** Relative where the library lies near the app, so that both can be moved together. */
function pathTo(app: string, library: string): string {
  const path = relative(join(app, FOLDER), library).split(sep).join("/");
  return isAbsolute(path) || path.split("/").filter((step) => step === "..").length > 3
    ? library.split(sep).join("/")
    : path;
}

/** What the app or its board has, then the overlay of the chip, then the size of the flash: the last line counts. */
function settingsFile(name: string, { settings, target, flashSize }: Base, choices: Choices): string {
  const overlay = readFileSync(
    join(choices.library.folder, "hal", "esp32", "sdkconfig", target, "sdkconfig.defaults"),
    "utf8",
  );
  const before = settings.get(name);
  const size =
    choices.flashSize === flashSize
      ? ""
      : `\n# The flash of this board.\nCONFIG_ESPTOOLPY_FLASHSIZE_${flashSize >> 20}MB=n\nCONFIG_ESPTOOLPY_FLASHSIZE_${choices.flashSize >> 20}MB=y\n`;
  return `${before === undefined ? "" : `${before.replace(/\n*$/, "")}\n\n`}${overlay}${size}`;
}

const SETUP = `/*
 * The update agent, which starts before the app. Its settings come from NVS, else from mc/config. Instead of this module
 * the app can make the agent itself: docs/guide/2-own-app.md.
 */
import config from "mc/config";
import OtaAgent, { isUnconfirmed } from "xs-ota";
import { powerOn } from "xs-ota/moddable";
import { rootsOf } from "firmware/roots";
import { readSettings } from "firmware/settings";

const log = (line) => trace(\`\${line}\\n\`);

function start(device) {
	const { ports } = device;
	try {
		const { name, ...options } = readSettings((key) => device.setting(key) ?? config[key], ports.crypto);
		return new OtaAgent({ ports, ...options, onNotice: (notice) => log(JSON.stringify(notice)) });
	}
	catch (error) {
		// A device without settings runs its app; firmware on trial that reaches no cloud is rolled back.
		log(\`xs-ota: setting \${error.message}\`);
		if (isUnconfirmed(ports.boot.running()))
			throw error;
		return { stop() {} };
	}
}

export default function (done) {
	powerOn(start, { log, trust: rootsOf });
	done();
}
`;
