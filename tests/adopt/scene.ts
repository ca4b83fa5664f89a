/** An app of somebody else's, in the forms that manifests have, and a stand-in for the SDK. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { carryOut, planOf } from "../../host-sim/adopt/plan";
import type { Wanted } from "../../host-sim/adopt/plan";
import { writeWhole } from "../../host-sim/cli/whole-file";
import { ROOT, standInSdk, write } from "../doctor/apps";
import { temporaryFolder } from "../kit/folder";

/** Comments, odd spaces, an order of its own. */
export const COMMENTED = `{
    // the lamp of hall 7
    "modules": { "*": "./main" },
    "config": {"ssid": "",   "led": 4}, /* pin */
    "include": [
        "$(MODDABLE)/examples/manifest_base.json", // the base

        "./extra.json"
    ]
}
`;
export const USUAL = COMMENTED.replace("// the lamp of hall 7", "")
  .replace(" // the base", "")
  .replace(" /* pin */", "");
export const FORMS: Readonly<Record<string, string>> = {
  "comments and spaces": COMMENTED,
  "tabs, and one include":
    '{\n\t"include": "$(MODDABLE)/examples/manifest_base.json",\n\t"modules": { "*": "./main" }\n}\n',
  "one line": '{"include":["$(MODDABLE)/examples/manifest_base.json"],"modules":{"*":"./main"}}',
  "ends of lines of Windows": COMMENTED.replaceAll("\n", "\r\n"),
  "defines of its own":
    '{\n  "include": ["$(MODDABLE)/examples/manifest_base.json"],\n  "defines": {\n    "spi": {"cs": 4},\n    "xs": { "mods": 0 }\n  },\n  "modules": {"*": "./main"}\n}',
  "no include": '{ "modules": { "*": "./main" }, "creation": { "stack": 256 } }',
};

export interface Scene {
  readonly app: string;
  readonly sdk: string;
  wanted(more?: Partial<Wanted>): Wanted;
}

export function scene(t: TestContext, manifest: string): Scene {
  const folder = temporaryFolder(t);
  const [app, sdk] = [join(folder, "lamp"), standInSdk(join(folder, "sdk"))];
  write(join(app, "manifest.json"), manifest);
  write(join(app, "main.js"), "trace(1);\n");
  write(join(app, "extra.json"), "{}");
  const usual = {
    app,
    platform: "esp32",
    product: "lamp",
    version: "1.0.0",
    moddable: sdk,
    library: { folder: ROOT },
    config: {},
  };
  return { app, sdk, wanted: (more = {}) => ({ ...usual, ...more }) };
}

export const adopt = (wanted: Wanted): ReturnType<typeof planOf> => {
  const plan = planOf(wanted);
  carryOut(wanted.app, plan, writeWhole);
  return plan;
};
export const manifestIn = (app: string): string => readFileSync(join(app, "manifest.json"), "utf8");
