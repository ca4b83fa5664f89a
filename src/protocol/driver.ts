/** Drives a protocol machine over one connection at a time. The MQTT session and the downloader share this code. */
import type { Clock, ConnectOptions, Network, SocketError } from "../ports";
import { Connection } from "./connection";
import type { ConnectionOwner } from "./connection";
import type { IoEffect, ProtocolMachine } from "./machine";

/**
 * Bytes read in one turn of the event loop: two sectors, which cost about 90 ms of flash time. The other connection,
 * timers and the watchdog get their turn then.
 */
const BYTES_PER_TURN = 8_192;

/** Has a deadline: when `tick` is wanted, ms of the clock. */
export interface Timed {
  deadline(): number | undefined;
}

export interface DriverOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Runs a callback of the port: catches what it throws and sets the timer anew. `link`: the driver it came to. */
  enter(callback: () => void, link: Timed): void;
}

/** Base of the agent's two links. Each link adds its server, its inputs, and what happens with its machine's events. */
export abstract class ProtocolDriver<
  Output extends { readonly type: string },
  Machine extends ProtocolMachine<Output>,
> implements ConnectionOwner {
  private readonly driverOptions: DriverOptions;
  /**
   * The running machine, for inputs that only its kind has; `run` takes what they return. Only `begin` and `stop` set
   * it.
   */
  protected machine: Machine | undefined;
  private connection: Connection | undefined;

  constructor(options: DriverOptions) {
    this.driverOptions = options;
  }

  /** The server of a connect. */
  protected abstract serverOf(connect: Extract<Output, { type: "connect" }>): ConnectOptions;

  /** Takes an output that is not I/O. It may call the driver, `stop` included. */
  protected abstract handle(event: Exclude<Output, IoEffect>): void;

  protected now(): number {
    return this.driverOptions.clock.now();
  }

  protected begin(machine: Machine): void {
    this.stop();
    this.machine = machine;
    this.run(machine.start(this.now()));
  }

  /** Stops and forgets the machine. Its remaining outputs are void. */
  stop(): void {
    if (this.machine !== undefined) this.run(this.machine.stop(this.now()));
    this.machine = undefined;
    this.close();
  }

  tick(): void {
    if (this.machine !== undefined) this.run(this.machine.tick(this.now()));
  }

  deadline(): number | undefined {
    return this.machine?.deadline();
  }

  /**
   * Carries outputs out. They leave the array one by one, so that a request that was sent takes no memory while a
   * sector is stored.
   */
  protected run(outputs: Output[]): void {
    const machine = this.machine;
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      // The owner may have stopped this machine, or started another, in answer to an event.
      if (machine !== this.machine) return;
      this.execute(output);
    }
  }

  /* ---- called by the connection ---- */

  enter(callback: () => void): void {
    this.driverOptions.enter(callback, this);
  }

  opened(): void {
    if (this.machine !== undefined) this.run(this.machine.opened(this.now(), this.connection?.window));
  }

  readable(): void {
    const connection = this.connection;
    let turn = 0;
    for (let count = this.read(connection); count > 0; count = this.read(connection)) {
      turn += count;
      if (turn < BYTES_PER_TURN) continue;
      this.driverOptions.clock.set(() => this.enter(() => connection === this.connection && this.readable()), 0);
      return;
    }
  }

  /** Bytes that earlier turns left unread still count. */
  ended(error: SocketError | undefined): void {
    const connection = this.connection;
    while (this.read(connection) > 0);
    if (connection === this.connection) this.lost(error);
  }

  /** Reads once. 0: nothing more waits, or the connection is not the present one any more. */
  private read(connection: Connection | undefined): number {
    const machine = this.machine;
    if (connection === undefined || connection !== this.connection || machine === undefined) return 0;
    const target = machine.readTarget();
    const count = target.length === 0 ? 0 : connection.read(target);
    if (count > 0) this.run(machine.received(count, this.now()));
    return count < target.length ? 0 : count;
  }

  /* ---- I/O ---- */

  private execute(output: Output): void {
    switch (output.type) {
      case "connect":
        return this.connect(this.serverOf(output as Extract<Output, { type: "connect" }>));
      case "send":
        if (this.connection?.send((output as unknown as Extract<IoEffect, { type: "send" }>).bytes) === false)
          this.lost({ kind: "other", message: "the peer takes no bytes" });
        return;
      case "close":
        return this.close();
      default:
        return this.handle(output as Exclude<Output, IoEffect>);
    }
  }

  private connect(server: ConnectOptions): void {
    this.close();
    this.connection = new Connection(this, this.driverOptions.network, this.driverOptions.clock, server);
  }

  private lost(error: SocketError | undefined): void {
    this.close();
    if (this.machine !== undefined) this.run(this.machine.closed(error, this.now()));
  }

  private close(): void {
    this.connection?.close();
    this.connection = undefined;
  }
}
