/** Checks requests against the TypeBox schemas of their routes. */
import type { FastifySchemaCompiler } from "fastify";
import type { TObject, TSchema } from "typebox";
import { Compile } from "typebox/schema";
import { Settings } from "typebox/system";
import { ApiError } from "./errors";

/** All errors are needed to find the form that was meant, where a value fits none of several. */
Settings.Set({ maxErrors: 64 });

interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly message: string;
}

/**
 * Query values are converted first. The error is an `ApiError` 400 of one line that names the field; 404 for a path
 * parameter.
 */
export const compileSchema: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  return (value: unknown) => {
    try {
      const converted = httpPart === "querystring" ? convertQuery(schema as TObject, value as QueryTexts) : value;
      if (validator.Check(converted)) return { value: converted };
      if (httpPart === "params") return { error: new ApiError(404, "no such path") };
      return { error: refusal(validator.Errors(converted)[1], httpPart === "querystring" ? "query" : "body") };
    } catch (error) {
      return { error: error as Error };
    }
  };
};

function refusal(errors: readonly SchemaError[], where: string): ApiError {
  const first = mostSpecific(errors);
  const place = first?.instancePath ? first.instancePath.slice(1).replace(/\//g, ".") : where;
  return new ApiError(400, `${place}: ${first?.message ?? "is not as it should be"}`);
}

/** The deepest error; of the forms that a value may have, one of the form that its constant fields name. */
function mostSpecific(errors: readonly SchemaError[]): SchemaError | undefined {
  const form = ({ schemaPath }: SchemaError): string | undefined => /^.*\/anyOf\/\d+/.exec(schemaPath)?.[0];
  const others = new Set(errors.filter(({ keyword }) => keyword === "const" || keyword === "required").map(form));
  const meant = errors.filter((error) => form(error) !== undefined && !others.has(form(error)));
  const candidates = (meant.length > 0 ? meant : errors).filter(({ keyword }) => keyword !== "boolean");
  return candidates.sort((a, b) => b.instancePath.length - a.instancePath.length)[0];
}

type QueryTexts = readonly (readonly [name: string, text: string])[];

/** For Fastify: the pairs of a query string as they come, so that a name that is there twice can be refused. */
export function parseQuery(search: string): QueryTexts {
  return [...new URLSearchParams(search)];
}

/** Converts texts to the types that the schema wants. Throws an `ApiError` for a name that is there twice. */
function convertQuery({ properties }: TObject, pairs: QueryTexts): Record<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, text] of pairs) {
    if (values.has(name)) throw new ApiError(400, `query: ${name} is there twice`);
    values.set(name, converted((properties[name] as { type?: string } | undefined)?.type, text));
  }
  return Object.fromEntries(values);
}

function converted(type: string | undefined, text: string): unknown {
  if (type === "integer" && /^\d{1,15}$/.test(text)) return Number(text);
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  return text;
}
