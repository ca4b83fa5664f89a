/**
 * What the server is told of an action. Only `closed` ends one, and `closed` with `none` would be success. There is never
 * a timestamp: one of a device without a clock would leave the target pending for good.
 */
import type { Outcome } from "../../job/types";
import type { Report } from "../platform";
import { RESULT_CODES } from "../result-codes";

/** Percent between two reports: the history of an action takes 1,000 entries, the server's own among them. */
const PROGRESS_STEP = 25;

/** A request behind the base of the device. */
export interface Feedback {
  readonly method: "POST" | "PUT";
  readonly path: string;
  readonly body: string;
}

/** Undefined: of a task without an action. */
export const feedbackOf = (report: Report): Feedback | undefined => {
  if (report.kind === "version") return configData(report.version);
  const { id, version } = report.task;
  if (id === undefined) return undefined;
  switch (report.kind) {
    case "progress": {
      const step = Math.floor(report.percent / PROGRESS_STEP) * PROGRESS_STEP;
      return status(id, step === 0 ? "download" : "proceeding", "none", `${step} % of ${version}`);
    }
    case "burning":
      return status(id, "proceeding", "none", `installing ${version}`);
    case "outcome":
      return report.task.fetchOnly === true && report.outcome.kind === "done"
        ? status(id, "downloaded", "none", `${version} is stored`)
        : outcomeOf(id, version, report.outcome);
    case "withdrawal":
      return report.accepted
        ? status(id, "closed", "success", "stopped, nothing was installed", undefined, "cancelAction")
        : status(id, "rejected", "none", "too late: it is being installed", undefined, "cancelAction");
  }
};

const outcomeOf = (id: string, version: string, outcome: Outcome): Feedback =>
  outcome.kind === "done"
    ? status(id, "closed", "success", `running ${version}`)
    : status(id, "closed", "failure", `${outcome.cause}: ${outcome.message}`, RESULT_CODES[outcome.cause]);

type Execution = "download" | "downloaded" | "proceeding" | "closed" | "rejected";

const status = (
  id: string,
  execution: Execution,
  finished: "none" | "success" | "failure",
  detail: string,
  code?: number,
  of = "deploymentBase",
): Feedback => ({
  method: "POST",
  path: `/${of}/${id}/feedback`,
  body: JSON.stringify({
    status: { execution, result: { finished }, ...(code === undefined ? {} : { code }), details: [detail] },
  }),
});

const configData = (version: string): Feedback => ({
  method: "PUT",
  path: "/configData",
  body: JSON.stringify({ mode: "merge", data: { "fw.version": version } }),
});
