/** What a device publishes, read as leniently as the backends do and checked as strictly as the manual demands. */
import { isObject, parseObject } from "../json-object";

export interface Progress {
  /** Truncated towards 0, as the backends do; NaN for text that is no number. */
  readonly step: number;
  readonly desc: string;
  readonly module: string | undefined;
}

export interface Version {
  readonly version: string;
  readonly module: string;
}

export interface Read<T> {
  /** Undefined where the backend drops the message. */
  readonly report?: T;
  /** Where it differs from the documented form, one line each. */
  readonly complaints: readonly string[];
}

/** "Description (<128 chars)": counted in bytes here, which is on the safe side. */
const DESC_MAX = 128;

/** Never throws. */
export function readProgress(payload: string): Read<Progress> {
  const message = parseObject(payload);
  if (message === undefined) return { complaints: ["not a JSON object"] };
  const { step: given, desc, module } = message;
  const complaints: string[] = [];
  if (typeof given !== "string") complaints.push("step is not a string");
  if (desc !== undefined && typeof desc !== "string") return { complaints: [...complaints, "desc is not a string"] };
  if (module !== undefined && typeof module !== "string")
    return { complaints: [...complaints, "module is not a string"] };
  if (typeof given !== "string" && typeof given !== "number") return { complaints };
  const step = /^-?\d{1,9}(\.\d+)?$/.test(String(given)) ? Math.trunc(Number(given)) : NaN;
  if (!((step >= 1 && step <= 100) || (step >= -4 && step <= -1)) || String(given) !== String(step))
    complaints.push("step is not 1 to 100 or -1 to -4");
  if (Buffer.byteLength(desc ?? "") > DESC_MAX) complaints.push(`desc has more than ${DESC_MAX} bytes`);
  return { report: { step, desc: desc ?? "", module }, complaints };
}

/** v0 only. Never throws. */
export function readVersion(payload: string): Read<Version> {
  const message = parseObject(payload);
  const params = message?.["params"];
  if (message === undefined || !isObject(params)) return { complaints: ["not a JSON object with params"] };
  const { id } = message;
  const { version, module } = params;
  if (typeof id !== "string" || typeof version !== "string" || typeof module !== "string")
    return { complaints: ["id, version and module are not strings"] };
  return { report: { version, module }, complaints: /^.{10}$/u.test(id) ? [] : ["id does not have 10 characters"] };
}
