/** What goes over the API, as JSON Schema: requests are checked against it, OpenAPI is made of it, types come from it. */
import { Type, type Static } from "typebox";

const strict = { additionalProperties: false };
const Time = (description: string) =>
  Type.Integer({ minimum: 0, description: `${description}; milliseconds since 1970` });
const Text = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, ...(description === undefined ? {} : { description }) });

export const Problem = Type.Object(
  { error: Type.String({ description: "one line" }) },
  { ...strict, description: "why a call was refused" },
);

/* ---- packages ---- */

export const PackageView = Type.Object(
  {
    id: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    name: Type.String(),
    version: Type.String({ description: "what devices are told" }),
    imageVersion: Type.Optional(Type.String({ description: "what the image says of itself" })),
    project: Type.Optional(
      Type.String({ description: "product from the firmware block, else the project name of the app description" }),
    ),
    chip: Type.Optional(Type.Integer({ description: "esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6" })),
    problem: Type.Optional(Type.String({ description: "why a bootloader would not start it" })),
    signature: Type.Enum(["none", "signed", "broken"], {
      description: "as far as the file tells; whether its key is trusted, each device decides",
    }),
    signer: Type.Optional(Type.String({ description: "first bytes of the key's SHA-256, in hex" })),
    size: Type.Integer(),
    md5: Type.String(),
    sha256: Type.String(),
    addedAt: Time("when it was added"),
    served: Type.Object({ requests: Type.Integer(), bytes: Type.Integer(), aborted: Type.Integer() }, strict),
  },
  strict,
);

export const UploadQuery = Type.Object(
  {
    name: Type.Optional(Text(128, "of the file; for people")),
    version: Type.Optional(Text(36, "default: what the image says of itself")),
  },
  strict,
);

export const SampleRequest = Type.Object(
  {
    version: Type.String({ pattern: "^[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}$" }),
    size: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 16 * 1024 * 1024, description: "exact length of the file in bytes" }),
    ),
    fault: Type.Optional(Type.Enum(["throw", "hang", "offline"])),
  },
  { ...strict, description: "an image that simulated boards boot" },
);

/* ---- devices ---- */

export const Status = Type.Enum(["pending", "pushed", "upgrading", "success", "failure", "cancelled"]);

export const TaskView = Type.Object(
  {
    id: Type.String(),
    device: Type.String(),
    package: Type.String(),
    rollout: Type.Optional(Type.String()),
    version: Type.String(),
    status: Status,
    percent: Type.Optional(Type.Number()),
    code: Type.Optional(Type.Integer()),
    message: Type.Optional(Type.String()),
    createdAt: Time("when it was made"),
    pushedAt: Type.Optional(Time("when the offer went out last")),
    finishedAt: Type.Optional(Time("when it became final")),
    pushes: Type.Integer({ description: "times the offer was sent" }),
  },
  strict,
);

export const DeviceView = Type.Object(
  {
    id: Type.String(),
    platform: Type.String(),
    name: Type.String(),
    online: Type.Boolean(),
    version: Type.Optional(Type.String({ description: "what it reported last" })),
    lastSeen: Type.Optional(Time("when it was last heard of")),
    board: Type.Optional(Type.String({ description: "name of the simulated board that it is" })),
    slot: Type.Optional(Type.String({ description: "what a simulated board booted" })),
    task: Type.Optional(TaskView),
  },
  strict,
);

export const DeviceQuery = Type.Object(
  {
    search: Type.Optional(Type.String({ maxLength: 100, description: "part of a name" })),
    version: Type.Optional(Type.String({ maxLength: 64 })),
    online: Type.Optional(Type.Boolean()),
    status: Type.Optional(Status),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
    offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
  },
  strict,
);

export const DeviceList = Type.Object(
  {
    total: Type.Integer({ description: "devices that the query fits" }),
    versions: Type.Array(Type.Object({ version: Type.String(), count: Type.Integer() }, strict), {
      description: "of all devices; empty = never reported",
    }),
    items: Type.Array(DeviceView),
  },
  strict,
);

export const DeviceDetail = Type.Object(
  {
    device: DeviceView,
    tasks: Type.Array(TaskView, { description: "newest first" }),
    served: Type.Object({ requests: Type.Integer(), bytes: Type.Integer(), aborted: Type.Integer() }, strict),
  },
  strict,
);

export const AddDevices = Type.Object(
  {
    devices: Type.Array(
      Type.Object(
        {
          platform: Text(32),
          identity: Type.Record(Type.String(), Type.Unknown(), {
            description: "what identifies a device on that platform",
          }),
        },
        strict,
      ),
      { minItems: 1, maxItems: 1000 },
    ),
  },
  strict,
);

