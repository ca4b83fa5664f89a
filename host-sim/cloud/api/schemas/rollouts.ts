import { Type } from "typebox";
import { page, Status, strict, Text, Time } from "./common";

export const SelectionView = Type.Union([
  Type.Object({ kind: Type.Literal("all") }, strict),
  Type.Object({ kind: Type.Literal("version"), version: Text(64) }, strict),
  Type.Object(
    { kind: Type.Literal("devices"), devices: Type.Array(Text(128), { minItems: 1, maxItems: 20_000 }) },
    strict,
  ),
  Type.Object({ kind: Type.Literal("names"), names: Type.Array(Text(128), { minItems: 1, maxItems: 20_000 }) }, strict),
]);

export const CreateRollout = Type.Object(
  {
    name: Type.Optional(Text(80)),
    package: Text(16),
    selection: SelectionView,
    waves: Type.Optional(
      Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 100 }), {
        minItems: 1,
        maxItems: 20,
        description: "rising percentages up to 100",
      }),
    ),
    failureLimit: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description: "percent; halts when more of the devices asked so far have failed",
      }),
    ),
    pause: Type.Optional(Type.Integer({ minimum: 0, maximum: 604_800, description: "seconds between waves" })),
    timeout: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 604_800, description: "seconds until a device without a result has failed" }),
    ),
    startAt: Type.Optional(Time("default: now")),
  },
  strict,
);

export const CountsView = Type.Object(
  {
    pending: Type.Integer(),
    pushed: Type.Integer(),
    upgrading: Type.Integer(),
    success: Type.Integer(),
    failure: Type.Integer(),
    cancelled: Type.Integer(),
  },
  strict,
);

export const RolloutView = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    package: Type.String(),
    version: Type.String(),
    target: Type.String({ description: "whom it is for, in words" }),
    waves: Type.Array(
      Type.Object(
        {
          upTo: Type.Number(),
          size: Type.Integer(),
          releasedAt: Type.Optional(Time("when it went out")),
          counts: CountsView,
        },
        strict,
      ),
    ),
    failureLimit: Type.Optional(Type.Number()),
    pause: Type.Integer(),
    timeout: Type.Optional(Type.Integer()),
    state: Type.Enum(["scheduled", "running", "halted", "finished", "cancelled"]),
    reason: Type.Optional(Type.String()),
    createdAt: Time("when it was made"),
    startAt: Time("when it is to start"),
    startedAt: Type.Optional(Time("when it did")),
    finishedAt: Type.Optional(Time("when it ended")),
    devices: Type.Integer(),
    counts: CountsView,
  },
  strict,
);

export const RolloutList = Type.Object({ items: Type.Array(RolloutView, { description: "newest first" }) }, strict);

export const CreatedRollout = Type.Object(
  {
    rollout: RolloutView,
    current: Type.Integer({ description: "left out: they run it already" }),
    unknown: Type.Array(Type.String()),
  },
  strict,
);

export const RolloutDetail = Type.Object(
  {
    rollout: RolloutView,
    durations: Type.Optional(
      Type.Object(
        { p50: Type.Number(), p90: Type.Number(), p99: Type.Number(), longest: Type.Number() },
        { ...strict, description: "milliseconds from push to success" },
      ),
    ),
    failures: Type.Array(Type.Object({ reason: Type.String(), count: Type.Integer() }, strict)),
    timeline: Type.Array(
      Type.Object(
        { at: Time("when"), asked: Type.Integer(), success: Type.Integer(), failure: Type.Integer() },
        strict,
      ),
    ),
  },
  strict,
);

export const MemberQuery = Type.Object(
  {
    status: Type.Optional(Status),
    ...page,
  },
  strict,
);

export const MemberView = Type.Object(
  {
    device: Type.String(),
    name: Type.String(),
    wave: Type.Integer(),
    status: Status,
    attempts: Type.Integer(),
    percent: Type.Optional(Type.Number()),
    code: Type.Optional(Type.Integer()),
    message: Type.Optional(Type.String()),
    pushedAt: Type.Optional(Time("when it was asked last")),
    finishedAt: Type.Optional(Time("when it had a result")),
    took: Type.Optional(Type.Number({ description: "milliseconds from the push to the result" })),
  },
  strict,
);

export const MemberList = Type.Object({ total: Type.Integer(), items: Type.Array(MemberView) }, strict);
export const Retried = Type.Object({ devices: Type.Integer() }, strict);
