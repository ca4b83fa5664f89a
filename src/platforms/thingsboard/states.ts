/** Reports in ThingsBoard's words: telemetry that its stock dashboard shows. */
import { MESSAGE_MAX } from "../../constants";
import type { Cause } from "../../job/types";
import { frozen } from "../../util/frozen";
import { truncateUtf8 } from "../../util/utf8";
import type { BrokerReport } from "../platform";

/** First word of `fw_error`. */
export const CAUSES = frozen<{ readonly [cause in Cause]: string }>({
  "download-timeout": "network",
  "not-found": "download",
  "url-expired": "download",
  download: "download",
  "digest-mismatch": "digest",
  flash: "flash",
  rejected: "refused",
  signature: "signature",
  "rolled-back": "trial",
});

/** What runs here. */
export interface Current {
  readonly title: string;
  readonly version: string;
}

/**
 * The messages of a report, in order: JSON each. The last one settles it. An error stays on the server until it is
 * cleared. What runs is told with each outcome, in one message: two may be stored in either order.
 */
export const telemetryOf = (report: BrokerReport, { title, version }: Current): readonly object[] => {
  const current = { current_fw_title: title, current_fw_version: version };
  switch (report.kind) {
    case "version":
      return [current];
    case "progress": {
      const fw_error = truncateUtf8(report.note ?? "", MESSAGE_MAX);
      return [{ fw_state: report.percent >= 100 ? "DOWNLOADED" : "DOWNLOADING", fw_error }];
    }
    case "burning": {
      const updating = { fw_state: "UPDATING", fw_error: "" };
      // In its trial the new firmware repeats this as the proof that it reaches the cloud.
      return report.task.version === version ? [updating] : [{ fw_state: "VERIFIED" }, updating];
    }
    case "outcome": {
      const { outcome } = report;
      if (outcome.kind === "done") return [{ fw_state: "UPDATED", fw_error: "", ...current }];
      const fw_error = truncateUtf8(`${CAUSES[outcome.cause]}: ${outcome.message}`, MESSAGE_MAX);
      return [{ fw_state: "FAILED", fw_error, ...current }];
    }
  }
};
