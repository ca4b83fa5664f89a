import type { BusMessage } from "../broker/bus";

/** The report that ended a task, and the connection it came over. */
export interface FinalReport {
  readonly payload: string;
  readonly connection: number | undefined;
}

/**
 * A device repeats its final report while no PUBACK has come: marked as a duplicate, or over a new connection. Anything
 * else is a second report. An external broker does not distinguish connections.
 */
export function isRepetition(last: FinalReport | undefined, payload: string, { dup, session }: BusMessage): boolean {
  return last?.payload === payload && (dup || session === undefined || last.connection !== session.serial);
}
