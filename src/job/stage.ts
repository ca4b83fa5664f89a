/**
 * What a trial waits for, and why it does not get it: the text of a rollback, and a notice for the engineer at the
 * console.
 */
import type { Policy } from "./policy";

/** What keeps a trial from the cloud, as far as the device has said. */
export interface Obstacles {
  /** Why no connection can be tried yet ("no address", "clock not set"). Undefined: one can. */
  network: string | undefined;
  /** Why the last connection to the cloud ended, or was not made. */
  link: string | undefined;
}

/** Of the job's context. */
interface Known {
  readonly linkUp: boolean;
  readonly obstacles: Obstacles;
  readonly options: { readonly policy: Policy };
}

/** `asked`: the application was asked for its health check. */
export const stageOf = ({ linkUp, obstacles }: Known, asked: boolean): string => {
  if (asked) return "health check did not answer";
  if (linkUp) return "no PUBACK of the version report";
  return obstacles.network ?? obstacles.link ?? "cloud not reached";
};

/**
 * Why the trial ended at its deadline, or at another `bound`. What the cloud itself has answered tells more than the
 * time.
 */
export const deadlineText = (context: Known, asked: boolean, bound?: string): string => {
  const { linkUp, obstacles, options } = context;
  const answered = !asked && !linkUp && obstacles.network === undefined && obstacles.link !== undefined;
  const stage = stageOf(context, asked);
  return `trial: ${stage}${answered && bound === undefined ? "" : ` within ${bound ?? `${options.policy.trialSeconds} s`}`}`;
};
