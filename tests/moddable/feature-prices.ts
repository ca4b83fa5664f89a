/**
 * What each feature takes of an ESP32-C3's flash: the whole firmware, built once more with the manifest that leaves the
 * feature out, or linked once more with the feature's modules emptied. The difference is what an app saves.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildForChip } from "./chip-build";
import type { ChipBuild } from "./chip-build";
import { PLATFORM, bareApp, linkedSize } from "./flash-report";
import type { LinkedSize } from "./flash-report";
import { withoutManifests } from "../esp32/manifest-tree";
import { ROOT } from "./harness";
import { appFor } from "./platform-flash";
import { firmwareWithout } from "./left-out-app";

export const POLLER = /^xs-ota\/src\/(poll\/|agent\/poll-link)/;
export const platform = (name: string): RegExp => new RegExp(`^xs-ota/(src/platforms/)?${name}(/|$)`);

/** Features that a manifest leaves out. */
const BY_MANIFEST: readonly (readonly [feature: string, manifest: string])[] = [
  ["TLS and certificates", "hal/moddable/manifest_without_tls.json"],
  ["signatures of images", "src/manifest_without_signatures.json"],
  ["both, and the arithmetic that they share", "hal/moddable/manifest_without_tls_and_signatures.json"],
  ["recorder of failures", "src/manifest_without_recorder.json"],
  ["containers of deltas", "src/manifest_without_containers.json"],
  ["other modules than the firmware", "src/manifest_without_modules.json"],
  ["external MQTT client", "src/manifest_without_external_mqtt.json"],
];

/** Features that an app does not include, with their modules. The firmware has all of them: they are emptied. */
const BY_CHOICE: readonly (readonly [feature: string, modules: RegExp, how: string])[] = [
  [
    "MQTT",
    /^xs-ota\/src\/(mqtt\/|agent\/(broker-link|mqtt-cloud)|vendor\/mqtt-packet)/,
    "include only hawkBit or static files",
  ],
  ["poller", POLLER, "include neither hawkBit nor static files"],
  ...(
    [
      ["Tencent", "tencent"],
      ["ThingsPanel", "thingspanel"],
      ["ThingsBoard", "thingsboard"],
      ["hawkBit", "hawkbit"],
      ["static files", "static"],
    ] as const
  ).map(([title, name]) => [title, platform(name), "include the other platforms' manifests alone"] as const),
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

/**
 * Links the firmware again in a folder of its own, with these modules emptied. Returns the linked modules, C; the next
 * call overwrites them.
 */
export function linkedWithout(build: ChipBuild, without: readonly RegExp[]): string {
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
  return join(folder, "mc.xs.c");
}

const LINK = "xsl -b $(MODULES_DIR) -o $(TMP_DIR) $(PRELOADS) $(STRIPS) $(CREATION) $(MODULES)";

/** The firmware, built with these manifests besides. */
export const builtWithout = (out: string, name: string, manifests: readonly string[]): ChipBuild =>
  buildForChip(firmwareWithout(join(out, name), manifests), PLATFORM, out);

/** The table of docs/MODDABLE.md. */
export function priceTable(out: string): string {
  const firmware = buildForChip(ROOT, PLATFORM, out);
  const bare = linkedSize(buildForChip(bareApp(join(out, "bare")), PLATFORM, out).linked);
  const whole = linkedSize(firmware.linked);
  const number = (value: number): string => value.toLocaleString("en-US");
  const row = (title: string, { code, objects }: LinkedSize, how: string): string =>
    `| ${title} | ${number(code)} | ${number(objects)} | ${number(code + objects)} | ${how} |`;
  const price = (title: string, { code, objects }: LinkedSize, how: string): string => {
    console.error(title);
    return row(title, { code: whole.code - code, objects: whole.objects - objects }, how);
  };
  const without = withoutManifests();
  const tencent = appFor(join(out, "least-tencent"), "tencent", "TencentPlatform", without);
  return [
    "| linked for an ESP32-C3, bytes | byte-code | objects, names, texts | together | how to leave it out |",
    "|---|---:|---:|---:|---|",
    row("the whole firmware", whole, ""),
    row("of it an app that does nothing", bare, ""),
    ...BY_MANIFEST.map(([feature, manifest]) => {
      const { linked } = builtWithout(out, basename(manifest, ".json"), [join(ROOT, manifest)]);
      return price(feature, linkedSize(linked), `include \`${manifest}\``);
    }),
    ...BY_CHOICE.map(([feature, modules, how]) => price(feature, linkedSize(linkedWithout(firmware, [modules])), how)),
    row(
      "the firmware without all that has a manifest here",
      linkedSize(builtWithout(out, "least", without).linked),
      "include them all",
    ),
    row("so built, an app for Tencent without settings", linkedSize(buildForChip(tencent, PLATFORM, out).linked), ""),
  ].join("\n");
}
