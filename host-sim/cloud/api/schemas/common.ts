/**
 * What several resources share. Requests are checked against these schemas; OpenAPI document and types are made from
 * them.
 */
import { Type } from "typebox";

/** For objects that take no other property. */
export const strict = { additionalProperties: false };

export const Time = (description: string) =>
  Type.Integer({ minimum: 0, description: `${description}; milliseconds since 1970` });

/** At least one character. */
export const Text = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, ...(description === undefined ? {} : { description }) });

export const Problem = Type.Object(
  { error: Type.String({ description: "one line" }) },
  { ...strict, description: "why a call was refused" },
);

export const IdParams = Type.Object({ id: Type.String({ minLength: 1 }) });
export const NameParams = Type.Object({ name: Type.String({ minLength: 1 }) });

/** Of a call that answers nothing. */
export const Done = Type.Undefined();

/** Downloads, and what they sent. */
export const Served = Type.Object({ requests: Type.Integer(), bytes: Type.Integer(), aborted: Type.Integer() }, strict);

/** One page of a list. */
export const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
};

export const Status = Type.Enum(["pending", "pushed", "upgrading", "success", "failure", "cancelled"]);
