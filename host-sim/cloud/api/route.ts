import type { IncomingMessage, ServerResponse } from "node:http";
import type { Static, TObject, TSchema } from "typebox";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** A request that was let in, with everything in it checked against the route's schemas. */
export interface Call<Query, Body> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Route {
  readonly method: Method;
  /** Below the API's root; {name} is one path segment. */
  readonly path: string;
  readonly summary: string;
  readonly query?: TObject;
  /** JSON by this schema, or any bytes. */
  readonly body?: TSchema | "bytes";
  readonly status: 200 | 201 | 204;
  /** Of the answer; absent: no content, or a stream. */
  readonly result?: TSchema;
  /** The answer's content, where it is not JSON; the handler sends it itself. */
  readonly stream?: string;
  /** Statuses beside those that any call may get. */
  readonly errors?: readonly (404 | 413 | 422)[];
  /** Needs no session. */
  readonly open?: boolean;
  readonly handle: (call: Call<never, never>) => unknown;
}

type Checked<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

/** Ties the handler's types to the schemas. */
export function route<
  const Query extends TObject | undefined = undefined,
  const Body extends TSchema | "bytes" | undefined = undefined,
  const Result extends TSchema | undefined = undefined,
>(
  definition: Omit<Route, "query" | "body" | "result" | "handle"> & {
    readonly query?: Query;
    readonly body?: Body;
    readonly result?: Result;
    readonly handle: (
      call: Call<Checked<Query>, Checked<Body>>,
    ) => Checked<Result> | Promise<Checked<Result>> | void | Promise<void>;
  },
): Route {
  return definition as unknown as Route;
}

/** Ends a call with that status. The message is one line and may be shown to anybody who may call. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** 404 unless it is there. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ApiError(404, `no such ${what}`);
  return value;
}
