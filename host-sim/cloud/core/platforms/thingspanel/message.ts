import type { Package } from "../../files/packages";
import { GENERATIONS } from "./generations";
import type { ThingsPanelDevice } from "./identity";

export interface MessageOptions {
  /**
   * Which digest, by the name that the operator chose; "MD5" is that, every other text means SHA-256. Default "SHA256".
   */
  readonly signMethod?: string;
  /** v1 as it is shipped: it computes size and digest, and sends neither. */
  readonly bare?: boolean;
}

/** Fields of the envelope; all others are params. */
const ENVELOPE = ["code", "id"];

/** A task as the backends send it: compact, keys in alphabetical order, for they come out of a Go map. */
export function taskMessage(
  device: ThingsPanelDevice,
  file: Package,
  url: string,
  options: MessageOptions,
  fields: Readonly<Record<string, unknown>> = {},
): string {
  const { signMethod = "SHA256", bare = false } = options;
  const shipped = bare && device.profile === "v1";
  const params = {
    extData: {},
    module: moduleOf(device, fields),
    sign: shipped ? "" : signMethod === "MD5" ? file.md5 : file.sha256,
    signMethod,
    size: shipped ? "0" : GENERATIONS[device.profile].size(file.size),
    url,
    version: file.version,
  };
  // New for every push, and nothing refers to it.
  const id =
    device.profile === "v0"
      ? String(Math.floor(Math.random() * 999_999_999))
      : String(100_000_000 + Math.floor(Math.random() * 900_000_000));
  const given = Object.entries(fields);
  return JSON.stringify({
    code: "200",
    id,
    ...Object.fromEntries(given.filter(([key]) => ENVELOPE.includes(key))),
    params: { ...params, ...Object.fromEntries(given.filter(([key]) => !ENVELOPE.includes(key))) },
  });
}

/** The package's module, as it is sent. */
export function moduleOf(
  { profile, module }: ThingsPanelDevice,
  fields: Readonly<Record<string, unknown>> = {},
): unknown {
  return "module" in fields ? fields["module"] : (module ?? (profile === "v0" ? "" : null));
}
