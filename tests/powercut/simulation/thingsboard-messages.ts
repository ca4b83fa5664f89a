/** Telemetry of ThingsBoard as reports, written independently of the agent's dialect. */
import type { MonitoredStart } from "../checks/monitored-start";
import type { Heard } from "./cloud-side";

/** First words of `fw_error`; "download" may stand for several causes. */
const CAUSES: { readonly [word: string]: string | undefined } = {
  network: "download-timeout",
  digest: "digest-mismatch",
  flash: "flash",
  refused: "rejected",
  signature: "signature",
  trial: "rolled-back",
};

/** Undefined: nothing that the checks know. No telemetry names the package: it is that of the job, if there is one. */
export function readTelemetry(
  message: { readonly [key: string]: unknown },
  { job, outcome }: Pick<MonitoredStart, "job" | "outcome">,
): Heard | undefined {
  const { fw_state: state, fw_error: error = "", current_fw_version: current } = message;
  const ofJob = job?.record.offer.version;
  switch (state) {
    case undefined:
      return { kind: "version", version: String(current) };
    case "DOWNLOADING":
    case "DOWNLOADED":
      return { kind: "progress", percent: state === "DOWNLOADED" ? 100 : 0, version: ofJob };
    case "UPDATING":
      return { kind: "burning", version: ofJob };
    case "UPDATED":
      return { kind: "outcome", done: true, cause: undefined, message: "", version: String(current) };
    case "FAILED": {
      const [, word = "", text = ""] = /^(\w+): (.*)$/s.exec(String(error)) ?? [];
      // Nothing was wanted any more: the end of a task that nobody waits for.
      if (error === "canceled") return undefined;
      const version = outcome === undefined ? undefined : ofJob;
      return { kind: "outcome", done: false, cause: CAUSES[word], message: text, version };
    }
    default:
      return undefined;
  }
}
