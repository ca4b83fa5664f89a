/** Recordings of failed updates. */
import { Type } from "typebox";
import { strict, Time } from "./common";

const Since = Type.Integer({ description: "milliseconds since the boot" });

const BootView = Type.Object(
  {
    title: Type.String(),
    end: Since,
    phases: Type.Array(Type.Object({ state: Type.String(), from: Since, to: Since }, strict), {
      description: "states of the update; empty where the replay does not prove them",
    }),
    breaks: Type.Array(Type.Object({ at: Since, text: Type.String(), wait: Type.Integer() }, strict), {
      description: "what kept the device from going on, and the milliseconds until its next attempt",
    }),
    stored: Type.Array(Type.Object({ at: Since, bytes: Type.Integer() }, strict), {
      description: "bytes of whole sectors that were stored since the boot",
    }),
  },
  strict,
);

export const RecordingView = Type.Object(
  {
    reference: Type.String({ description: "as in the notice of the failure" }),
    at: Time("when it came"),
    size: Type.Integer({ description: "bytes" }),
    agent: Type.String({ description: "version of the agent that made it" }),
    cause: Type.String({ description: "one sentence" }),
    meaning: Type.String({ description: "what is wrong and what to do, in one sentence" }),
    doubt: Type.Optional(Type.String({ description: "why phases are not told" })),
    boots: Type.Array(BootView, { description: "oldest first" }),
  },
  strict,
);

export const RecordingList = Type.Object({ items: Type.Array(RecordingView, { description: "newest first" }) }, strict);

export const RecordingParams = Type.Object({
  id: Type.String({ minLength: 1 }),
  reference: Type.String({ minLength: 1 }),
});
