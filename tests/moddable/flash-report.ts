/**
 * How much flash the JavaScript of the firmware takes on a chip, by what it is for: what xsc and xsl have made for an
 * ESP32-C3.
 */
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildForChip } from "./chip-build";
import { ROOT } from "./harness";

/** sizeof(txSlot) on a chip. */
const SLOT = 16;
/** A key is a pointer to its slot. */
const KEY = 4;
export const PLATFORM = "esp32/esp32c3";

/** What belongs together, by the beginning of its modules' names. The first that fits counts. */
const PARTS: readonly (readonly [string, RegExp])[] = [
  ["update job", /^xs-ota\/src\/(job|modules)\//],
  ["agent: connections and ports put together", /^xs-ota\/src\/(agent|protocol|index|constants|ports)|^xs-ota$/],
  ["range downloader and HTTP", /^xs-ota\/src\/(download|http)\//],
  ["MQTT session", /^xs-ota\/src\/mqtt\//],
  ["mqtt-packet", /^xs-ota\/src\/vendor\//],
  ["poller", /^xs-ota\/src\/poll\//],
  ["platforms: all five", /^xs-ota\/(src\/platforms\/|tencent|thingspanel|static|hawkbit|thingsboard)/],
  ["image, signature", /^xs-ota\/src\/(image|signature)\//],
  ["text, numbers, JSON", /^xs-ota\/src\/util\//],
  ["sockets, TLS, certificates, external MQTT client", /^xs-ota\/(hal\/moddable\/|src\/x509\/|external-mqtt)/],
  ["ESP32 port: flash, boot, store, clock, network", /^xs-ota\/(hal\/|src\/store\/|moddable$|network$)/],
  ["firmware: settings, main", /^(main$|firmware\/)/],
  [
    "the SDK's TLS and arithmetic",
    /^(ssl\/|ber$|curve$|ec[pd]|dsa$|gcm$|hmac$|pkcs|rng$|rsa$|x509$|bin$|crypt$|modular$|transform|mont|z$)/,
  ],
];
const SDK = "other modules of the SDK";

/** Bytes of byte-code by module. */
export function byteCode(folder: string): Map<string, number> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".xsb"));
  return new Map(files.map((file) => [file.replace(/\.xsb$/, ""), statSync(join(folder, file)).size]));
}

/** Objects that xsl has made ahead, and their keys, bytes. */
export function objects(linked: string): number {
  const text = readFileSync(linked, "utf8");
  const define = (name: string): number => Number(new RegExp(`^#define ${name} (\\d+)$`, "m").exec(text)?.[1]);
  const size = define("mxHeapCount") * SLOT + define("mxKeysCount") * KEY;
  if (!(size > 0)) throw new Error(`${linked}: not as this SDK's xsl writes it`);
  return size;
}

/** What a chip gets of the linked modules, bytes. */
export interface LinkedSize {
  readonly code: number;
  /** Preloaded objects, names and texts. */
  readonly objects: number;
}

/** From the C source that xsl writes. */
export function linkedSize(linked: string): LinkedSize {
  const text = readFileSync(linked, "utf8");
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0);
  const whole = [...text.matchAll(/^static const txU1 gxCode\d+\[(\d+)\];$/gm)].map(([, size]) => Number(size));
  const ofFunctions = [...text.matchAll(/\(txByte\*\)"((?:\\x[0-9a-f]{2})*)"/g)].map(([, code]) => code!.length / 4);
  const texts = new Set([...text.matchAll(/\.(?:key = \{|string =) ("(?:[^"\\]|\\.)*")/g)].map(([, each]) => each!));
  // Texts lie at multiples of four, each with its zero.
  const ofTexts = [...texts].map((each) => Math.ceil((Buffer.byteLength(each) - 1) / 4) * 4);
  return { code: sum(whole) + sum(ofFunctions), objects: objects(linked) + sum(ofTexts) };
}

/** The table of docs/MODDABLE.md. Without C code: the agent's own is two files. */
export function flashTable(out: string): string {
  const firmware = buildForChip(ROOT, PLATFORM, out).linked;
  const bare = buildForChip(bareApp(join(out, "bare")), PLATFORM, out).linked;
  const sizes = new Map<string, number>();
  for (const [name, size] of byteCode(join(dirname(firmware), "modules"))) {
    const part = PARTS.find(([, pattern]) => pattern.test(name))?.[0] ?? SDK;
    sizes.set(part, (sizes.get(part) ?? 0) + size);
  }
  const sum = [...sizes.values()].reduce((total, size) => total + size, 0);
  const number = (value: number): string => value.toLocaleString("en-US");
  const rows = [...sizes].sort(([a, sizeA], [b, sizeB]) => Number(a === SDK) - Number(b === SDK) || sizeB - sizeA);
  return [
    "| part of the firmware | flash, bytes |",
    "|---|---:|",
    ...rows.map(([part, size]) => `| ${part} | ${number(size)} |`),
    `| byte-code together | **${number(sum)}** |`,
    `| preloaded objects of all of it | ${number(objects(firmware))} |`,
    `| of these in an app that does nothing (JavaScript's own) | ${number(objects(bare))} |`,
  ].join("\n");
}

export function bareApp(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "main.js"), 'trace("nothing");\n');
  writeFileSync(
    join(folder, "manifest.json"),
    JSON.stringify({
      include: ["$(MODDABLE)/examples/manifest_base.json"],
      modules: { "*": "./main" },
      config: { led: { rainbow: false } },
    }),
  );
  return folder;
}
