/**
 * What the firmware takes of an ESP32-C3's flash beside version 0.1.0 (commit e210eec), by folder: with the features
 * that version 0.1.0 had, and with all. Needs a clone that has the commit.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildForChip } from "./chip-build";
import { POLLER, builtWithout, linkedWithout, platform } from "./feature-prices";
import { PLATFORM, byteCode, linkedSize } from "./flash-report";
import { ROOT } from "./harness";

const COMMIT = "e210eec";
/** What came after it. */
const MANIFESTS = ["recorder", "containers"].map((name) => join(ROOT, "src", `manifest_without_${name}.json`));
const MODULES = [POLLER, ...["thingsboard", "hawkbit", "static"].map(platform)];

/** Of a module, by its name; that of the MQTT packets was a module of its own then. */
function folderOf(module: string): string {
  if (module === "mqtt-packet") return "src/vendor";
  const [, folder] = /^xs-ota\/((?:src|hal)\/[\w-]+)\//.exec(module) ?? [];
  if (folder !== undefined) return folder;
  return /^(xs-ota|main$|firmware\/)/.test(module) ? "exports, constants, firmware" : "the SDK";
}

function byFolder(linked: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [module, size] of byteCode(join(dirname(linked), "modules")))
    sizes.set(folderOf(module), (sizes.get(folderOf(module)) ?? 0) + size);
  return sizes;
}

/** The sources of that commit, with what its `npm ci` makes. */
function checkOut(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const input = execFileSync("git", ["archive", "--format=tar", COMMIT], { cwd: ROOT, maxBuffer: 1 << 28 });
  execFileSync("tar", ["-x", "-C", folder], { input });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  execFileSync(process.execPath, [join(folder, "scripts", "build-vendor.mjs")], { cwd: folder });
  return folder;
}

/** The table of docs/MODDABLE.md. */
export function editionTable(out: string): string {
  const editions = [
    buildForChip(checkOut(join(out, "edition-1")), PLATFORM, out).linked,
    linkedWithout(builtWithout(out, "as-edition-1", MANIFESTS), MODULES),
    buildForChip(ROOT, PLATFORM, out).linked,
  ];
  const folders = editions.map(byFolder);
  const number = (value: number): string => (value === 0 ? "-" : value.toLocaleString("en-US"));
  const row = (title: string, cells: readonly number[]): string => `| ${[title, ...cells.map(number)].join(" | ")} |`;
  const names = [...new Set(folders.flatMap((sizes) => [...sizes.keys()]))].sort();
  const linked = editions.map(linkedSize);
  return [
    "| byte-code by folder, bytes | version 0.1.0 | today, the same features | today, all |",
    "|---|---:|---:|---:|",
    ...names.map((name) =>
      row(
        `\`${name}\``.replace(/^`(exports.*|the .*)`$/, "$1"),
        folders.map((sizes) => sizes.get(name) ?? 0),
      ),
    ),
    row(
      "linked byte-code",
      linked.map(({ code }) => code),
    ),
    row(
      "objects, names, texts",
      linked.map(({ objects }) => objects),
    ),
    row(
      "linked together",
      linked.map(({ code, objects }) => code + objects),
    ),
  ].join("\n");
}
