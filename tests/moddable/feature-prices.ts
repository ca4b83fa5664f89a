/**
 * What each feature takes of an ESP32-C3's flash: the whole firmware, linked once more with the feature's modules
 * emptied. The difference is what an app saves that is built without them.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildForChip } from "./chip-build";
import type { ChipBuild } from "./chip-build";
import { PLATFORM, bareApp, linkedSize } from "./flash-report";
import type { LinkedSize } from "./flash-report";
import { ROOT } from "./harness";

const FIXED = "not yet: the job and the agent import it";
const SDK_TLS = /^(ssl\/|(dsa|gcm|hmac|pkcs1_5|pkcs8|rsa|x509)$)/;
const TLS =
  /^xs-ota\/(hal\/moddable\/(safe-tls|tls-session|tls-message-reader|certificate-chain)|src\/x509\/certificate)/;
const POLLER = /^xs-ota\/src\/(poll\/|agent\/poll-link)/;
const platform = (name: string): RegExp => new RegExp(`^xs-ota/(src/platforms/)?${name}(/|$)`);

/** Modules of a feature, and how it is left out. */
const FEATURES: readonly (readonly [feature: string, modules: readonly RegExp[], how: string])[] = [
  ["TLS and certificates", [SDK_TLS, TLS], "include `hal/moddable/manifest_without_tls.json`"],
  ["signatures of images", [/^xs-ota\/(hal\/moddable\/signatures|src\/signature\/(check|keys))/], FIXED],
  [
    "recorder of failures",
    [/^xs-ota\/src\/(recorder\/|agent\/recordings)/],
    "not yet: `recorder: false` saves RAM alone",
  ],
  ["containers of deltas", [/^xs-ota\/(src\/(container\/|job\/expand)|hal\/esp32\/ota_expander)/], FIXED],
  ["other modules than the firmware", [/^xs-ota\/src\/modules\//], FIXED],
  [
    "MQTT",
    [/^xs-ota\/src\/(mqtt\/|agent\/(broker-link|mqtt-cloud)|vendor\/mqtt-packet)/],
    "include only hawkBit or static files",
  ],
  ["external MQTT client", [/^xs-ota\/(hal\/moddable\/)?external-mqtt/], FIXED],
  ["poller", [POLLER], "include neither hawkBit nor static files"],
  ...(
    [
      ["Tencent", "tencent"],
      ["ThingsPanel", "thingspanel"],
      ["ThingsBoard", "thingsboard"],
      ["hawkBit", "hawkbit"],
      ["static files", "static"],
    ] as const
  ).map(([title, name]) => [title, [platform(name)], "include the other platforms' manifests alone"] as const),
];

/** An ES module with the names that `source` exports, all undefined. */
function emptied(source: string): string {
  const names = [...source.matchAll(/^export (?:default )?(?:abstract )?(?:const|let|class|function) ([\w$]+)/gm)].map(
    ([whole, name]) => (whole.includes("default") ? "default" : name!),
  );
  for (const [, list] of source.matchAll(/^export \{([^}]*)\}/gm))
    names.push(
      ...list!
        .split(",")
        .map((each) => each.trim().split(" as ").at(-1)!)
        .filter(Boolean),
    );
  if (/^export default /m.test(source)) names.push("default");
  const [others, isDefault] = [[...new Set(names)].filter((name) => name !== "default"), names.includes("default")];
  return `${others.map((name) => `export const ${name} = undefined;\n`).join("")}${isDefault ? "export default undefined;\n" : ""}export {};\n`;
}

/** The JavaScript of each module, from the makefile's rules for xsc. */
function sourcesOf({ folder }: ChipBuild): Map<string, string> {
  const makefile = readFileSync(join(folder, "makefile"), "utf8");
  const rules = makefile.matchAll(/^\$\(MODULES_DIR\)\/(\S+)\.xsb:[^]*?\n\txsc (\S+) /gm);
  return new Map([...rules].map(([, module, source]) => [module!, source!.replace("$(TMP_DIR)", folder)]));
}

/** Links the firmware again in a folder of its own, with these modules emptied. */
function linkedWithout(build: ChipBuild, without: readonly RegExp[]): LinkedSize {
  const folder = join(build.folder, "..", "priced");
  rmSync(folder, { recursive: true, force: true });
  cpSync(build.folder, folder, { recursive: true, filter: (path) => basename(path) !== "tsc" });
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    if (basename(file) === "mc.xsi") rmSync(join(folder, file));
  for (const [module, source] of sourcesOf(build)) {
    if (!without.some((pattern) => pattern.test(module))) continue;
    const stand = join(folder, "emptied", `${module}.js`);
    mkdirSync(dirname(stand), { recursive: true });
    writeFileSync(stand, emptied(readFileSync(source, "utf8")));
    const target = dirname(join(folder, "modules", module));
    execFileSync("xsc", [stand, "-c", "-e", "-o", target, "-r", basename(module)], { env: build.env, stdio: "ignore" });
  }
  const rules = readFileSync(join(build.folder, "makefile"), "utf8").replaceAll(build.folder, folder);
  writeFileSync(join(folder, "makefile"), rules);
  const relink = ["include makefile", ".PHONY: relinked", "relinked:", `\t${LINK}`, ""].join("\n");
  writeFileSync(join(folder, "relink.mk"), relink);
  execFileSync("make", ["-f", "relink.mk", "relinked"], { cwd: folder, env: build.env, stdio: "ignore" });
  return linkedSize(join(folder, "mc.xs.c"));
}

const LINK = "xsl -b $(MODULES_DIR) -o $(TMP_DIR) $(PRELOADS) $(STRIPS) $(CREATION) $(MODULES)";

/** The table of docs/MODDABLE.md. */
export function priceTable(out: string): string {
  const firmware = buildForChip(ROOT, PLATFORM, out);
  const bare = linkedSize(buildForChip(bareApp(join(out, "bare")), PLATFORM, out).linked);
  const whole = linkedSize(firmware.linked);
  const number = (value: number): string => value.toLocaleString("en-US");
  const row = (title: string, { code, objects }: LinkedSize, how: string): string =>
    `| ${title} | ${number(code)} | ${number(objects)} | ${number(code + objects)} | ${how} |`;
  const less = (a: LinkedSize, b: LinkedSize): LinkedSize => ({
    code: a.code - b.code,
    objects: a.objects - b.objects,
  });
  const others = ["thingspanel", "thingsboard", "hawkbit", "static"].map(platform);
  const least = linkedWithout(firmware, [SDK_TLS, TLS, POLLER, ...others]);
  const rows = FEATURES.map(([feature, modules, how]) => {
    console.error(feature);
    return row(feature, less(whole, linkedWithout(firmware, modules)), how);
  });
  return [
    "| linked for an ESP32-C3, bytes | byte-code | objects, names, texts | together | how to leave it out |",
    "|---|---:|---:|---:|---|",
    row("the whole firmware", whole, ""),
    row("of it an app that does nothing", bare, ""),
    ...rows,
    row("the firmware for Tencent alone, without TLS", least, "all of the above that is so left out"),
  ].join("\n");
}
