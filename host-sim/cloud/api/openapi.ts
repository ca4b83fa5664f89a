import type { TSchema } from "typebox";
import { PACKAGE_MAX } from "../core/package-intake";
import type { Route } from "./route";
import { API_ROOT } from "./router";
import { Problem } from "./schemas";

const ERRORS: Readonly<Record<number, string>> = {
  400: "something in the call is not as its schema says",
  401: "no session and no API token",
  403: "asked from another machine or by another site",
  404: "there is no such thing",
  413: "the body is too long",
  415: "the body is of another type",
  421: "asked under a name that is not this cloud's",
  422: "it can not be done, for the reason given",
};

/** The description of the API, made of the routes themselves. */
export function openApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "xs-ota local cloud",
      version,
      description:
        "What the console does, for scripts. Send the API token as a bearer token, or hold the console's session.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: API_ROOT }],
    security: [{ token: [] }, { session: [] }],
    paths,
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
  };
}

function operation(route: Route): object {
  const parameters = [
    ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    })),
    ...Object.entries(route.query?.properties ?? {}).map(([name, schema]) => ({
      name,
      in: "query",
      required: false,
      schema,
    })),
  ];
  const refusals = [
    ...(route.body !== undefined || route.query !== undefined ? [400] : []),
    401,
    403,
    421,
    ...(route.body === undefined ? [] : [415]),
    ...(route.errors ?? []),
  ];
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.open === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: bodyContent(route.body) } }),
    responses: {
      [route.status]: answer(route),
      ...Object.fromEntries(
        refusals.map((status) => [
          status,
          { description: ERRORS[status], content: { "application/json": { schema: Problem } } },
        ]),
      ),
    },
  };
}

function bodyContent(body: TSchema | "bytes"): object {
  return body === "bytes"
    ? { "application/octet-stream": { schema: { type: "string", format: "binary", maxLength: PACKAGE_MAX } } }
    : { "application/json": { schema: body } };
}

function answer({ result, stream, summary }: Route): object {
  if (stream !== undefined) return { description: summary, content: { [stream]: { schema: { type: "string" } } } };
  return result === undefined
    ? { description: "done" }
    : { description: summary, content: { "application/json": { schema: result } } };
}

/** "GET /boards/{name}/flash": getBoardsFlash. */
function operationId({ method, path }: Route): string {
  const words = path.split("/").filter((part) => part !== "" && !part.startsWith("{"));
  const single = path.endsWith("}") ? ["one"] : [];
  return [method.toLowerCase(), ...words, ...single]
    .map((word, index) => (index === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
    .join("");
}
