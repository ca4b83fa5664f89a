/**
 * What the firmware of a chip is made of, as a CycloneDX 1.6 document: every module that the manifests name, the library
 * that is bundled, and what the SDK adds. It holds no time and no path of a machine, so the same sources give the same
 * bytes. tests/release/sbom.test.ts holds it to the schema and to the manifests.
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { readProject } from "../host-sim/moddable/project";

/** The SDK and ESP-IDF that the firmware is built with: README.md, docs/guide/1-first-board.md. */
const MODDABLE = "8.2.3";
const ESP_IDF = "6.0";
/** Sources that mcconfig takes for a module; headers are part of the C code. */
const SOURCE = /\.(?:ts|js|c|h)$/;

type Json = { readonly [name: string]: unknown };

interface Component extends Json {
  readonly "bom-ref": string;
}

interface Package {
  readonly version: string;
  readonly license: string;
}

const sha256 = (bytes: Uint8Array): Json => ({
  alg: "SHA-256",
  content: createHash("sha256").update(bytes).digest("hex"),
});

/** A licence by its SPDX identifier, with its text or where that is. */
const licence = (id: string, more: Json): Json[] => [{ license: { id, ...more } }];

/** Files of the modules that the firmware's manifests name for an ESP32, each with the module's name. */
export function firmwareFiles(root: string): ReadonlyMap<string, string> {
  const { modules } = readProject(root, { platform: "esp32", moddable: undefined, library: root });
  const files = new Map<string, string>();
  for (const [name, paths] of modules) {
    // What a manifest takes out.
    if (name === "~") continue;
    for (const path of paths) {
      const folder = dirname(path);
      if (relative(root, folder).startsWith("..")) continue;
      const stem = basename(path);
      for (const file of readdirSync(folder).sort()) {
        if (!SOURCE.test(file) || file.endsWith(".d.ts")) continue;
        const own = file.replace(SOURCE, "");
        if (stem !== "*" && own !== stem) continue;
        const module = name === "*" ? own : name.replace(/\*$/, own);
        files.set(relative(root, join(folder, file)).replaceAll("\\", "/"), module);
      }
    }
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Parts of the SDK that the manifests of this repository name. */
function partsOfTheSdk(root: string): string[] {
  const { manifests } = readProject(root, { platform: "esp32", moddable: undefined, library: root });
  const named = manifests
    .filter((path) => !relative(root, path).startsWith(".."))
    .flatMap((path) => [...readFileSync(path, "utf8").matchAll(/"\$\((?:MODDABLE|CRYPT)\)\/([^"]+)"/g)])
    .map(([text]) => text.slice(1, -1));
  return [...new Set(named)].sort();
}

function bundled(root: string, name: string): Component {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    readonly packages: { readonly [path: string]: { readonly integrity: string } };
  };
  const [algorithm = "", digest = ""] = packages[`node_modules/${name}`]!.integrity.split("-");
  const bytes = readFileSync(join(root, "src", "vendor", `${name}.js`));
  return {
    type: "library",
    "bom-ref": `pkg:npm/${name}@${version}`,
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    licenses: licence(license, {
      text: { contentType: "text/plain", content: readFileSync(join(folder, "LICENSE.md"), "utf8") },
    }),
    hashes: [sha256(bytes)],
    externalReferences: [
      {
        type: "distribution",
        url: `https://registry.npmjs.org/${name}/-/${name}-${version}.tgz`,
        hashes: [{ alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(digest, "base64").toString("hex") }],
      },
    ],
    pedigree: { notes: `src/vendor/${name}.js: bundled and adapted for XS by scripts/build-vendor.mjs` },
  };
}

/** What a build adds that is not in this repository. Its digests are those of the SDK that is installed there. */
function toolchain(root: string): Component[] {
  return [
    {
      type: "framework",
      "bom-ref": `pkg:github/Moddable-OpenSource/moddable@${MODDABLE}`,
      name: "Moddable SDK, runtime",
      version: MODDABLE,
      purl: `pkg:github/Moddable-OpenSource/moddable@${MODDABLE}`,
      licenses: licence("LGPL-3.0-or-later", { url: "https://www.gnu.org/licenses/lgpl-3.0.txt" }),
      properties: partsOfTheSdk(root).map((value) => ({ name: "xs-ota:include", value })),
    },
    {
      type: "framework",
      "bom-ref": `pkg:github/espressif/esp-idf@v${ESP_IDF}`,
      name: "ESP-IDF",
      version: ESP_IDF,
      purl: `pkg:github/espressif/esp-idf@v${ESP_IDF}`,
      licenses: licence("Apache-2.0", { url: "https://www.apache.org/licenses/LICENSE-2.0" }),
    },
  ];
}

/** The document as text. `version`: of the release. */
export function sbom(root: string, version: string): string {
  const library = bundled(root, "mqtt-packet");
  const files = [...firmwareFiles(root)].map(([path, module]): Component => ({
    type: "file",
    "bom-ref": path,
    name: path,
    hashes: [sha256(readFileSync(join(root, path)))],
    properties: [{ name: "xs-ota:module", value: module }],
  }));
  const others = [library, ...toolchain(root)];
  const self = `pkg:generic/xs-ota@${version}`;
  const document = {
    version: 1,
    metadata: {
      component: {
        type: "firmware",
        "bom-ref": self,
        name: "xs-ota",
        version,
        purl: self,
        licenses: licence("Apache-2.0", {
          text: { contentType: "text/plain", content: readFileSync(join(root, "LICENSE"), "utf8") },
        }),
      },
    },
    components: [...others, ...files],
    dependencies: [
      { ref: self, dependsOn: [...others, ...files].map((each) => each["bom-ref"]) },
      { ref: "src/vendor/mqtt-packet.js", dependsOn: [library["bom-ref"]] },
    ],
  };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(document))}`;
  return `${JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", serialNumber, ...document }, undefined, 2)}\n`;
}

/** RFC 9562, section 5.8: a UUID of version 8 from what it names. */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
