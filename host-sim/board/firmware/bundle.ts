/**
 * The firmware as one script, as it lies in flash: the agent bundled once, and in front of it what makes this firmware
 * this one.
 */
import type { Fault, FirmwareConstants } from "./configuration";
import { deflated, packScript } from "./packed-script";
import { xsScript } from "./xs-script";

export { FAULTS } from "./configuration";
export type { Fault } from "./configuration";

/** What fails before the agent is loaded; run.ts does the rest. */
const PROLOGUES: { readonly [fault in Fault]?: string } = {
  throw: 'throw new Error("this firmware throws at its start");\n',
  hang: "for (;;);\n",
};

let bundled: Promise<string> | undefined;
let packed: Promise<Uint8Array> | undefined;

/**
 * The agent without its prologue. Bundled at the first call of a process, which takes about a twentieth of a second.
 */
export function firmwareBundle(): Promise<string> {
  bundled ??= xsScript(new URL("main.ts", import.meta.url));
  return bundled;
}

/** Payload of the image of a firmware of that version. */
export async function firmwarePayload(version: string, fault?: Fault): Promise<Uint8Array> {
  packed ??= firmwareBundle().then(deflated);
  return packScript(headOf(version, fault), await packed);
}

/** `bundle` as a firmware of that version, as text. */
export function stamp(bundle: string, version: string, fault?: Fault): string {
  return headOf(version, fault) + bundle;
}

function headOf(version: string, fault?: Fault): string {
  const constants: FirmwareConstants = { version, ...(fault === undefined ? {} : { fault }) };
  return `var FIRMWARE=${JSON.stringify(constants)};\n${(fault === undefined ? undefined : PROLOGUES[fault]) ?? ""}`;
}
