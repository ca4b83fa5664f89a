import type { Boards } from "../boards/boards";
import type { Cloud } from "../core/cloud";
import type { Access } from "./access";
import type { EventStream } from "./event-stream";

/** Everything that the API is about. */
export interface Desk {
  readonly cloud: Cloud;
  readonly boards: Boards;
  readonly access: Access;
  readonly events: EventStream;
  /** Of this program. */
  readonly version: string;
  /** As device.json is to name it. */
  readonly rootFile: string | undefined;
  /** Where the console is, without a path. */
  readonly consoleUrl: () => string;
}
