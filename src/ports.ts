/**
 * The ports: everything the agent asks of a chip, on one screen.
 *
 * Each implementation (ESP32, Moddable's simulator, the simulated board, the in-memory model of the power-cut tests)
 * passes the same contract suite, `tests/contract/`. Types only: this file compiles to nothing.
 *
 * Every call is synchronous unless it says otherwise and throws an `Error` whose message names the operation and the
 * place; nothing is thrown out of a callback. Bytes are `Uint8Array` views, lengths and offsets are bytes.
 */

/**
 * The INACTIVE slot as NOR flash, or a data partition. No port can name the running slot for writing (design invariant
 * 1).
 */
export interface Flash {
  /** Length of the slot or partition, in bytes; a multiple of `sectorSize`. */
  readonly size: number;
  /** Bytes that one erase clears: 4096 on every ESP32. */
  readonly sectorSize: number;
  /**
   * Sectors that `eraseBlock` erases: 16, which are 64 KiB. 1 where the slot does not lie on a boundary of 64 KiB, or
   * the chip has no such command.
   */
  readonly blockSectors: number;
  /**
   * Erases one sector to 0xFF. `sector` counts from the start of the slot. One at a time: a long bulk erase trips the
   * watchdog.
   */
  erase(sector: number): void;
  /**
   * Erases the block that begins at `sector`, a multiple of `blockSectors`, with one command. Data sheets of NOR flash
   * give typically 150 ms, 2 s at worst; 16 sectors take typically 600 ms. Nothing else runs meanwhile.
   */
  eraseBlock(sector: number): void;
  /** Programs bytes; NOR flash clears bits and sets none. */
  write(offset: number, bytes: Uint8Array): void;
  /** Fills `into` from flash. */
  read(offset: number, into: Uint8Array): void;
  /**
   * Compares flash with `bytes` natively: a JavaScript loop over 4 KiB costs 120 times as much (facts: chip, section
   * 5).
   */
  equals(offset: number, bytes: Uint8Array): boolean;
}

/** State of the running slot's boot entry, in ESP-IDF's words (esp_ota_img_states_t); "none" = no entry of its own. */
export type SlotState = "new" | "pending" | "valid" | "invalid" | "aborted" | "undefined" | "none";

/** Why the chip started: esp_reset_reason() reduced to what the agent decides by. */
export type ResetReason = "power-on" | "brown-out" | "software" | "watchdog" | "panic" | "deep-sleep" | "other";

/** The running firmware, as its own image says. */
export interface Running {
  /** Partition label: "ota_0" or "ota_1". */
  readonly slot: string;
  /** Version from the firmware block (else from the app description), 1..31 characters. */
  readonly version: string;
  /**
   * Product, from the firmware block (else the project name of the app description); what an offered image must match.
   */
  readonly project: string;
  /** From the firmware block; absent: 0. */
  readonly securityFloor?: number;
  /** Chip id of the ESP image header (esp_chip_id_t): 0 ESP32, 5 C3, 9 S3, 13 C6. */
  readonly chip: number;
  readonly state: SlotState;
}

/**
 * What the start-up found and counted before the first line of JavaScript ran (hal/esp32/startup.c,
 * hal/model-chip/start-up.ts).
 */
export interface StartUp {
  /** The bootloader rolls unconfirmed firmware back by itself. Undefined: not known yet. */
  readonly bootloaderRollsBack: boolean | undefined;
  /** The guard counts starts, and gives the image up at the bound. False: it cannot (flash encryption). */
  readonly guarded: boolean;
  /** Starts of the running image in this trial, this one included, deep-sleep wakes apart. 0: not on trial. */
  readonly starts: number;
  /** Deep-sleep wakes in this trial. */
  readonly wakes: number;
  /** Awake time of this trial before this start, ms (RTC memory; 0 where that was lost). */
  readonly awake: number;
  /** Time since the trial began by the RTC, sleep included, ms. */
  readonly since: number;
}

/**
 * Decodes blocks of a container that lies in the inactive slot (docs/SPEC.md, "Part"). On a chip it takes 16 KB until it
 * is closed. Whatever a block holds, a call reads nothing outside of the two slots and ends in bounded time.
 */
