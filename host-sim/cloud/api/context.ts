import type { Boards } from "../boards/boards";
import type { BoundedLog } from "../core/bounded-log";
import type { Cloud } from "../core/cloud";
import type { Containers } from "../deltas/containers";
import type { UpdateBytes } from "../deltas/update-bytes";
import type { Access } from "./access";
import type { EventStream } from "./event-stream";

/** One line of the console's journal. */
export interface JournalEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

/** What the routes of the API work on. */
export interface ApiContext {
  readonly cloud: Cloud;
  readonly boards: Boards;
  readonly access: Access;
  readonly containers: Containers;
  readonly updateBytes: UpdateBytes;
  /** Older packages that each image is compared with as it comes; 0: none. */
  readonly deltas: number;
  readonly events: EventStream;
  readonly journal: BoundedLog<JournalEntry>;
  /** False while an external broker is out of reach. */
  readonly brokerConnected: () => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Version of this program. */
  readonly version: string;
  /** Path of the root certificate, as each device.json names it; undefined without TLS. */
  readonly rootFile: string | undefined;
  /** What somebody should see to, one line each. */
  readonly warnings: () => string[];
  /** Scheme, host and port of the console. */
  readonly consoleUrl: () => string;
}
