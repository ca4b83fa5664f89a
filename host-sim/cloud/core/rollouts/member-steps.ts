import type { Task } from "../devices/tasks";
import type { Member } from "./rollout";

/** Waits to be asked (again). */
export function unasked({ device, wave, attempts }: Member): Member {
  return { device, wave, attempts, status: "pending" };
}

/** As far as its task is. */
export function follow({ device, wave, attempts, task: known, pushedAt: before }: Member, task: Task): Member {
  const { id, status, percent, code, message, finishedAt } = task;
  // The same offer may go out again and again: the first time counts.
  const pushedAt = known === id && before !== undefined ? before : task.pushedAt;
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
    ...(finishedAt === undefined ? {} : { finishedAt }),
  };
}
