import { Type } from "typebox";
import { strict, Text, Time } from "./common";
import { SampleRequest } from "./packages";

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
