/** The HTTP API: Fastify behind the cloud's own listeners. */
import swagger from "@fastify/swagger";
import { fastify, type FastifyReply, type FastifyRequest } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readJson } from "./body";
import type { ApiContext } from "./context";
import { description } from "./description";
import { ApiError, statusOf } from "./errors";
import type { Guard } from "./guard";
import { isDiskFull, StoreError } from "../core/state/store-error";
import { API_ROOT } from "./root";
import { boardRoutes, boardStateRoutes, boardStepRoutes } from "./routes/boards";
import { cloudRoutes, sessionRoutes } from "./routes/cloud";
import { deviceFileRoutes, deviceRoutes, oneDeviceRoutes } from "./routes/devices";
import { onePackageRoutes, packageRoutes } from "./routes/packages";
import { oneRolloutRoutes, rolloutRoutes, rolloutStepRoutes } from "./routes/rollouts";
import { recordingRoutes } from "./routes/recordings";
import type { ApiRoutes } from "./typed-routes";
import { compileSchema, parseQuery } from "./validation";

export interface RouteSummary {
  readonly method: string;
  /** Below the API's root; `:name` is one path segment. */
  readonly path: string;
  /** Needs no session. */
  readonly open: boolean;
}

export interface Api {
  readonly routes: readonly RouteSummary[];
  /** Resolves when the answer is complete; to false if the path is none of the API's. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

const ROUTES: readonly ((api: ApiRoutes, context: ApiContext) => void)[] = [
  sessionRoutes,
  cloudRoutes,
  packageRoutes,
  onePackageRoutes,
  deviceRoutes,
  oneDeviceRoutes,
  deviceFileRoutes,
  recordingRoutes,
  rolloutRoutes,
  oneRolloutRoutes,
  rolloutStepRoutes,
  boardRoutes,
  boardStepRoutes,
  boardStateRoutes,
];

const HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
};
/** Characters of a path parameter: Node takes no longer request head (`--max-http-header-size`). */
const PARAMETER_MAX = 16_384;

/** `failed` is told of faults of this program, of which the caller learns nothing, and of a full disk. */
export async function createApi(context: ApiContext, guard: Guard, failed: (line: string) => void): Promise<Api> {
  const app = createApp(guard, refusing(failed));
  const { routes, handlers } = followRoutes(app, () => context.cloud.keeper?.checkRoom());
  app.setNotFoundHandler((request, reply) => notFound(routes, request, reply));
  await app.register(swagger, description(context.version));
  await app.register(
    async (api) => {
      for (const add of ROUTES) add(api, context);
      api.get("/openapi.json", { config: { open: true }, schema: { hide: true } }, (_request, reply) =>
        reply.type("application/json").send(app.swagger()),
      );
    },
    { prefix: API_ROOT },
  );
  await app.ready();
  return {
    routes,
    handle: async (request, response) => {
      const path = (request.url ?? "/").split("?", 1)[0]!;
      if (path !== API_ROOT && !path.startsWith(`${API_ROOT}/`)) return false;
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      const closed = new Promise((resolve) => response.once("close", resolve));
      app.routing(request, response);
      await closed;
      await handlers.get(request)?.catch(() => undefined);
      return true;
    },
  };
}

/** Fastify with the guard before each route, and with the cloud's own reading of queries, bodies and errors. */
function createApp(guard: Guard, refuse: Refuse): ApiRoutes {
  const app: ApiRoutes = fastify({
    // HEAD is no method of the API.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: PARAMETER_MAX, querystringParser: parseQuery as never },
    schemaController: {
      // Answers are checked by the compiler only: their types follow from the schemas.
      compilersFactory: { buildValidator: () => compileSchema as never, buildSerializer: () => () => JSON.stringify },
    },
    // Only for paths that can not be decoded; no hook has run by then.
    frameworkErrors: (_error, request, reply) => {
      const { status, message } = guard.api(request.raw, false) ?? {
        status: 400,
        message: "the path is not well encoded",
      };
      void refuse(new ApiError(status, message), request, reply);
    },
  });
  app.addHook("onRequest", async (request) => admit(guard, request));
  app.removeAllContentTypeParsers();
  // A route reads no other body than the one that its schema describes.
  app.addContentTypeParser("*", async ({ raw, routeOptions: { schema } }: FastifyRequest) =>
    schema?.body === undefined ? undefined : readJson(raw),
  );
  app.setErrorHandler(refuse);
  return app;
}

/**
 * Lists the routes that are added from here on, gives their answers the status of their schema, and knows which
 * handlers still run.
 */
function followRoutes(
  app: ApiRoutes,
  checkRoom: () => void,
): {
  readonly routes: readonly RouteSummary[];
  readonly handlers: WeakMap<IncomingMessage, Promise<unknown>>;
} {
  const routes: RouteSummary[] = [];
  const handlers = new WeakMap<IncomingMessage, Promise<unknown>>();
  app.addHook("onRoute", (options) => {
    const { method, routePath, config = {}, schema, handler } = options;
    routes.push({ method: String(method), path: routePath, open: config.open === true });
    const status = Object.keys((schema?.response ?? {}) as object)[0];
    // Async, because Fastify takes a synchronous handler that returns undefined for one that answers later.
    options.handler = function (request, reply) {
      if (status !== undefined) reply.code(Number(status));
      const handled = (async () => {
        if (config.errors?.includes(507) === true) checkRoom();
        return handler.call(this, request, reply);
      })();
      handlers.set(request.raw, handled);
      return handled;
    };
  });
  return { routes, handlers };
}

/** Throws an `ApiError` unless the caller may ask this, and the body is of the type that the route takes. */
function admit(guard: Guard, { raw, is404, routeOptions: { config, schema } }: FastifyRequest): void {
  const refused = guard.api(raw, !is404 && config.open === true);
  if (refused) throw new ApiError(refused.status, refused.message);
  const type = raw.headers["content-type"] ?? "";
  if (config.upload !== undefined && type.toLowerCase() !== config.upload)
    throw new ApiError(415, `the body is to be ${config.upload}`);
  if (schema?.body !== undefined && !/^application\/json *(;|$)/i.test(type))
    throw new ApiError(415, "the body is to be application/json");
}

/** Throws 405 for a path that has other methods, and names them; else 404. */
function notFound(routes: readonly RouteSummary[], { url }: FastifyRequest, reply: FastifyReply): never {
  const path = url.split("?", 1)[0]!.slice(API_ROOT.length);
  const allowed = routes.filter((route) => new RegExp(`^${route.path.replace(/:\w+/g, "[^/]+")}$`).test(path));
  if (allowed.length === 0) throw new ApiError(404, "no such path");
  reply.header("Allow", allowed.map(({ method }) => method).join(", "));
  throw new ApiError(405, "not with this method");
}

function messageOf(error: Error, status: number): string {
  if (status === 500) return "internal error";
  return isDiskFull(error) ? new StoreError(error).message : error.message;
}

type Refuse = (error: Error, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

function refusing(failed: (line: string) => void): Refuse {
  return (error, { raw }, reply) => {
    const status = statusOf(error);
    if (status === 500) failed(`internal error: ${error.message}`);
    if (status === 507) failed(`${raw.method} ${raw.url?.split("?", 1)[0]} refused: ${messageOf(error, status)}`);
    // The unread rest of a body would hold the connection up.
    if (!raw.complete) reply.header("Connection", "close");
    return reply.code(status).send({ error: messageOf(error, status) });
  };
}
