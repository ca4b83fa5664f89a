/**
 * What a device publishes to $ota/report/..., read as leniently as the platform does and judged as strictly as it
 * documents.
 */
import { isObject, parseObject } from "../json-object";

export interface VersionReport {
  readonly type: "report_version";
  readonly version: string;
}

export interface ProgressReport {
  readonly type: "report_progress";
  readonly version: string;
  readonly state: "downloading" | "burning" | "done" | "fail";
  /** 0 to 100, of `downloading`. */
  readonly percent?: number;
  readonly code: number;
  readonly message: string;
}

export interface ReadReport {
  /** Undefined if nothing can be made of the message. */
  readonly report?: VersionReport | ProgressReport;
  /** Where it differs from the documented form, one line each. */
  readonly complaints: readonly string[];
}

const STATES = ["downloading", "burning", "done", "fail"] as const;

/** Never throws. */
export function readReport(payload: string): ReadReport {
  const message = parseObject(payload);
  const report = message?.["report"];
  if (!isObject(message) || !isObject(report)) return { complaints: ["not a JSON object with a report"] };
  const complaints: string[] = [];
  const version = text(report["version"], "version", complaints);
  if (version.length < 1 || version.length > 32) complaints.push("version does not have 1 to 32 characters");
  if (message["type"] === "report_version") {
    return { complaints, ...(version === "" ? {} : { report: { type: "report_version", version } }) };
  }
  const progress = report["progress"];
  const state = isObject(progress) ? STATES.find((name) => name === progress["state"]) : undefined;
  if (message["type"] !== "report_progress" || !isObject(progress) || state === undefined) {
    return { complaints: ["neither a version report nor a known progress"] };
  }
  const code = number(text(progress["result_code"], "result_code", complaints));
  if (!Number.isInteger(code) || (state === "fail") !== code < 0)
    complaints.push(`result_code does not go with ${state}`);
  const resultMessage = text(progress["result_msg"], "result_msg", complaints);
  const base = { type: "report_progress", version, state, code, message: resultMessage } as const;
  if (state !== "downloading") {
    if ("percent" in progress) complaints.push(`percent has no place in ${state}`);
    return { report: base, complaints };
  }
  const percent = number(text(progress["percent"], "percent", complaints));
  if (Number.isInteger(percent) && percent >= 0 && percent <= 100) return { report: { ...base, percent }, complaints };
  complaints.push("percent is not 0 to 100");
  return { report: base, complaints };
}

/** Every value of a report is a JSON string, the numbers too. */
function text(value: unknown, name: string, complaints: string[]): string {
  if (typeof value === "string") return value;
  complaints.push(`${name} is not a string`);
  return typeof value === "number" ? String(value) : "";
}

/** NaN unless the whole text is a decimal number. */
function number(digits: string): number {
  return /^-?\d{1,9}$/.test(digits) ? Number(digits) : NaN;
}
