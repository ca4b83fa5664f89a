import type { IncomingMessage, ServerResponse } from "node:http";
import { Compile, type Validator } from "typebox/compile";
import { Settings } from "typebox/system";
import type { TSchema } from "typebox";
import { readJson } from "./body";
import type { Guard } from "./guard";
import { ApiError, type Call, type Route } from "./route";

/** Everything of the API lies below it. */
export const API_ROOT = "/cloud/v1";

/** Of a value that fits none of several forms, all errors are wanted, to tell which form was meant. */
Settings.Set({ maxErrors: 64 });

interface Prepared {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly query: Validator | undefined;
  readonly body: Validator | undefined;
}

const HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
};

/** Answers calls of the API: guard, route, schemas, handler, in this order. */
export class Router {
  readonly #routes: readonly Prepared[];
  readonly #guard: Guard;
  readonly #failed: (error: unknown) => void;

  /** `failed` hears of errors of our own, which the caller is told nothing about. */
  constructor(routes: readonly Route[], guard: Guard, failed: (error: unknown) => void) {
    this.#guard = guard;
    this.#failed = failed;
    this.#routes = routes.map((route) => ({
      route,
      pattern: new RegExp(`^${API_ROOT}${route.path.replace(/\{\w+\}/g, "([^/]+)")}$`),
      names: [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
      query: compiled(route.query),
      body: compiled(route.body),
    }));
  }

  /** False: not a path of the API. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const [path = "", search = ""] = split(request.url ?? "/");
    if (path !== API_ROOT && !path.startsWith(`${API_ROOT}/`)) return false;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    try {
      await this.#answer(request, response, path, search);
    } catch (error) {
      this.#refuse(request, response, error);
    }
    return true;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, path: string, search: string): Promise<void> {
    const matching = this.#routes.flatMap((prepared) => {
      const values = prepared.pattern.exec(path);
      return values ? [{ prepared, values: values.slice(1) }] : [];
    });
    const match = matching.find(({ prepared }) => prepared.route.method === request.method);
    const refused = this.#guard.api(request, match?.prepared.route.open === true);
    if (refused) throw new ApiError(refused.status, refused.message);
    if (matching.length === 0) throw new ApiError(404, "no such path");
    if (!match) {
      response.setHeader("Allow", matching.map(({ prepared }) => prepared.route.method).join(", "));
      throw new ApiError(405, "not with this method");
    }
    const { route, names, query, body } = match.prepared;
    const call: Call<unknown, unknown> = {
      params: Object.fromEntries(names.map((name, index) => [name, decoded(match.values[index]!)])),
      query: checked(query, query && queryValues(route.query!, search), "query"),
      body: body && checked(body, await readJson(request), "body"),
      request,
      response,
    };
    const result: unknown = await route.handle(call as Call<never, never>);
    if (route.stream !== undefined) return;
    response.statusCode = route.status;
    if (route.result === undefined) response.end();
    else send(response, result);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const status = statusOf(error);
    if (status === 500) this.#failed(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // What is left of a body that nobody reads would hold the connection up.
    if (!request.complete) response.setHeader("Connection", "close");
    response.statusCode = status;
    send(response, { error: status === 500 ? "internal error" : (error as Error).message });
  }
}

/** Our own functions refuse what can not be done with a plain `Error` of one line; anything else is a fault. */
function statusOf(error: unknown): number {
  if (error instanceof ApiError) return error.status;
  return error instanceof Error && error.constructor === Error && !("code" in error) ? 422 : 500;
}

function send(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.end(text);
}

function compiled(schema: Route["body"]): Validator | undefined {
  return schema === undefined || schema === "bytes" ? undefined : (Compile(schema as TSchema) as unknown as Validator);
}

function checked(validator: Validator | undefined, value: unknown, where: string): unknown {
  if (validator === undefined || validator.Check(value)) return value;
  const first = telling(validator.Errors(value));
  const place = first?.instancePath ? first.instancePath.slice(1).replace(/\//g, ".") : where;
  throw new ApiError(400, `${place}: ${first?.message ?? "is not as it should be"}`);
}

interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly message: string;
}

/** The error that says most: the deepest, and of the forms that a value may have, one of that which it claims to be. */
function telling(errors: readonly SchemaError[]): SchemaError | undefined {
  const form = ({ schemaPath }: SchemaError): string | undefined => /^.*\/anyOf\/\d+/.exec(schemaPath)?.[0];
  const others = new Set(errors.filter(({ keyword }) => keyword === "const" || keyword === "required").map(form));
  const meant = errors.filter((error) => form(error) !== undefined && !others.has(form(error)));
  const candidates = (meant.length > 0 ? meant : errors).filter(({ keyword }) => keyword !== "boolean");
  return candidates.sort((a, b) => b.instancePath.length - a.instancePath.length)[0];
}

/** Texts of a query by the types that the schema wants. */
function queryValues(schema: NonNullable<Route["query"]>, search: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of new URLSearchParams(search)) {
    if (name in values) throw new ApiError(400, `query: ${name} is there twice`);
    const type = (schema.properties[name] as { type?: string } | undefined)?.type;
    values[name] =
      type === "integer" && /^\d{1,15}$/.test(text)
        ? Number(text)
        : type === "boolean" && /^(true|false)$/.test(text)
          ? text === "true"
          : text;
  }
  return values;
}

function split(url: string): [string, string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ApiError(400, "the path is not well encoded");
  }
}
