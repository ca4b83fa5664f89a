/** The firmware as one script, as it lies in flash: the agent bundled once, and in front of it what makes this firmware this one. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { vendorPlugin } from "../../scripts/build-vendor.mjs";
import type { FirmwareConstants } from "./configuration";

/** "throw": fails at the start; "hang": never ends its first turn; "offline": never reaches the cloud. */
export const FAULTS = ["throw", "hang", "offline"] as const;
export type Fault = (typeof FAULTS)[number];

const PROLOGUES: { readonly [fault in Fault]: string } = {
  throw: 'throw new Error("this firmware throws at its start");\n',
  hang: "for (;;);\n",
  offline: "",
};

let bundled: Promise<string> | undefined;

/** The agent without its prologue. Bundled at the first call of a process, which takes about a twentieth of a second. */
export function firmwareBundle(): Promise<string> {
  bundled ??= bundle();
  return bundled;
}

/** Source of a firmware of that version. */
export async function firmwareSource(version: string, fault?: Fault): Promise<string> {
  return stamp(await firmwareBundle(), version, fault);
}

/** `bundle` as a firmware of that version. */
export function stamp(bundle: string, version: string, fault?: Fault): string {
  const constants: FirmwareConstants = { version, ...(fault === "offline" ? { offline: true } : {}) };
  return `var FIRMWARE=${JSON.stringify(constants)};\n${fault === undefined ? "" : PROLOGUES[fault]}${bundle}`;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("main.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    minify: true,
    legalComments: "none",
    plugins: [vendorPlugin()],
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}
