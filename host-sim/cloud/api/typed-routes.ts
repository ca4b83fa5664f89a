/** Fastify's routes, typed by TypeBox schemas. */
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Static, TSchema } from "typebox";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Needs no session. */
    readonly open?: boolean;
    /** Statuses beside those that any call may get. With 507, the call is refused while nothing can be stored. */
    readonly errors?: readonly (404 | 413 | 422 | 507)[];
    /** Media type of a body that is not JSON; the handler reads it from the request. */
    readonly upload?: string;
    /** Media type of an answer that is not JSON; the handler writes it. */
    readonly stream?: string;
  }
}

/** Types of requests and answers follow from a route's TypeBox schemas. */
interface TypeBoxTypes extends FastifyTypeProvider {
  readonly validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
  readonly serializer: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
}

/** What routes are added to. */
export type ApiRoutes = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypes
>;
