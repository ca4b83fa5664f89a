/** What the merged manifests of an app need to have. */
import type { Project } from "../moddable/project";
import { note, wrong } from "./finding";
import type { Finding } from "./finding";

/** Slots of stack that a TLS handshake takes (docs/MODDABLE.md, "Memory"). */
export const STACK_LEAST = 448;
/** 1 to 31 characters of the firmware block that mcconfig's defines carry unharmed. */
const TEXT = /^[\x20\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,31}$/;
const DEFINES = '"defines": { "xsota": { "product": "...", "version": "..." } } in the app\'s manifest';

export function manifestFindings(project: Project): Finding[] {
  return [
    ...project.commented.map((path) =>
      wrong(commentsIn(path), "mcconfig stops there: it reads plain JSON", "take them out"),
    ),
    ...libraryFindings(project),
    ...identityFindings(project),
    ...networkFindings(project),
    ...runFindings(project),
    ...gitFindings(project),
  ];
}

/** Beginning of the finding. */
export const commentsIn = (path: string): string => `${path} has comments`;

const has = ({ modules }: Project, name: string): boolean => (modules.get(name)?.length ?? 0) > 0;

/** The app has the agent among its modules, or its manifests name a clone of it that is not here. */
function hasAgent(project: Project): boolean {
  return has(project, "xs-ota") || has(project, "xs-ota/src/index");
}

function libraryFindings(project: Project): Finding[] {
  if (hasAgent(project)) return [];
  return [
    wrong(
      "the app does not include xs-ota",
      "it takes no updates: every change needs a cable",
      "xs-ota adopt, or include src/manifest.json",
    ),
  ];
}

function identityFindings(project: Project): Finding[] {
  if (!hasAgent(project)) return [];
  const xsota = (project.defines["xsota"] ?? {}) as Readonly<Record<string, unknown>>;
  const found: Finding[] = [];
  for (const name of ["product", "version"] as const) {
    const value = xsota[name];
    if (value === undefined)
      found.push(wrong(`defines.xsota.${name} is missing`, "hal/esp32/ota.c does not compile", DEFINES));
    else if (typeof value !== "string" || !TEXT.test(value))
      found.push(
        wrong(
          `defines.xsota.${name} is ${JSON.stringify(value)}`,
          "the firmware block holds 1 to 31 printable characters without quotes and commas: the build fails, or devices take the wrong one",
          DEFINES,
        ),
      );
  }
  const floor = xsota["securityFloor"];
  if (floor !== undefined && !(Number.isInteger(floor) && Number(floor) >= 0 && Number(floor) <= 0xffffffff))
    found.push(
      wrong(
        `defines.xsota.securityFloor is ${JSON.stringify(floor)}`,
        "it is a number of 32 bits",
        "0, or a whole number",
      ),
    );
  return found;
}

function networkFindings(project: Project): Finding[] {
  if (!hasAgent(project)) return [];
  const out = project.modules.get("~") ?? [];
  const networks = (project.modules.get("xs-ota/network") ?? []).filter((path) => !out.includes(path));
  if (networks.length === 0)
    return [
      wrong(
        "no module xs-ota/network",
        "the build stops: nothing brings the network up",
        "include one of hal/esp32/manifest_wifi.json, manifest_ethernet.json, manifest_none.json, or map your own",
      ),
    ];
  if (new Set(networks).size > 1)
    return [
      wrong(
        `two modules are xs-ota/network: ${networks.join(", ")}`,
        `mcconfig takes the first of them, and says nothing`,
        '"~" in modules takes the other one out (docs/ESP32.md, "Network")',
      ),
    ];
  return [];
}

function runFindings(project: Project): Finding[] {
  if (!hasAgent(project)) return [];
  const found: Finding[] = [];
  const { stack } = project.creation as { readonly stack?: unknown };
  if (typeof stack === "number" && stack < STACK_LEAST)
    found.push(
      wrong(
        `creation.stack is ${stack} slots`,
        `a TLS handshake takes ${STACK_LEAST}: the engine aborts, and the device restarts at each connection`,
        '"creation": { "stack": 1024 }',
      ),
    );
  const xs = (project.defines["xs"] ?? {}) as { readonly abortHook?: unknown };
  if (xs.abortHook !== 1 && xs.abortHook !== true)
    found.push(
      note(
        "defines.xs.abortHook is not set",
        "firmware that dies of an exception restarts without a word, and the cloud never hears of what",
        '"defines": { "xs": { "abortHook": 1 } }',
      ),
    );
  for (const key of ["deviceSecret", "password"] as const)
    if (project.config[key] !== undefined && project.config[key] !== "")
      found.push(
        note(
          `config.${key} is built into the image`,
          "every device gets the same, and whoever has the file has it",
          "settings in NVS, by xs-ota provision",
        ),
      );
  return found;
}

function gitFindings({ git }: Project): Finding[] {
  return git
    .filter(({ tag }) => tag === undefined)
    .map(({ git: url }) =>
      note(
        `${url} is included without a tag`,
        "the SDK never pulls a clone that exists: it stays as it was at the first build, on each machine another",
        '"tag": "..." beside "git"',
      ),
    );
}
