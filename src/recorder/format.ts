/**
 * The bytes of a recording (docs/SPEC.md, "Recording"). A recording holds what went into the update job: the facts of a
 * boot, then each event with its time, and what the job read in payload bytes. It never holds those bytes.
 */
import type { JobEvent } from "../job/effects";
import { frozen } from "../util/frozen";

/** "XSR" and the format's version. */
export const MAGIC = frozen([0x58, 0x53, 0x52, 1]);
/** Version of the agent, as in package.json. Effects are claimed only by the version that made the recording. */
export const AGENT = "0.1.0";
/** Bytes of a recording in RAM. */
export const RECORDING_MAX = 4096;
/**
 * Their keys in the store, in the order of the boots: the one that restarts into new firmware, and the new firmware's
 * that gives itself up.
 */
export const KEPT_KEYS = frozen(["rec-download", "recording"]);

/**
 * The fields of each event that are recorded, in their order. The index of an event is its tag: append only. An array of
 * bytes is recorded as its length.
 */
export const EVENTS = frozen([
  ["boot"],
  ["offer", "offer"],
  ["refused", "task", "outcome"],
  ["withdrawn", "task"],
  ["link", "up", "reason"],
  ["network", "missing"],
  ["acked", "token"],
  ["total", "size", "validator"],
  ["sector", "offset", "bytes"],
  ["rewind", "offset"],
  ["start-over", "reason"],
  ["stalled", "message"],
  ["finished"],
  ["expired", "message"],
  ["download-failed", "cause", "message"],
  ["compared", "equal"],
  ["bytes", "bytes"],
  ["verified", "length"],
  ["running-image", "image"],
  ["expanded", "bytes"],
  ["turn"],
  ["effect-failed", "effect", "message"],
  ["consent", "decision"],
  ["restart"],
  ["health", "ok", "message"],
  ["install", "ok", "message"],
  ["forget"],
  ["sleep", "seconds"],
  ["tick"],
] satisfies readonly (readonly [JobEvent["type"], ...string[]])[]);

/** Tags of entries that are no event. */
export const Tag = frozen({
  /** The next whole sectors were stored, and read back equal: how many. It has no time. */
  stored: 0x80,
  /** Whole sectors were read: how many. The time is that of the last one. */
  reads: 0x81,
  /** The next whole sector was stored, and read back equal; what followed went by the time. */
  sector: 0x86,
  /** What the job read in payload bytes, or was told by an installer: one value. */
  answer: 0x82,
  /** A line of the log: text, and the milliseconds until the next attempt. No input of the job. */
  note: 0x83,
  /** Entries were dropped here: how many. */
  gap: 0x84,
  /** The state of the job (snapshot.ts): time, checksum over the effects so far, and a record. */
  snapshot: 0x87,
  /** Texts get their numbers anew, behind those of the facts, as they do at a snapshot: what is before may be dropped. */
  texts: 0x88,
  /** The end: checksum over the effects, cause and message of the failure. */
  end: 0x85,
});

/** First bytes of a value; a lower one is a number of itself. */
export const Value = frozen({
  undefined: 0xf0,
  false: 0xf1,
  true: 0xf2,
  /** Varint. */
  number: 0xf3,
  /** Varint of the amount. */
  negative: 0xf4,
  /** IEEE 754, 8 bytes, little-endian. */
  real: 0xf5,
  /** Varint of the length, UTF-8. It gets the next number, while there are fewer than TEXTS_MAX. */
  text: 0xf6,
  /** Varint of the number of a text before. */
  again: 0xf7,
  bytes: 0xf8,
  /** Varint of the length of bytes that are not recorded. */
  omitted: 0xf9,
  array: 0xfa,
  /** Varint of the number of fields; of each its name, a text value, and its value. */
  object: 0xfb,
  /** In a snapshot: varint of the number of fields; of each its place in FIELDS, and its value. */
  record: 0xfc,
  /** In a snapshot: varint of the number of a list or record before; they count at their ends. */
  same: 0xfd,
  /** The text that has this place (u8) in COMMON. */
  common: 0xfe,
});
/** Texts that have a number from the beginning: names of fields, and what most recordings hold. Append only. */
export const TEXTS: readonly string[] = frozen([
  "version",
  "size",
  "url",
  "digest",
  "algorithm",
  "hex",
  "module",
  "component",
  "id",
  "fetchOnly",
  "kind",
  "cause",
  "message",
  "MD5",
  "SHA256",
  "http://file-0/",
  "https://file-0/",
  "http://file-1/",
  "https://file-1/",
  "accept",
  "burning",
  "outcome",
  "done",
  "fail",
  "tencent",
  "thingspanel",
  "static",
  "hawkbit",
  "thingsboard",
  "ota_0",
  "ota_1",
  "valid",
  "pending",
  "power-on",
  "software",
]);
/** What long recordings repeat: two bytes each, also where texts get their numbers anew. Append only, up to 256. */
export const COMMON: readonly string[] = frozen([
  "connection closed by the server",
  "connection reset",
  "connection refused",
  "closed by the peer",
  "no connection within 10 s",
  "no CONNACK within 10 s",
  "could not connect",
  "could not connect: connection refused",
  "connection lost: closed by the broker",
  "connection lost: closed by the peer",
  "connection lost: connection reset",
  "no address",
  "clock not set",
  "HTTP 503: the server is busy or broken",
  "rejected",
  "rolled-back",
  "digest-mismatch",
  "download-timeout",
]);
/** Numbers of texts. */
export const TEXTS_MAX = 96;

/** Parts of a recording: each has its kind, the length as varint, and its entries. */
export const Part = frozen({
  /** Of a boot before, as far as it was kept; the oldest first. */
  earlier: 1,
  /** Of the boot that made the recording. */
  run: 2,
});

/** Fields of the first value of a part: an array. Those of `rules`, `policy`, `running`, `startUp` are arrays of their own. */
export const RULES = frozen([
  "versionReport",
  "proof",
  "versionAfterOutcome",
  "versionWhileBusy",
  "renewable",
  "wantedState",
  "missingAsks",
  "resumeDelay",
]);
export const POLICY = frozen([
  "trialSeconds",
  "maxAttempts",
  "repeatBudget",
  "eraseBlock",
  "allowDowngrade",
  "allowNoDigest",
  "allowForeign",
  "allowDelta",
  "allowHttp",
]);
export const RUNNING = frozen(["slot", "version", "project", "securityFloor", "chip", "state"]);
export const START_UP = frozen(["bootloaderRollsBack", "guarded", "starts", "wakes", "awake", "since"]);
export const FACTS = frozen([
  "target",
  "slotSize",
  "blockSectors",
  "resetReason",
  "targetStarted",
  "lastInvalid",
  "lastFault",
]);

/**
 * Checksum over the effects, 32 bits: times the factor, plus the next number. These are the number of each effect's type
 * and the low half of what is stored as a number; sectors that are stored or read add nothing.
 */
export const CHECK_START = 0;
export const CHECK_FACTOR = 31;
/** Append only. */
export const EFFECTS = frozen({
  "put-number": 1,
  "put-bytes": 2,
  delete: 3,
  erase: 4,
  write: 5,
  compare: 6,
  read: 7,
  identify: 8,
  "expand-begin": 9,
  expand: 10,
  "open-component": 11,
  "abort-component": 12,
  invalidate: 13,
  verify: 14,
  activate: 15,
  confirm: 16,
  deadline: 17,
  rollback: 18,
  reboot: 19,
  download: 20,
  renew: 21,
  "stop-download": 22,
  report: 23,
  ask: 24,
  notify: 25,
  yield: 26,
});
