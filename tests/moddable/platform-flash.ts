/**
 * How much flash the JavaScript of an app takes that has the agent for one platform and nothing else, linked for an
 * ESP32-C3: the table at the top of docs/PLATFORMS.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildForChip } from "./chip-build";
import { bareApp, byteCode, objects, PLATFORM } from "./flash-report";
import { ROOT } from "./harness";

const PLATFORMS: readonly (readonly [folder: string, className: string, title: string])[] = [
  ["static", "StaticPlatform", "static files"],
  ["tencent", "TencentPlatform", "Tencent"],
  ["thingspanel", "ThingsPanelPlatform", "ThingsPanel"],
  ["hawkbit", "HawkbitPlatform", "hawkBit"],
  ["thingsboard", "ThingsBoardPlatform", "ThingsBoard"],
];

/** What goes only with one kind of platform. */
const POLLER = /^xs-ota\/src\/(poll\/|agent\/poll-link)/;
const MQTT =
  /^xs-ota\/(external-mqtt|hal\/moddable\/external-mqtt|src\/(mqtt\/|vendor\/mqtt-packet|agent\/(broker-link|mqtt-cloud)))/;

interface Size {
  readonly own: number;
  readonly poller: number;
  readonly mqtt: number;
  readonly agent: number;
  readonly objects: number;
}

function sizeOf(linked: string, name: string): Size {
  const sizes = [...byteCode(join(dirname(linked), "modules"))];
  const sum = (of: (module: string) => boolean): number =>
    sizes.reduce((total, [module, size]) => (of(module) ? total + size : total), 0);
  const isOwn = (module: string): boolean =>
    module.startsWith(`xs-ota/src/platforms/${name}/`) || module === `xs-ota/${name}`;
  return {
    own: sum(isOwn),
    poller: sum((module) => POLLER.test(module)),
    mqtt: sum((module) => MQTT.test(module)),
    agent: sum((module) => /^xs-ota(\/|$)/.test(module)),
    objects: objects(linked),
  };
}

/** One row for each platform. */
export function platformTable(out: string): string {
  const bare = objects(buildForChip(bareApp(join(out, "bare")), PLATFORM, out).linked);
  const sizes = PLATFORMS.map(([name, className, title]) => {
    const { linked } = buildForChip(appFor(join(out, `only-${name}`), name, className), PLATFORM, out);
    console.error(`${title}: done`);
    return [title, sizeOf(linked, name)] as const;
  });
  const number = (value: number): string => (value === 0 ? "-" : value.toLocaleString("en-US"));
  const mqttOf = Math.max(...sizes.map(([, { mqtt }]) => mqtt));
  const rows = sizes.map(([title, { own, poller, mqtt, agent, objects: made }]) =>
    [title, own, poller, mqtt, agent, agent + (mqtt === 0 ? mqttOf : 0), made - bare]
      .map((cell) => (typeof cell === "number" ? number(cell) : cell))
      .join(" | "),
  );
  return [
    "| the agent for one platform, bytes | its folder | poller | MQTT | byte-code of the agent | with MQTT beside it | preloaded objects |",
    "|---|---:|---:|---:|---:|---:|---:|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

/** An app with the agent for one platform and nothing else, in `folder`. */
export function appFor(folder: string, name: string, className: string, more: readonly string[] = []): string {
  mkdirSync(folder, { recursive: true });
  const lines = [
    'import OtaAgent from "xs-ota";',
    'import { powerOn } from "xs-ota/moddable";',
    `import { ${className} } from "xs-ota/${name}";`,
    `trace([OtaAgent, powerOn, ${className}].length);`,
  ];
  writeFileSync(join(folder, "main.js"), `${lines.join("\n")}\n`);
  const include = [
    "$(MODDABLE)/examples/manifest_base.json",
    join(ROOT, "src", "platforms", name, "manifest.json"),
    join(ROOT, "hal", "esp32", "manifest_wifi.json"),
    ...more,
  ];
  writeFileSync(
    join(folder, "manifest.json"),
    JSON.stringify({ include, modules: { "*": "./main" }, config: { led: { rainbow: false } } }),
  );
  return folder;
}
