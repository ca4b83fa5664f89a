/** The OpenAPI document of the API, made from the routes and their schemas. */
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { FastifySchema, RouteOptions } from "fastify";
import { PACKAGE_MAX } from "../core/files/package-writer";
import { API_ROOT } from "./root";
import { Problem } from "./schemas/common";

const ERRORS: Readonly<Record<number, string>> = {
  400: "something in the call is not as its schema says",
  401: "no session and no API token",
  403: "asked from another machine or by another site",
  404: "there is no such thing",
  413: "the body is too long",
  415: "the body is of another type",
  421: "asked under a name that is not this cloud's",
  422: "it can not be done, for the reason given",
  507: "nothing new can be stored: the disk is full",
};

/** Options of @fastify/swagger. `version` is that of this program. */
export function description(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "xs-ota local cloud",
        version,
        description:
          "What the console does, for scripts. Send the API token as a bearer token, or hold the console's session.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" } as { name: string },
      },
      servers: [{ url: API_ROOT }],
      security: [{ token: [] }, { session: [] }],
      components: {
        securitySchemes: {
          token: {
            type: "http",
            scheme: "bearer",
            description: "the text in the file api-token of the cloud's state folder",
          },
          session: { type: "apiKey", in: "cookie", name: "xs-ota-<port>", description: "set by POST /session" },
        },
      },
    },
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => ({
      schema: schema?.hide === true ? schema : operation(schema, url.slice(API_ROOT.length), route),
      url,
    }),
  };
}

/** Adds what follows from the route's configuration: the refusals, the identifier, and bodies that are not JSON. */
function operation(schema: FastifySchema, path: string, { method, config }: RouteOptions): FastifySchema {
  const { upload, stream, open, errors = [] } = config ?? {};
  const hasBody = schema.body !== undefined || upload !== undefined;
  const refusals = [
    ...(hasBody || schema.querystring !== undefined ? [400] : []),
    401,
    403,
    421,
    ...(hasBody ? [415] : []),
    ...errors,
  ];
  return {
    ...schema,
    operationId: operationId(String(method), path),
    ...(open === true ? { security: [] } : {}),
    ...(upload === undefined
      ? {}
      : { body: { content: { [upload]: { schema: { type: "string", format: "binary", maxLength: PACKAGE_MAX } } } } }),
    response: {
      ...(stream === undefined
        ? answers(schema)
        : { 200: { description: schema.summary, content: { [stream]: { schema: { type: "string" } } } } }),
      ...Object.fromEntries(
        refusals.map((status) => [
          status,
          { description: ERRORS[status], content: { "application/json": { schema: Problem } } },
        ]),
      ),
    },
  };
}

function answers({ response, summary }: FastifySchema): Record<string, object> {
  return Object.fromEntries(
    Object.entries((response ?? {}) as Record<string, object>).map(([status, schema]) => [
      status,
      status === "204"
        ? { description: "done", type: "null" }
        : { description: summary, content: { "application/json": { schema } } },
    ]),
  );
}

/** "GET", "/boards/:name/flash": getBoardsFlash. */
function operationId(method: string, path: string): string {
  const words = path.split("/").filter((part) => part !== "" && !part.startsWith(":"));
  const single = /:\w+$/.test(path) ? ["one"] : [];
  return [method.toLowerCase(), ...words, ...single]
    .map((word, index) => (index === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
    .join("");
}
