import { Type } from "typebox";
import { page, Served, Status, strict, Text, Time } from "./common";

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
    sleep: Type.Optional(
      Type.Object(
        {
          since: Time("when it fell asleep"),
          until: Time("when it is expected back"),
          basis: Type.Enum(["announced", "learned"], {
            description: "announced by the device, or guessed from its last absences",
          }),
        },
        strict,
      ),
    ),
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
    ...page,
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
    tasks: Type.Array(
      Type.Object(
        {
          ...TaskView.properties,
          sent: Type.Optional(Type.Integer({ description: "bytes that the file server sent for it" })),
          image: Type.Optional(Type.Integer({ description: "bytes of the image that it installs" })),
        },
        strict,
      ),
      { description: "newest first" },
    ),
    served: Served,
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

export const DeviceSettings = Type.Object(
  {
    settings: Type.Record(Type.String(), Type.String(), {
      description: "as they lie in NVS; hold the device's secret",
    }),
  },
  strict,
);

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
