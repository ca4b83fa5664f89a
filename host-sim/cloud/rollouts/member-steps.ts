import type { Task } from "../tasks";
import type { Member } from "./rollout";

/** Waits to be asked (again). */
export function unasked({ device, wave, attempts }: Member): Member {
  return { device, wave, attempts, status: "pending" };
}

/** As far as its task is. */
export function follow({ device, wave, attempts }: Member, task: Task): Member {
  const { id, status, percent, code, message, pushedAt, finishedAt } = task;
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
