/** What proves that the cloud is reached, in a trial and before one. */
import type { JobContext } from "./context";
import type { JobEffect, Token } from "./effects";
import { reportVersion } from "./report";
import { jobOf } from "./states";
import type { State } from "./states";
import type { StoredJob } from "./stored-job";

/** The report whose PUBACK is the proof; undefined: CONNACK and an accepted SUBACK are enough. */
export const proofOf = ({ options }: JobContext, state: State): Token | undefined => {
  const { versionReport, proof = versionReport ? "version" : "link" } = options.platform.rules;
  if (proof === "link") return undefined;
  // The old firmware reports its version after the outcome: a cloud may hold its version against the job.
  const onTrial = state.name === "trial" || state.name === "trial-without-job";
  if (onTrial && jobOf(state) === undefined) return versionReport ? "version" : undefined;
  return onTrial && proof === "version" ? "version" : "burning";
};

/** Asks for the proof on a new connection. */
export const askProof = (context: JobContext, state: State): JobEffect[] => {
  const job = jobOf(state);
  if (proofOf(context, state) !== "burning" || job === undefined) return reportVersion(context, state);
  return [reportBurning(job)];
};

export const reportBurning = ({ offer }: StoredJob): JobEffect => ({
  type: "report",
  token: "burning",
  report: { kind: "burning", task: offer },
});