export interface Expander {
  /**
   * Begins a block; what is left of the one before is dropped. `offset`, `length`: its compressed bytes in the inactive
   * slot. `start`, `size`: the bytes that it makes, in the new file.
   */
  begin(offset: number, length: number, start: number, size: number): void;
  /** Fills `into` with the next bytes of the block. Throws, here or in `begin`, where it does not make them. */
  next(into: Uint8Array): void;
  /** Idempotent. */
  close(): void;
}

/** Boot slots: the bootloader's choice and the trial of new firmware. */
export interface Boot {
  running(): Running;
  startUp(): StartUp;
  /** Label of the slot that `Flash` writes. */
  target(): string;
  /** What ended the run before this one. Where the guard of the start-up gave firmware up: what had ended its run. */
  resetReason(): ResetReason;
  /**
   * Whether code of the target's image ran since it was activated last. Undefined: there is no boot entry of it, or
   * nothing can be known.
   */
  targetStarted(): boolean | undefined;
  /** Fills `into` from the running slot (to compare its digest with an offer's). */
  readRunning(offset: number, into: Uint8Array): void;
  /** `oldLength`: bytes of the running slot that blocks may read; 0: none. */
  expander(oldLength: number): Expander;
  /**
   * Label of the slot whose image was rejected or rolled back last, as far as the bootloader knows. Read it before
   * `invalidateTarget`.
   */
  lastInvalid(): string | undefined;
  /** Wipes the target's boot entry, before the first byte of its slot changes. That there is none is no error. */
  invalidateTarget(): void;
  /**
   * Checks the target's image natively (header, segments, checksum, SHA-256). Returns its length; throws with the
   * reason if it is not bootable.
   */
  verifyTarget(): number;
  /** Makes the target the next to boot, on trial. Verifies it again. */
  activate(): void;
  /** Ends the trial of the running slot: it stays. Harmless when there is none. */
  confirm(): void;
  /**
   * The trial ends `milliseconds` from now even where no JavaScript runs any more; 0: there is no deadline (the trial
   * is over).
   */
  deadline(milliseconds: number): void;
  /**
   * Deep sleep: re-arms a trial that is under way, stores its awake time, and does not return on a chip. The next
   * start's reset reason is "deep-sleep".
   */
  sleep(seconds: number): void;
  /**
   * Gives the running slot up for the other one and restarts. May return (no other image): the caller then restarts.
   */
  rollback(): void;
  /** Restarts the chip. Does not return on a chip; callers do nothing after it. */
  restart(): void;
}

/**
 * Small records that survive a power cut: NVS on a chip. Each call is atomic on its own (old value or new, never a mix)
 * and on its way to flash when it returns. Keys: 1..14 characters (15 in NVS, but each record has
 * two: store/ab-record-store.ts). A record that cannot be read counts as absent.
 */
export interface Store {
  /** An unsigned 32-bit number, or undefined. */
  getNumber(key: string): number | undefined;
  /** Setting the value that is there already writes nothing. One NVS entry (32 bytes). */
  setNumber(key: string, value: number): void;
  getBytes(key: string): Uint8Array | undefined;
  /** At most 3,900 bytes (one NVS page). */
  setBytes(key: string, bytes: Uint8Array): void;
  /** Deleting what is not there is no error. */
  delete(key: string): void;
}

/**
 * Memory that every reset leaves as it is but a loss of power: RTC memory of an ESP32, 1 KiB at most. What the run before
 * has left stays while this one writes.
 */
export interface Retained {
  /** What the run before this one wrote last. Undefined: nothing, or it is not whole. */
  read(): Uint8Array | undefined;
  /** `head` and `tail` behind it, 496 bytes at most, in place of what this run has written. */
  write(head: Uint8Array, tail: Uint8Array): void;
}

/**
 * Why a connection ended, as far as the port can tell. "certificate": the peer's identity was refused; "tls": any other
 * TLS failure.
 */
export type SocketErrorKind = "dns" | "refused" | "reset" | "tls" | "certificate" | "other";
export interface SocketError {
  readonly kind: SocketErrorKind;
  /** One line that names the cause; never holds a secret. */
  readonly message: string;
}

