import type { Task } from "../devices/tasks";
import type { Member } from "./rollout";

/** Waits to be asked (again). */
export function unasked({ device, wave, attempts }: Member): Member {
  return { device, wave, attempts, status: "pending" };
}

/** As far as its task is. `now`: on the clock of durations. */
export function follow(member: Member, task: Task, now: number): Member {
  const { device, wave, attempts } = member;
  const { id, status, percent, code, message, finishedAt } = task;
  // The same offer may go out again and again: the first time counts.
  const known = member.task === id && member.pushedAt !== undefined;
  const pushedAt = known ? member.pushedAt : task.pushedAt;
  const fresh = pushedAt === undefined || (known && finishedAt !== undefined) ? undefined : now;
  const since = known ? (member.since ?? fresh) : fresh;
  const took = member.finishedAt === finishedAt ? member.took : since === undefined ? undefined : now - since;
  return {
    device,
    wave,
    attempts,
    task: id,
    status,
    ...(percent === undefined ? {} : { percent }),
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(pushedAt === undefined ? {} : { pushedAt }),
    ...(since === undefined ? {} : { since }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(finishedAt === undefined || took === undefined ? {} : { took }),
  };
}
