import type { IncomingMessage, ServerResponse } from "node:http";
import type { Bus, Session } from "../broker/bus";
import type { Device, DeviceRegistry } from "../devices/devices";
import type { FileServer } from "../files/file-server";
import type { Admission, ConnectAttempt, PublishVerdict } from "../broker/gate";
import type { Package, PackageStore } from "../files/packages";
import type { Task, TaskLedger } from "../devices/tasks";

/** A platform that a cloud can play: what its folder exports, and what the list in sides.ts holds. */
export interface CloudPlatform<Options> {
  /** First part of its devices' ids. */
  readonly name: string;
  /** Kinds of devices, as a new one can be asked for: one for each generation of the protocol. */
  readonly kinds: readonly string[];
  /** What `PlatformSide.add` takes, for a new device of that kind; the secret is random. */
  newIdentity(kind: string, name: string): Record<string, unknown>;
  side(options?: Options): PlatformSide;
}

/** The cloud's side of one platform's protocol. The cloud asks its sides one after the other. */
export interface PlatformSide {
  /** First part of its devices' ids. */
  readonly name: string;
  /** Called once, before anything else. */
  attach(host: SideHost): void;
  /**
   * Takes a device by what identifies it there, as plain JSON. Returns its id in the cloud. Throws one line on anything
   * malformed or taken.
   */
  add(identity: unknown): string;
  /** What `add` takes, to bring the device back later. Holds its secret. Undefined for a device that is not its own. */
  identity(device: string): Record<string, unknown> | undefined;
  /** Forgets a device; a connection it has is not its any more. That there is none is no error. */
  remove(device: string): void;
  /** Undefined: this side does not know the device, and the next one is asked. Must not throw. */
  connect(attempt: ConnectAttempt): Admission | undefined;
  /** Asked only for sessions that it admitted. */
  publish(session: Session, topic: string): PublishVerdict;
  subscribe(session: Session, filter: string): boolean;
  /** Makes a task, in place of one under way, and carries it out as the platform does. Throws on an unknown device. */
  push(device: string, file: Package, options?: PushOptions): Task;
  /**
   * Ends a task that is not final; the device gets no message, for no platform has one. "timeout": it took too long,
   * which is a failure.
   */
  cancel(task: Task, why?: "timeout"): void;
  /** What its device.json needs beyond the addresses; undefined for a device that is not its own. Holds the secret. */
  deviceConfig(device: string): Record<string, unknown> | undefined;
  /** Downloads at paths of its own. True: the request was taken. */
  request?(request: IncomingMessage, response: ServerResponse): boolean;
}

export interface PushOptions {
  /** The rollout that the task is part of. */
  readonly rollout?: string;
  /** Fields that replace or extend those of the offer: to rehearse what a wrong one does. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A device did what the protocol does not allow. */
export interface Violation {
  readonly at: number;
  readonly device: string;
  readonly task?: string;
  /** One line of text. */
  readonly rule: string;
  readonly topic?: string;
  readonly payload?: string;
}

/** What the cloud offers to its sides. */
export interface SideHost {
  readonly bus: Bus;
  readonly packages: PackageStore;
  readonly files: FileServer;
  readonly devices: DeviceRegistry;
  readonly tasks: TaskLedger;
  /** Seconds that a signed URL is valid. */
  readonly urlLifetime: number;
  /** Scheme, host and port under which a device reaches the file server. */
  origin(device: string): string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs later, unless the cloud is stopped before. Returns the way to call it off. */
  after(milliseconds: number, run: () => void): () => void;
  violation(violation: Violation): void;
}

export type { Device };