export const AddedDevices = Type.Object({ ids: Type.Array(Type.String()) }, strict);

export const DeviceConfig = Type.Record(Type.String(), Type.Unknown(), {
  description: "device.json; holds the device's secret",
});

export const MessageView = Type.Object(
  {
    at: Time("when it passed"),
    direction: Type.Enum(["up", "down"]),
    topic: Type.String(),
    payload: Type.String({ description: "as text; signatures in URLs left out" }),
    qos: Type.Integer(),
    dup: Type.Boolean(),
  },
  strict,
);

export const MessageList = Type.Object({ items: Type.Array(MessageView, { description: "oldest first" }) }, strict);

/* ---- rollouts ---- */

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
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
    offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
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
  },
  strict,
);

export const MemberList = Type.Object({ total: Type.Integer(), items: Type.Array(MemberView) }, strict);
export const Retried = Type.Object({ devices: Type.Integer() }, strict);

/* ---- simulated boards ---- */

export const BoardView = Type.Object(
  {
    name: Type.String(),
    device: Type.String(),
    power: Type.Boolean(),
    weak: Type.Boolean(),
    engine: Type.Enum(["xs", "node"]),
    problem: Type.Optional(Type.String()),
    slot: Type.Optional(Type.String()),
    version: Type.Optional(Type.String()),
    trial: Type.Optional(Type.Boolean()),
  },
  strict,
);

export const BoardList = Type.Object(
  { most: Type.Integer({ description: "that there may be" }), items: Type.Array(BoardView) },
  strict,
);
export const AddBoard = Type.Object(
  {
    name: Type.Optional(Text(32)),
    version: Type.Optional(SampleRequest.properties.version),
    platform: Type.Optional(Text(32)),
  },
  strict,
);
export const SetPower = Type.Object({ on: Type.Boolean() }, strict);
export const SetLink = Type.Object({ weak: Type.Boolean() }, strict);
export const PushFirmware = Type.Object(
  { fault: Type.Optional(SampleRequest.properties.fault) },
  { ...strict, description: "the next version, made on the spot; good unless a fault is named" },
);
export const BoardEvents = Type.Object(
  {
    items: Type.Array(Type.Object({ at: Time("when"), event: Type.Record(Type.String(), Type.Unknown()) }, strict), {
      description: "oldest first",
    }),
  },
  strict,
);

export const FlashView = Type.Object(
  {
    sectorSize: Type.Integer(),
    slots: Type.Array(
      Type.Object(
        {
          label: Type.String(),
          size: Type.Integer(),
          running: Type.Boolean(),
          bootable: Type.Boolean(),
          version: Type.Optional(Type.String()),
          state: Type.String(),
          sectors: Type.String({
            pattern: "^[ivweo]*$",
            description: "one letter a sector: image, verified, written, erased, old",
          }),
          erases: Type.Integer(),
        },
        strict,
      ),
    ),
    job: Type.Optional(
      Type.Object(
        {
          version: Type.String(),
          phase: Type.String(),
          size: Type.Integer(),
          stored: Type.Integer(),
          outcome: Type.Optional(Type.String()),
        },
        strict,
      ),
    ),
  },
  strict,
);

/* ---- the cloud itself ---- */

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
    kept: Type.Boolean({ description: "the state outlives the process" }),
    devices: Type.Object({ total: Type.Integer(), online: Type.Integer() }, strict),
    packages: Type.Integer(),
    rollouts: Type.Object({ total: Type.Integer(), active: Type.Integer() }, strict),
    boards: Type.Integer(),
    served: Type.Object({ requests: Type.Integer(), bytes: Type.Integer(), aborted: Type.Integer() }, strict),
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

export type Views = {
  package: Static<typeof PackageView>;
  device: Static<typeof DeviceView>;
  deviceList: Static<typeof DeviceList>;
  deviceDetail: Static<typeof DeviceDetail>;
  task: Static<typeof TaskView>;
  message: Static<typeof MessageView>;
  rollout: Static<typeof RolloutView>;
  rolloutDetail: Static<typeof RolloutDetail>;
  createRollout: Static<typeof CreateRollout>;
  createdRollout: Static<typeof CreatedRollout>;
  member: Static<typeof MemberView>;
  memberList: Static<typeof MemberList>;
  counts: Static<typeof CountsView>;
  board: Static<typeof BoardView>;
  boardList: Static<typeof BoardList>;
  flash: Static<typeof FlashView>;
  overview: Static<typeof Overview>;
  journal: Static<typeof Journal>;
};
