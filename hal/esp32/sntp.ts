/**
 * Sets the clock from the network (RFC 4330), because certificates have dates. It asks until two answers agree, then
 * once a day. An answer counts only if it echoes the random number of its request, so that only a peer that reads the
 * request can set the clock, and only if it lies in the time in which this firmware can be running: servers that have
 * lost their own clock answer 0, or a year of the last century.
 */
import { BACKOFF_CAP, BACKOFF_FIRST } from "../../src/constants";
import { Backoff } from "../../src/util/backoff";
import { isAddress } from "../moddable/host-names";
import type { Lookup } from "../moddable/host-names";
import type { Clock } from "../../src/ports";
import { SOURCE_TIME } from "./source-time";

/** As the SDK has it. `read` gives undefined when nothing waits. */
export interface Datagrams {
  write(bytes: Uint8Array, address: string, port: number): void;
  read(): ArrayBuffer | undefined;
  close(): void;
}

export interface SntpOptions {
  readonly host: string;
  readonly lookup: Lookup;
  /** A socket; `onReadable` is called with the number of waiting datagrams. */
  open(onReadable: (count: number) => void): Datagrams;
  readonly clock: Clock;
  /** No time before this is believed, ms since 1970; default: the sources' own. */
  readonly earliest?: number;
  random(): number;
  /** Seconds since 1970. */
  set(seconds: number): void;
  log(line: string): void;
}

const PORT = 123;
const PACKET = 48;
/** LI 0, version 4, mode 3: client. */
const REQUEST = 0x23;
const MODE_SERVER = 4;
/** From 1900 to 1970, seconds. */
const EPOCH = 2_208_988_800;
/** The 32-bit seconds wrap in February 2036, so a value stands for one second in each era. */
const ERA = 2 ** 32;
/** Firmware does not run longer than this without an update, seconds: 20 years. */
const YEARS = 20 * 365.25 * 86_400;
/** An answer is waited for this long, ms. */
const ANSWER_TIMEOUT = 4_000;
/** A crystal of 100 ppm is off by 9 s after a day, ms. */
const AGAIN = 86_400_000;
/** After an answer that no other has confirmed yet, ms. */
const CONFIRM = 300_000;
/** Answers that differ by less agree, seconds: three times the drift of a day. */
const AGREE = 30;

export class Sntp {
  private readonly options: SntpOptions;
  private readonly backoff: Backoff;
  private socket: Datagrams | undefined;
  private timer: number | undefined;
  private question = new Uint8Array(8);
  /** The last answer, minus the clock's time at which it came, seconds. */
  private offset: number | undefined;

  constructor(options: SntpOptions) {
    this.options = options;
    this.backoff = new Backoff(() => options.random(), BACKOFF_FIRST, BACKOFF_CAP);
  }

  /** Asks now, and for ever; after `stop` anew. */
  start(): void {
    this.stop();
    this.after(0, () => this.ask());
  }

  stop(): void {
    this.close();
    if (this.timer !== undefined) this.options.clock.clear(this.timer);
    this.timer = undefined;
  }

  private ask(): void {
    const { host, lookup } = this.options;
    this.after(ANSWER_TIMEOUT * 2, () => this.retry("no answer"));
    if (isAddress(host)) return this.send(host);
    const timer = this.timer;
    try {
      lookup(host, (address) => {
        // Another attempt, or nobody, waits for it by now.
        if (timer !== this.timer) return;
        if (address === undefined) this.retry(`no address for ${host}`);
        else this.send(address);
      });
    } catch (error) {
      this.retry((error as Error).message);
    }
  }

  private send(address: string): void {
    try {
      const request = new Uint8Array(PACKET);
      request[0] = REQUEST;
      for (let i = 0; i < 8; i++) this.question[i] = Math.floor(this.options.random() * 256);
      request.set(this.question, 40);
      this.socket = this.options.open((count) => this.receive(count));
      this.socket.write(request, address, PORT);
      this.after(ANSWER_TIMEOUT, () => this.retry("no answer"));
    } catch (error) {
      this.retry((error as Error).message);
    }
  }

  /** Never throws: it is called out of the SDK's callback. */
  private receive(count: number): void {
    const { earliest = SOURCE_TIME, log } = this.options;
    try {
      for (; count > 0; count--) {
        const bytes = this.socket?.read();
        const seconds = bytes === undefined ? undefined : secondsOf(new Uint8Array(bytes), this.question);
        if (seconds === undefined) continue;
        const time = timeOf(seconds, Math.floor(earliest / 1000));
        return time === undefined ? this.retry("the server's clock is wrong") : this.answered(time);
      }
    } catch (error) {
      log(`sntp: ${(error as Error).message}`);
    }
  }

  private answered(seconds: number): void {
    const { clock, set } = this.options;
    this.close();
    this.backoff.reset();
    const offset = seconds - clock.now() / 1000;
    const agreed = this.offset !== undefined && Math.abs(offset - this.offset) < AGREE;
    this.offset = offset;
    this.after(agreed ? AGAIN : CONFIRM, () => this.ask());
    set(seconds);
  }

  private retry(reason: string): void {
    this.close();
    const wait = this.backoff.next();
    this.options.log(`sntp: ${reason}; again in ${wait} ms`);
    this.after(wait, () => this.ask());
  }

  private after(milliseconds: number, action: () => void): void {
    const { clock } = this.options;
    if (this.timer !== undefined) clock.clear(this.timer);
    this.timer = clock.set(() => {
      this.timer = undefined;
      action();
    }, milliseconds);
  }

  private close(): void {
    this.socket?.close();
    this.socket = undefined;
  }
}

/** The 32-bit seconds of a server's answer to `question`; undefined for anything else, a server without a clock included. */
const secondsOf = (packet: Uint8Array, question: Uint8Array): number | undefined => {
  if (packet.length < PACKET || (packet[0]! & 7) !== MODE_SERVER || packet[0]! >> 6 === 3) return undefined;
  if (packet[1] === 0 || packet[1]! > 15) return undefined;
  for (let i = 0; i < 8; i++) if (packet[24 + i] !== question[i]) return undefined;
  return packet[40]! * 2 ** 24 + packet[41]! * 2 ** 16 + packet[42]! * 256 + packet[43]!;
};

/** Seconds since 1970, in the era that comes after `earliest`; undefined for what no server with a clock sends. */
const timeOf = (seconds: number, earliest: number): number | undefined => {
  const later = (seconds - EPOCH - earliest + 2 * ERA) % ERA;
  return seconds === 0 || later > YEARS ? undefined : earliest + later;
};
