import { Type } from "typebox";
import { Served, strict, Time } from "./common";

export const OpenSession = Type.Object({ token: Type.String({ minLength: 1, maxLength: 128 }) }, strict);
export const Link = Type.Object({ url: Type.String({ description: "opens one session" }) }, strict);

export const Overview = Type.Object(
  {
    version: Type.String(),
    addresses: Type.Object(
      {
        mqtt: Type.Optional(Type.String()),
        mqtts: Type.Optional(Type.String()),
        http: Type.Optional(Type.String()),
        https: Type.Optional(Type.String()),
      },
      strict,
    ),
    broker: Type.Enum(["embedded", "external"]),
    brokerConnected: Type.Boolean(),
    platforms: Type.Array(Type.String()),
    warnings: Type.Array(Type.String(), { description: "what somebody should see to, one line each" }),
    kept: Type.Boolean({ description: "the state outlives the process" }),
    devices: Type.Object({ total: Type.Integer(), online: Type.Integer() }, strict),
    packages: Type.Integer(),
    rollouts: Type.Object({ total: Type.Integer(), active: Type.Integer() }, strict),
    boards: Type.Integer(),
    served: Served,
  },
  strict,
);

export const Journal = Type.Object(
  {
    items: Type.Array(Type.Object({ at: Time("when"), who: Type.String(), what: Type.String() }, strict), {
      description: "newest first: refused connections, breaches of protocol",
    }),
  },
  strict,
);

export const EventsQuery = Type.Object(
  { board: Type.Optional(Type.String({ maxLength: 32, description: "whose flash map is wanted as well" })) },
  strict,
);
