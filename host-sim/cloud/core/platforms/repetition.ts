import type { BusMessage } from "../broker/bus";

/** The report that ended a task, and the connection it came over. */
export interface LastWord {
  readonly payload: string;
  readonly connection: number | undefined;
}

/**
 * A device repeats its last word while no PUBACK has come: marked as a duplicate, or over a new connection. Anything else is a second one.
 * A broker elsewhere does not tell connections apart.
 */
export function isRepetition(last: LastWord | undefined, payload: string, { dup, session }: BusMessage): boolean {
  return last?.payload === payload && (dup || session === undefined || last.connection !== session.serial);
}
