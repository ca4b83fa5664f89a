import type { FastifyError } from "fastify";
import { isDiskFull } from "../core/state/store-error";

/** Ends a call with that status. The message is one line and may be shown to anybody who may call. */
export class ApiError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Throws 404 unless the value is there. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ApiError(404, `no such ${what}`);
  return value;
}

/**
 * Status of a refusal. `ApiError` and Fastify's own errors name theirs. The cloud refuses what can not be done with a
 * plain `Error` of one line: 422. Anything else is a fault of this program: 500.
 */
export function statusOf(error: Error): number {
  const { statusCode, code } = error as Partial<FastifyError>;
  if (statusCode !== undefined) return statusCode;
  if (isDiskFull(error)) return 507;
  return error.constructor === Error && code === undefined ? 422 : 500;
}
