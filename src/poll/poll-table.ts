import { frozen } from "../util/frozen";

/**
 * What each event does in each state. One call is under way at a time; each ends in `resting`, answered or not, and is
 * then made again, or counts as done. "due": the time of a call, or of what is awaited, has come.
 */
export const TABLE = frozen({
  stopped: { start: "rest" },
  resting: { due: "begin" },
  connecting: { opened: "ask", closed: "unreachable", due: "noConnection" },
  asking: { received: "read", closed: "broken", due: "silent" },
});
export type State = keyof typeof TABLE;
export type EventName = "start" | "due" | "opened" | "closed" | "received";
export type Action = "rest" | "begin" | "ask" | "unreachable" | "noConnection" | "read" | "broken" | "silent";
