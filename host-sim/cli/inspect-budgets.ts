/** What budgets have counted, in words: how much is left and, in awake time of the device, until when. */
import {
  NEW_IMAGES,
  NEW_IMAGE_REFILL,
  REPEAT_BUDGET,
  REPEAT_REFILL,
  TRIALS_MAX,
  TRIAL_WAITS,
} from "../../src/constants";
import { WHY } from "../../src/job/budgets";
import { decodeBudgets } from "../../src/job/history-codecs";
import type { Spent } from "../../src/job/history-codecs";
import type { Snapshot } from "../../src/job/records";

export function budgetsInWords({ budgets, awakeSeconds = 0 }: Snapshot): string[] {
  const { trials, confirmed, repeats, news } = decodeBudgets(budgets);
  const left = (from: number, seconds: number): number => Math.max(0, Math.ceil((from + seconds - awakeSeconds) / 60));
  const spent = (name: string, { count, since }: Spent, bound: string, refill: number): string[] =>
    count === 0 ? [] : [`${name}: ${count} of ${bound}, one less in ${left(since, refill)} min`];
  return [
    ...trials.map(({ id, count, why, at }) => {
      const wait = left(at, TRIAL_WAITS[count - 1] ?? 0);
      const next = count >= TRIALS_MAX ? "not tried again" : wait > 0 ? `next trial in ${wait} min` : "next trial now";
      return `image ${id}: ${count} of ${TRIALS_MAX} trials, ${WHY[why]}; ${next}`;
    }),
    ...spent("repeated installs", repeats, `${REPEAT_BUDGET} (by default)`, REPEAT_REFILL),
    ...spent("new images", news, String(NEW_IMAGES), NEW_IMAGE_REFILL),
    ...(confirmed.length === 0 ? [] : [`confirmed here: ${confirmed.join(", ")}`]),
  ];
}
