/**
 * What runs in XS: the update job of the agent on a board in memory, to which a cloud offers containers one after the
 * other. Digests and decoder are the host's, as on the simulated board. A message is a container behind its MD5; the
 * first one is the image that the board runs.
 */
import type { CreateExpander } from "../../../hal/model-chip/board-ports";
import { MemoryBoard } from "../../../hal/model-chip/memory-board";
import { PartitionTable } from "../../../hal/model-chip/partitions";
import { JobRunner } from "../../../src/agent/job-runner";
import type { JobHost } from "../../../src/agent/job-runner";
import { SECTOR } from "../../../src/constants";
import type { JobEvent, Token } from "../../../src/job/effects";
import { DEFAULT_POLICY } from "../../../src/job/policy";
import type { Outcome } from "../../../src/job/types";
import type { Digest, DigestAlgorithm } from "../../../src/ports";
import { toHex } from "../../../src/util/hex";
import { encodeUtf8 } from "../../../src/util/utf8";
import { ALGORITHMS, Ask, FLASH, MD5, TABLE, VERSION } from "./protocol";

declare function issueCommand(request: ArrayBuffer): ArrayBuffer;

const RULES = { versionReport: true, versionWhileBusy: true, renewable: true, resumeDelay: 30_000 };
/** After so many offers there is a new device: its budget of new images would refuse what follows. */
const OFFERS = 25;
/** Deadlines that may pass until a device waits for the next offer. */
const DEADLINES = 20;

function ask(kind: number, numbers: readonly number[], bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(1 + 4 * numbers.length + bytes.length);
  const view = new DataView(message.buffer);
  message[0] = kind;
  numbers.forEach((number, index) => view.setUint32(1 + 4 * index, number, true));
  message.set(bytes, 1 + 4 * numbers.length);
  return new Uint8Array(issueCommand(message.buffer));
}

function digest(algorithm: DigestAlgorithm): Digest {
  const written: Uint8Array[] = [];
  return {
    write: (bytes) => void written.push(bytes.slice()),
    close() {
      const all = new Uint8Array(written.reduce((length, bytes) => length + bytes.length, 0));
      let at = 0;
      for (const bytes of written) {
        all.set(bytes, at);
        at += bytes.length;
      }
      return ask(Ask.digest, [ALGORITHMS.indexOf(algorithm)], all);
    },
  };
}

/** The older image is the host's too. */
const expander: CreateExpander = ({ oldLength, readBlock }) => {
  let made: Uint8Array = new Uint8Array(0);
  return {
    begin(offset, length, start, size) {
      const block = new Uint8Array(length);
      readBlock(offset, block);
      made = ask(Ask.block, [oldLength, start, size], block);
      if (made.length !== size) throw new Error("the block does not make its bytes");
    },
    next(into) {
      into.set(made.subarray(0, into.length));
      made = made.subarray(into.length);
    },
    close() {},
  };
};

class Device {
  readonly #board: MemoryBoard;
  readonly #runner: JobRunner;
  readonly #tokens: Token[] = [];
  #download: { readonly offset: number; readonly end?: number } | undefined;
  #now = 0;
  readonly #outcomes: Outcome[] = [];

  constructor(factoryImage: Uint8Array) {
    const table = PartitionTable.fromCsv(TABLE, FLASH);
    const sha256 = (): Digest => digest("SHA256");
    this.#board = new MemoryBoard({ factoryImage, table, sha256, expander });
    this.#board.powerOn();
    const crypto = { digest, verifyP256: () => false, random: () => 0.5 };
    this.#runner = new JobRunner({ ...this.#board.ports, crypto }, new Uint8Array(SECTOR), new Map(), this.#host());
    this.#runner.boot({
      platform: { name: "tencent", rules: RULES },
      policy: { ...DEFAULT_POLICY, allowHttp: true },
    });
    this.#send({ type: "link", up: true });
  }

  /** From the offer of a container until the device waits for the next one, or restarts into what was made. */
  take(bytes: Uint8Array, md5: Uint8Array): string {
    const hex = toHex(md5);
    const offer = { version: VERSION, size: bytes.length, url: `http://files/${hex}` };
    this.#send({ type: "offer", offer: { ...offer, digest: { algorithm: "MD5", hex } } });
    for (let deadlines = 0; !this.restarts && this.#runner.job!.name !== "idle"; deadlines++) {
      if (deadlines === DEADLINES) throw new Error(`it stays in ${this.#runner.job!.name}`);
      if (this.#download !== undefined) this.#deliver(bytes);
      else {
        this.#now = Math.max(this.#now, this.#runner.job!.deadline() ?? this.#now);
        this.#send({ type: "tick" });
      }
    }
    if (this.restarts) return "made";
    const first = new Uint8Array(16);
    this.#board.ports.flash.read(0, first);
    if (first.some((byte) => byte !== 0xff)) throw new Error("the slot could boot");
    const [outcome, ...more] = this.#outcomes.splice(0);
    if (outcome?.kind !== "fail" || more.length > 0) throw new Error("one failure is reported, and nothing else");
    return outcome.message;
  }

  get restarts(): boolean {
    return this.#board.restartWanted !== undefined;
  }

  #deliver(file: Uint8Array): void {
    this.#send({ type: "total", size: file.length, validator: undefined });
    const download = this.#download;
    if (download === undefined) return;
    const end = download.end ?? file.length;
    for (let at = download.offset; at < end && this.#download === download; at += SECTOR)
      this.#send({ type: "sector", offset: at, bytes: file.slice(at, Math.min(at + SECTOR, file.length)) });
    if (this.#download === download) this.#send({ type: "finished" });
  }

  /** The cloud acknowledges at once what it is told. */
  #send(event: JobEvent): void {
    this.#now += 50;
    this.#runner.dispatch(event);
    for (let token = this.#tokens.shift(); token !== undefined && !this.restarts; token = this.#tokens.shift())
      this.#runner.dispatch({ type: "acked", token });
  }

  #host(): JobHost {
    return {
      now: () => this.#now,
      enter: (callback) => callback(),
      defer: (callback) => callback(),
      download: (request) => void (this.#download = request),
      renew: () => {
        throw new Error("its URL has not expired");
      },
      stopDownload: () => void (this.#download = undefined),
      report: (report, token) => {
        if (report.kind === "outcome") this.#outcomes.push(report.outcome);
        if (token !== undefined) this.#tokens.push(token);
      },
      notify() {},
      ask: (question, _task, answer) =>
        answer(
          question === "consent"
            ? { type: "consent", decision: "accept" }
            : question === "restart"
              ? { type: "restart" }
              : { type: "health", ok: true, message: "" },
        ),
      recorded() {},
    };
  }
}

let factory: Uint8Array | undefined;
let device: Device | undefined;
let offers = 0;
(globalThis as unknown as { handleCommand(message: ArrayBuffer): void }).handleCommand = (message) => {
  const bytes = new Uint8Array(message);
  if (factory === undefined) {
    factory = bytes;
    return;
  }
  device ??= new Device(factory);
  ask(Ask.told, [], encodeUtf8(device.take(bytes.subarray(MD5), bytes.subarray(0, MD5))));
  if (device.restarts || ++offers % OFFERS === 0) device = undefined;
};
