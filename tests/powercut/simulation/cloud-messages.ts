/** Offers and reports in the message format of each cloud, written independently of the agent's dialects. */
import type { Offer } from "../../../src/job/types";
import type { Heard } from "./cloud-side";
import type { ScenarioPlatform } from "./scenarios";

const UPDATE = "$ota/update/P0WERCUT00/board";

export function offerMessage(
  platform: ScenarioPlatform,
  offer: Offer,
): { readonly topic: string; readonly payload: string } {
  const { version, url, size, digest } = offer;
  if (platform === "tencent")
    return {
      topic: UPDATE,
      payload: JSON.stringify({ type: "update_firmware", file_size: size, md5sum: digest?.hex, url, version }),
    };
  const topic = platform === "thingspanel-v0" ? "ota/device/inform/token" : "ota/devices/inform/token";
  const params = {
    version,
    url,
    sign: digest?.hex ?? "",
    signMethod: "MD5",
    module: "",
    extData: {},
    ...(size === 0 ? {} : { size: String(size) }),
  };
  return { topic, payload: JSON.stringify({ id: "1", code: "200", params }) };
}

/** Undefined: not a report. */
export function readReport(topic: string, payload: string): Heard | undefined {
  const message = JSON.parse(payload) as { readonly [key: string]: unknown };
  if (topic.startsWith("$ota/report/")) return tencent(message);
  if (topic === "ota/device/inform")
    return { kind: "version", version: String((message["params"] as { version: unknown }).version) };
  if (topic !== "ota/device/progress" && topic !== "ota/devices/progress") return undefined;
  const step = Number(message["step"]);
  const desc = String(message["desc"]);
  if (step < 0 || step === 100)
    return {
      kind: "outcome",
      done: step === 100,
      cause: undefined,
      message: step === 100 ? "" : desc,
      version: undefined,
    };
  return step === 99 && desc.startsWith("downloaded")
    ? { kind: "burning", version: undefined }
    : { kind: "progress", percent: step, version: undefined };
}

function tencent(message: { readonly [key: string]: unknown }): Heard | undefined {
  const report = message["report"] as {
    readonly version: string;
    readonly progress?: { readonly [key: string]: string };
  };
  if (message["type"] === "report_version") return { kind: "version", version: report.version };
  const { progress, version } = report;
  switch (progress?.["state"]) {
    case "downloading":
      return { kind: "progress", percent: Number(progress["percent"]), version };
    case "burning":
      return { kind: "burning", version };
    case "done":
      return { kind: "outcome", done: true, cause: undefined, message: "", version };
    case "fail":
      return { kind: "outcome", done: false, cause: undefined, message: progress["result_msg"] ?? "", version };
    default:
      return undefined;
  }
}
