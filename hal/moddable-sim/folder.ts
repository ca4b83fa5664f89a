/**
 * The folder of a simulated device: flash.bin is its whole flash chip, device.json its settings. `xs-ota device` takes
 * the same file. Names of certificate files are relative to the folder.
 */
import config from "mc/config";
import { Directory, File } from "file";
import type { Setting, Trust } from "../moddable/device";
import { PLATFORMS } from "../../src/platforms/index";
import { pemBlocks } from "../../src/x509/pem";
import { makeImage, manufacture } from "./chip";
import { FileCells } from "./file-cells";
import { Process } from "./process";

/**
 * Places in device.json of the settings that have another name on a chip (mc/config, NVS), with dots between the keys.
 */
const PATHS: { readonly [key: string]: string } = Object.freeze({
  mqttHost: "mqtt.host",
  mqttPort: "mqtt.port",
  mqttTls: "mqtt.tls",
  mqttCa: "mqtt.ca",
  httpsCa: "https.ca",
  diagTopic: "diagnosticsTopic",
});

/** A platform's own settings have their place in its description. */
function pathOf(key: string, platform: unknown): string {
  const settings = PLATFORMS.find(({ name }) => name === platform)?.settings() ?? [];
  return PATHS[key] ?? settings.find(({ name, nvs = name }) => nvs === key)?.json ?? key;
}

const FLASH_SIZES: { readonly [name: string]: number } = Object.freeze({
  "4MB": 4 << 20,
  "8MB": 8 << 20,
  "16MB": 16 << 20,
});

export class Folder {
  readonly path: string;
  readonly #settings: object;

  /** The folder is XS_OTA_SIM in the environment, else mc/config's `simulator.folder`. Made if it is not there. */
  constructor() {
    this.path = Process.environment("XS_OTA_SIM") ?? (config["simulator"] as { folder: string }).folder;
    Directory.create(this.path);
    this.#settings = this.#readSettings();
  }

  /** A value of device.json. */
  setting(key: string): Setting {
    let value: unknown = this.#settings;
    for (const step of pathOf(key, (value as { platform?: unknown }).platform).split("."))
      value = (value as { [step: string]: unknown } | undefined)?.[step];
    if (Array.isArray(value)) return value.map((item) => this.#inline(String(item))).join(",");
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
  }

  /** An entry of `signingKeys` is a key in hex, PEM text, or the name of a PEM file. */
  #inline(item: string): string {
    return item.includes("-----BEGIN") || /^[0-9A-Fa-f]+$/.test(item) ? item : readText(this.#resolve(item));
  }

  /** Opens the flash chip; makes one, with firmware of `version`, if there is none. */
  openFlash(version: string): FileCells {
    const path = `${this.path}/flash.bin`;
    if (!File.exists(path)) this.#manufacture(path, version);
    return new FileCells(path);
  }

  /** Under another name until it is complete, so that every flash.bin can be started. */
  #manufacture(path: string, version: string): void {
    const name = String(this.setting("flashSize") ?? config["flashSize"] ?? "4MB");
    const size = FLASH_SIZES[name];
    if (size === undefined) throw new Error(`flashSize "${name}": one of ${Object.keys(FLASH_SIZES).join(", ")}`);
    const draft = `${path}.new`;
    const cells = FileCells.create(draft, size);
    manufacture(cells, makeImage(version));
    cells.close();
    File.rename(draft, "flash.bin");
  }

  /** The roots that device.json names, and the device's own certificate. Undefined where it names no root. */
  trust(kind: "mqtt" | "https"): Trust | undefined {
    const roots = this.#pem(`${kind}Ca`, "CERTIFICATE");
    const certificate = kind === "mqtt" ? this.#pem("devCertFile", "CERTIFICATE")?.[0] : undefined;
    const privateKey = kind === "mqtt" ? this.#pem("devKeyFile", "PRIVATE KEY")?.[0] : undefined;
    if (roots === undefined) return undefined;
    return {
      roots,
      ...(certificate === undefined ? {} : { certificate }),
      ...(privateKey === undefined ? {} : { privateKey }),
    };
  }

  #pem(key: string, label: string): Uint8Array[] | undefined {
    const name = this.setting(key);
    return typeof name !== "string" || name === "" ? undefined : pemBlocks(readText(this.#resolve(name)), label);
  }

  /** As `xs-ota device` does: relative to device.json. */
  #resolve(name: string): string {
    return name.startsWith("/") || /^[A-Za-z]:/.test(name) ? name : `${this.path}/${name}`;
  }

  #readSettings(): object {
    const path = `${this.path}/device.json`;
    if (!File.exists(path)) return {};
    let value: unknown;
    try {
      value = JSON.parse(readText(path));
    } catch {
      // The engine's own message may quote the text, and that may hold a secret.
      throw new Error(`${path} is not JSON`);
    }
    if (typeof value !== "object" || value === null) throw new Error(`${path}: a JSON object is expected`);
    return value;
  }
}

function readText(path: string): string {
  if (!File.exists(path)) throw new Error(`${path} is not there`);
  const file = new File(path);
  try {
    return file.length === 0 ? "" : file.read(String);
  } finally {
    file.close();
  }
}