export interface ConnectOptions {
  /** Name or literal address (an IPv6 literal without brackets). */
  readonly host: string;
  readonly port: number;
  /**
   * Set for TLS: which of the port's trust settings apply ("mqtt": roots and client certificate of the broker; "https":
   * roots of the file servers). Always with full verification of chain, dates and host name. Absent = plain TCP.
   */
  readonly tls?: "mqtt" | "https";
}

/**
 * Called by the port, never from inside `connect`, `read`, `write` or `close`. After `closed` or `Socket.close()`:
 * silence.
 */
export interface SocketEvents {
  /** Connected; with TLS, after the handshake. */
  opened(): void;
  /**
   * Bytes wait. Not called again before all were read, which a `read` says that returns fewer than it could: not reading
   * is back pressure.
   */
  readable(): void;
  /** `write` takes bytes again after it took fewer than it was given. */
  writable(): void;
  /** The peer closed (no error) or the connection failed. What had arrived before was announced before. */
  closed(error?: SocketError): void;
}

export interface Socket {
  /**
   * Bytes that may have arrived and wait for `read`, at most: what a power cut loses of an answer, however long that is.
   * Set when `opened` is called. Absent: it is not known (buffers of a kernel).
   */
  readonly window?: number | undefined;
  /** Moves up to `into.length` waiting bytes; returns how many. Fewer: for now that was all. */
  read(into: Uint8Array): number;
  /** Takes up to `bytes.length`; returns how many (fewer: wait for `writable`). The port copies what it takes. */
  write(bytes: Uint8Array): number;
  /** Idempotent; drops what is buffered. */
  close(): void;
}

export interface Network {
  /** Starts to connect. No time-out of its own: the caller closes. */
  connect(options: ConnectOptions, events: SocketEvents): Socket;
}

export type DigestAlgorithm = "MD5" | "SHA1" | "SHA256";
export interface Digest {
  write(bytes: Uint8Array): void;
  /** The digest's bytes; the object is spent. */
  close(): Uint8Array;
}

export interface Crypto {
  digest(algorithm: DigestAlgorithm): Digest;
  /**
   * ECDSA over P-256 of a SHA-256 hash. `point`: 0x04, X, Y; `r` and `s`: 32 bytes each. The caller has checked the
   * point and the ranges (src/signature).
   */
  verifyP256(point: Uint8Array, hash: Uint8Array, r: Uint8Array, s: Uint8Array): boolean;
  /** Uniform in [0, 1): jitter and connection ids, never keys. */
  random(): number;
}

export interface Clock {
  /** Whole milliseconds since some start; never goes back. */
  now(): number;
  /** Calls back once, never from inside `set`. Returns a handle. */
  set(callback: () => void, milliseconds: number): number;
  clear(handle: number): void;
}

/** An agent, as the start-up of a device sees it. */
export interface Launched {
  /** Longest trial of its firmware, s. */
  readonly trialSeconds: number;
  /** Connects. Once; further calls do nothing. */
  start(): void;
  /** Why no connection can be tried: "no address", "clock not set". Undefined: one can. */
  network(missing: string | undefined): void;
}

/**
 * The start-up of a device (hal/moddable/start-up.ts). It starts each agent that is constructed on its ports, as soon as
 * there is an address and the clock is set: an application cannot forget it.
 */
export interface Launcher {
  /** What ended the run before this one: "VERSION: text". Undefined after an orderly restart. */
  readonly lastFault: string | undefined;
  /** Called by the agent's constructor. */
  take(agent: Launched): void;
  /** The application has stopped it: it is not started any more. */
  release(agent: Launched): void;
  /** What the trial waits for: kept for the report of a crash. Undefined: the trial is over. */
  stage(stage: string | undefined): void;
}

/** What a chip gives the agent. */
export interface Ports {
  readonly flash: Flash;
  readonly boot: Boot;
  readonly store: Store;
  readonly network: Network;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Absent: a crash takes what was recorded of its boot. */
  readonly retained?: Retained;
  /**
   * A data partition by its label, for a module that is not the firmware. Throws where there is none, or where the
   * system keeps its own things in it.
   */
  partition?(label: string): Flash;
  /** Absent: the application starts its agent itself. */
  readonly launcher?: Launcher;
  /** One line for the engineer at the console. Never given a secret. */
  log?(line: string): void;
}
