// The agent of commit e210eec. Made by: node tests/editions/build-edition.mjs e210eec
// src/constants.ts
var SECTOR = 4096;
var HEAD = 16;
var CONNECT_TIMEOUT = 1e4;
var HTTP_IDLE_TIMEOUT = 15e3;
var BACKOFF_FIRST = 1e3;
var BACKOFF_PROMPT = 250;
var BACKOFF_CAP = 6e4;
var STALL_BUDGET = 15 * 6e4;
var REFUSAL_TRIES = 3;
var REFUSAL_WINDOW = 6e4;
var URL_RENEWALS = 3;
var RENEWAL_TIMEOUT = 6e4;
var RANGE = 16384;
var RANGE_MAX = 16384;
var WINDOW = SECTOR + 16384;
var REDIRECTS = 5;
var URL_MAX = 2048;
var HTTP_HEAD_MAX = 8192;
var MQTT_PAYLOAD_MAX = 8192;
var MQTT_TOPIC_MAX = 256;
var MQTT_KEEPALIVE = 60;
var MQTT_REPLY_TIMEOUT = 1e4;
var MQTT_RESEND = 2e4;
var MQTT_INFLIGHT = 8;
var MQTT_STABLE = 3e4;
var JSON_DEPTH = 16;
var REPORT_INTERVAL = 1e3;
var BURNING_ACK = 1e4;
var TRIAL_SECONDS = 120;
var MAX_ATTEMPTS = 2;
var SECTOR_REPAIRS = 2;
var RESUME_DELAY = 3e4;
var REREPORT = 10 * 6e4;
var OWED_AFTER = 1e3;
var INSTALL_TIMEOUT = 10 * 6e4;
var REFUSED_MAX = 16;
var MESSAGE_MAX = 128;

// src/util/earlier.ts
function earlier(one, other) {
  if (one === void 0) return other;
  return other === void 0 || one <= other ? one : other;
}

// src/util/crc32.ts
var TABLE = Object.freeze([
  0,
  498536548,
  997073096,
  651767980,
  1994146192,
  1802195444,
  1303535960,
  1342533948,
  3988292384,
  4027552580,
  3604390888,
  3412177804,
  2607071920,
  2262029012,
  2685067896,
  3183342108
]);
function crc32(bytes, previous = 0) {
  let crc = ~previous;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i];
    crc = crc >>> 4 ^ TABLE[crc & 15];
    crc = crc >>> 4 ^ TABLE[crc & 15];
  }
  return ~crc >>> 0;
}

// src/util/utf8.ts
var REPLACEMENT = 65533;
var LEAD = Object.freeze([0, 192, 224, 240]);
var PIECE = 32;
function width(point) {
  return point < 2048 ? 2 : point < 65536 ? 3 : 4;
}
function utf8Length(text3) {
  let length = 0;
  for (const character of text3) {
    const point = character.codePointAt(0);
    length += point < 128 ? 1 : width(point);
  }
  return length;
}
function encodeUtf8(text3) {
  const bytes = new Uint8Array(utf8Length(text3));
  encodeUtf8Into(text3, bytes, 0);
  return bytes;
}
function encodeUtf8Into(text3, bytes, at) {
  for (const character of text3) {
    let point = character.codePointAt(0);
    if (point < 128) {
      bytes[at++] = point;
      continue;
    }
    if (point >= 55296 && point <= 57343) point = REPLACEMENT;
    const tail = width(point) - 1;
    bytes[at++] = LEAD[tail] | point >> 6 * tail;
    for (let left = tail - 1; left >= 0; left--) bytes[at++] = 128 | point >> 6 * left & 63;
  }
  return at;
}
function decodeUtf8(bytes) {
  const pieces = [];
  let points = [];
  const { length } = bytes;
  let at = 0;
  while (at < length) {
    const lead = bytes[at++];
    let point = lead;
    if (lead >= 128) {
      const tail = lead >= 194 && lead <= 223 ? 1 : lead >= 224 && lead <= 239 ? 2 : lead >= 240 && lead <= 244 ? 3 : 0;
      point = tail ? lead & 63 >> tail : REPLACEMENT;
      let lowest = lead === 224 ? 160 : lead === 240 ? 144 : 128;
      let highest = lead === 237 ? 159 : lead === 244 ? 143 : 191;
      for (let left = tail; left > 0; left--) {
        const next = at < length ? bytes[at] : -1;
        if (next < lowest || next > highest) {
          point = REPLACEMENT;
          break;
        }
        point = point << 6 | next & 63;
        at++;
        lowest = 128;
        highest = 191;
      }
    }
    points.push(point);
    if (points.length === PIECE) {
      pieces.push(String.fromCodePoint(...points));
      points = [];
    }
  }
  pieces.push(String.fromCodePoint(...points));
  return pieces.join("");
}
function truncateUtf8(text3, maxBytes) {
  let bytes = 0;
  let units = 0;
  for (const character of text3) {
    const point = character.codePointAt(0);
    bytes += point < 128 ? 1 : width(point);
    if (bytes > maxBytes) return text3.slice(0, units);
    units += character.length;
  }
  return text3;
}

// src/job/record.ts
var KEY_JOB = "job";
var KEY_OFFSET = "off";
var KEY_HEAD = "head";
var KEY_STATE = "state";
var KEY_OUTCOME = "out";
var KEY_FLOOR = "floor";
var KEY_PART_OFFSET = "poff";
var KEY_PART_HEAD = "phead";
var KEY_WAITING = "next";
var KEY_ANSWER = "word";
var PART = "*";
var FORMAT = 1;
var PHASES = Object.freeze(["downloading", "sealing", "trial", "confirmed"]);
var CAUSES = Object.freeze(["download-timeout", "not-found", "url-expired", "download", "digest-mismatch", "rejected", "flash", "rolled-back", "signature"]);
var Writer = class {
  #bytes = [];
  byte(value) {
    this.#bytes.push(value & 255);
    return this;
  }
  u32(value) {
    return this.byte(value).byte(value >>> 8).byte(value >>> 16).byte(value >>> 24);
  }
  text(value) {
    if (value === void 0) return this.byte(255).byte(255);
    const bytes = encodeUtf8(value);
    this.byte(bytes.length).byte(bytes.length >>> 8);
    for (const byte of bytes) this.byte(byte);
    return this;
  }
  /** The bytes with their CRC-32 behind them. */
  sealed() {
    return new Uint8Array(this.u32(crc32(Uint8Array.from(this.#bytes))).#bytes);
  }
  crc() {
    return crc32(Uint8Array.from(this.#bytes));
  }
};
var Reader = class {
  #at = 0;
  broken;
  #bytes;
  constructor(bytes = new Uint8Array(0)) {
    this.#bytes = bytes.subarray(0, Math.max(0, bytes.length - 4));
    this.broken = bytes.length < 5 || crc32(this.#bytes) !== littleEndian(bytes, this.#bytes.length);
  }
  byte() {
    const value = this.#bytes[this.#at++];
    if (value === void 0) this.broken = true;
    return value ?? 0;
  }
  u32() {
    return (this.byte() | this.byte() << 8 | this.byte() << 16 | this.byte() << 24) >>> 0;
  }
  text() {
    const length = this.byte() | this.byte() << 8;
    if (length === 65535) return void 0;
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      this.broken = true;
      return void 0;
    }
    const text3 = decodeUtf8(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text3;
  }
  rest(length) {
    const end = this.#at + length;
    if (end !== this.#bytes.length) this.broken = true;
    return this.broken ? void 0 : this.#bytes.slice(this.#at, end);
  }
};
var littleEndian = (bytes, at) => ((bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 | (bytes[at + 3] ?? 0) << 24) >>> 0;
var writeDigest = (writer, digest2) => writer.text(digest2?.algorithm).text(digest2?.hex);
function identityOf(record) {
  const { offer: offer2 } = record;
  const writer = new Writer().byte(FORMAT).text(record.platform).text(record.slot).text(offer2.module).text(offer2.version).text(String(offer2.size));
  return writeDigest(writer, offer2.digest).text(offer2.digest === void 0 ? offer2.url : void 0).crc();
}
function encodeJob(record) {
  const { offer: offer2 } = record;
  const writer = new Writer().byte(FORMAT).text(record.platform).text(record.slot).text(offer2.module).text(offer2.version).text(String(offer2.size));
  return writeDigest(writer, offer2.digest).text(offer2.url).text(record.validator).sealed();
}
function decodeJob(bytes) {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const platform = reader.text();
  const slot = reader.text();
  const module = reader.text();
  const version = reader.text();
  const size = Number(reader.text());
  const algorithm = reader.text();
  const hex = reader.text();
  const url = reader.text();
  const validator = reader.text();
  reader.rest(0);
  if (reader.broken || format !== FORMAT || platform === void 0 || slot === void 0 || version === void 0 || url === void 0) return void 0;
  if (slot === PART && module === void 0) return void 0;
  if (!Number.isSafeInteger(size) || size < 0) return void 0;
  if (algorithm !== void 0 && (algorithm !== "MD5" && algorithm !== "SHA256" || hex === void 0)) return void 0;
  const digest2 = algorithm === void 0 || hex === void 0 ? void 0 : { algorithm, hex };
  return {
    platform,
    slot,
    offer: {
      version,
      size,
      url,
      ...module === void 0 ? {} : { module },
      ...digest2 === void 0 ? {} : { digest: digest2 },
      ...slot === PART ? { part: module } : {}
    },
    ...validator === void 0 ? {} : { validator }
  };
}
var tagged = (identity, value) => ((identity & 65535) << 16 | value) >>> 0;
var untagged = (identity, stored) => stored === void 0 || stored >>> 16 !== (identity & 65535) ? void 0 : stored & 65535;
var encodeOffset = (identity, sectors) => tagged(identity, sectors);
var decodeOffset = untagged;
var encodeState = (identity, state) => tagged(identity, PHASES.indexOf(state.phase) << 8 | Math.min(state.activations, 15) << 4 | Math.min(state.trials, 15));
function decodeState(identity, stored) {
  const value = untagged(identity, stored) ?? 0;
  return { phase: PHASES[value >>> 8] ?? "downloading", activations: value >>> 4 & 15, trials: value & 15 };
}
function encodeHead(identity, head) {
  const writer = new Writer().byte(FORMAT).u32(identity);
  for (const byte of head) writer.byte(byte);
  return writer.sealed();
}
function decodeHead(identity, bytes) {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const owner = reader.u32();
  const head = reader.rest(HEAD);
  return format !== FORMAT || owner !== identity ? void 0 : head;
}
function encodeOutcome(identity, outcome) {
  return writeOutcome(new Writer().byte(FORMAT).u32(identity), outcome).sealed();
}
function decodeOutcome(identity, bytes) {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const owner = reader.u32();
  const outcome = readOutcome(reader);
  return format !== FORMAT || owner !== identity ? void 0 : outcome;
}
function writeOutcome(writer, outcome) {
  return outcome.kind === "done" ? writer.byte(0) : writer.byte(1 + CAUSES.indexOf(outcome.cause)).text(outcome.message);
}
function readOutcome(reader) {
  const kind = reader.byte();
  if (kind === 0) return reader.broken ? void 0 : { kind: "done" };
  const cause = CAUSES[kind - 1];
  const message = reader.text();
  return cause === void 0 || message === void 0 || reader.broken ? void 0 : { kind: "fail", cause, message };
}
function encodeAnswer({ platform, task, outcome }) {
  return writeOutcome(new Writer().byte(FORMAT).text(platform).text(task.module).text(task.version), outcome).sealed();
}
function decodeAnswer(bytes) {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const platform = reader.text();
  const module = reader.text();
  const version = reader.text();
  const outcome = readOutcome(reader);
  if (format !== FORMAT || platform === void 0 || version === void 0 || outcome === void 0) return void 0;
  return { platform, task: { version, ...module === void 0 ? {} : { module } }, outcome };
}

// src/job/boot-judgement.ts
var ACTIVATIONS_MAX = 8;
function judgeBoot(memory, facts, platform, maxAttempts, blamed) {
  const { running } = facts;
  const unconfirmed = running.state === "pending" || running.state === "new";
  if (memory === void 0) return unconfirmed ? { kind: "trial", ofJob: false } : { kind: "idle" };
  if (memory.record.platform !== platform) return { kind: "drop", why: `the job was of platform ${memory.record.platform}` };
  if (memory.record.slot === PART) return unconfirmed ? { kind: "trial", ofJob: false } : judgeModule(memory, facts, maxAttempts);
  if (memory.record.slot === running.slot) return judgeNewFirmware(memory, facts, unconfirmed);
  if (unconfirmed) return { kind: "drop", why: "the running firmware is unconfirmed and not of this job", unconfirmed };
  if (memory.record.slot !== facts.target) return { kind: "drop", why: `slot ${memory.record.slot} is not the one to write` };
  return judgeOldFirmware(memory, facts, maxAttempts, blamed);
}
function judgeNewFirmware(memory, facts, unconfirmed) {
  if (facts.running.version !== memory.offer.version || memory.state.phase === "downloading")
    return { kind: "drop", why: `the running firmware ${facts.running.version} was installed another way`, unconfirmed };
  if (memory.outcome !== void 0) return { kind: "report", outcome: memory.outcome, ...memory.outcome.kind === "fail" && lostPower(facts) ? { goBack: true } : {} };
  if (memory.state.phase === "confirmed" && !unconfirmed) return { kind: "report", outcome: { kind: "done" } };
  return { kind: "trial", ofJob: true };
}
function judgeModule(memory, facts, maxAttempts) {
  if (memory.state.phase === "trial") return { kind: "drop", why: "a module has no trial" };
  return judgeOldFirmware(memory, facts, maxAttempts, false);
}
function judgeOldFirmware(memory, facts, maxAttempts, blamed) {
  if (memory.outcome !== void 0) return { kind: "report", outcome: memory.outcome };
  switch (memory.state.phase) {
    case "downloading":
      return { kind: "resume" };
    case "sealing":
      return { kind: "seal" };
    case "confirmed":
      return { kind: "drop", why: `firmware ${memory.offer.version} was confirmed and does not run any more` };
    case "trial":
      return judgeAbortedTrial(memory, facts, maxAttempts, blamed);
  }
}
function judgeAbortedTrial(memory, facts, maxAttempts, blamed) {
  const tried = facts.lastInvalid === memory.record.slot;
  if (blamed || tried && !lostPower(facts))
    return { kind: "rolled-back", message: failedInTrial(memory.offer.version, facts), blame: true };
  const trials = memory.state.trials + (tried ? 1 : 0);
  if (trials >= maxAttempts) return { kind: "rolled-back", message: `trial cut short by power loss ${trials} times`, blame: false };
  if (memory.state.activations >= ACTIVATIONS_MAX)
    return { kind: "rolled-back", message: `firmware ${memory.offer.version} did not start in ${memory.state.activations} tries`, blame: false };
  return { kind: "try-again", trials };
}
function failedInTrial(version, { lastFault, resetReason }) {
  const own = `${version}: `;
  return lastFault?.startsWith(own) ? `firmware ${version} failed in its trial and was rolled back: ${lastFault.slice(own.length)}` : `firmware ${version} failed in its trial (${resetReason} reset) and was rolled back`;
}
function lostPower({ resetReason }) {
  return resetReason === "power-on" || resetReason === "brown-out";
}

// src/util/hex.ts
function toHex(bytes) {
  let text3 = "";
  for (const byte of bytes) text3 += (byte < 16 ? "0" : "") + byte.toString(16);
  return text3;
}
function fromHex(text3) {
  if (text3.length % 2 !== 0) throw new RangeError(`hex: odd number of digits (${text3.length})`);
  if (!/^[0-9a-f]*$/i.test(text3)) throw new RangeError("hex: a character is not a hex digit");
  const bytes = new Uint8Array(text3.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text3.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

// src/job/refused.ts
var KEY_REFUSED = "refused";
var PREFIX = 16;
var ENTRY = PREFIX + 1;
var FORMAT2 = 1;
var CODES = Object.freeze(["rejected", "rolled-back"]);
var ROLLED_BACK = 1;
var RefusedImages = class {
  #entries = [];
  /** An unreadable record counts as empty. */
  constructor(stored) {
    if (stored === void 0 || stored.length < 5 || stored[0] !== FORMAT2) return;
    const end = stored.length - 4;
    if ((end - 1) % ENTRY !== 0 || !equal(checksum(stored.subarray(0, end)), stored.subarray(end))) return;
    for (let at = 1; at < end; at += ENTRY) this.#entries.push(stored.slice(at, at + ENTRY));
  }
  causeOf(digest2) {
    if (digest2 === void 0) return void 0;
    const prefix = fromHex(digest2.hex).subarray(0, PREFIX);
    const entry = this.#entries.find((candidate2) => equal(candidate2.subarray(0, PREFIX), prefix));
    return entry === void 0 ? void 0 : CODES[entry[PREFIX] ?? 0];
  }
  /** The record to store; undefined when the image is known already, has no digest to know it by, or is not worth another's place. */
  remember(digest2, cause) {
    if (digest2 === void 0 || this.causeOf(digest2) !== void 0) return void 0;
    const entry = new Uint8Array(ENTRY);
    entry.set(fromHex(digest2.hex).subarray(0, PREFIX));
    entry[PREFIX] = Math.max(0, CODES.indexOf(cause));
    if (!this.makeRoom(cause)) return void 0;
    this.#entries.push(entry);
    const bytes = new Uint8Array(1 + this.#entries.length * ENTRY + 4);
    bytes[0] = FORMAT2;
    this.#entries.forEach((each, index) => bytes.set(each, 1 + index * ENTRY));
    bytes.set(checksum(bytes.subarray(0, bytes.length - 4)), bytes.length - 4);
    return bytes;
  }
  makeRoom(cause) {
    if (this.#entries.length < REFUSED_MAX) return true;
    const refused2 = this.#entries.findIndex((entry) => entry[PREFIX] !== ROLLED_BACK);
    if (refused2 < 0 && cause !== "rolled-back") return false;
    this.#entries.splice(Math.max(0, refused2), 1);
    return true;
  }
};
function checksum(bytes) {
  const crc = crc32(bytes);
  return Uint8Array.of(crc & 255, crc >>> 8 & 255, crc >>> 16 & 255, crc >>> 24);
}
var equal = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);

// src/job/outcome.ts
function failure(cause, text3) {
  return { kind: "fail", cause, message: truncateUtf8(text3, MESSAGE_MAX) };
}
function fail(context, cause, text3, after) {
  const { memory } = context;
  if (memory === void 0 || context.state.name === "reporting") return [];
  context.storing = void 0;
  const blamed = after.blame === true ? remember(context, memory.offer, cause) : [];
  const outcome = failure(cause, text3);
  const effects = [{ type: "stop-download" }, ...blamed, ...memory.conclude(outcome)];
  if (after.eraseHead === true) effects.push({ type: "erase", sector: 0 });
  if (after.keepCheckpoint !== true) {
    effects.push(...memory.dropCheckpoint());
    if (memory.offer.part !== void 0) effects.push({ type: "abort-part", part: memory.offer.part });
  }
  return [...effects, ...say(context, outcome)];
}
var UNBOOTABLE = Object.freeze(["digest-mismatch", "rejected", "signature", "flash"]);
function finishFailure(context, outcome) {
  const { memory } = context;
  if (memory === void 0 || memory.offset === 0 || memory.record.slot !== context.facts.target) return [];
  return outcome.kind === "fail" && UNBOOTABLE.includes(outcome.cause) ? [{ type: "erase", sector: 0 }, ...memory.dropCheckpoint()] : [];
}
function conclude(context, outcome) {
  const { memory } = context;
  return memory === void 0 ? [] : [...memory.conclude(outcome), ...say(context, outcome)];
}
function say(context, outcome) {
  const { memory } = context;
  if (memory === void 0) return [];
  context.state = { name: "reporting" };
  return [{ type: "report", token: "outcome", report: { kind: "outcome", task: memory.offer, outcome } }, noticeOf(memory.offer, outcome)];
}
function refuse(context, task, outcome, now) {
  return [...context.owed.answers(task, outcome, now), { type: "report", token: "refused", report: { kind: "outcome", task, outcome } }, noticeOf(task, outcome)];
}
function waitingOutcome(context) {
  if (context.state.name !== "reporting") return void 0;
  return context.memory?.outcome ?? { kind: "done" };
}
function remember(context, offer2, cause) {
  const bytes = context.refused.remember(offer2.digest, cause);
  return bytes === void 0 ? [] : [{ type: "put-bytes", key: KEY_REFUSED, bytes }];
}
function noticeOf(task, outcome) {
  if (outcome.kind === "done") return { type: "notify", notice: { event: "state", state: "done" } };
  return { type: "notify", notice: { event: "state", state: "fail", cause: outcome.cause, message: outcome.message, version: task.version } };
}

// src/job/trial.ts
function startTrial(context, ofJob, now) {
  context.state = { name: "trial", until: now + context.options.policy.trialSeconds * 1e3, asked: false, ofJob };
  if (!ofJob) {
    if (context.memory?.offer.part !== void 0) context.kept = context.memory.offer;
    context.memory = void 0;
  }
  return [{ type: "notify", notice: { event: "state", state: "trial" } }];
}
function reached(context) {
  const { state, facts, memory } = context;
  if (state.name !== "trial" || state.asked) return [];
  context.state = { ...state, asked: true };
  return [{ type: "ask", question: "health", task: memory?.offer ?? { version: facts.running.version } }];
}
function health(context, ok, message) {
  const { state, memory, facts } = context;
  if (state.name !== "trial" || !state.asked) return [];
  if (!ok) return giveUp(context, `health check failed: ${message}`, true);
  const confirmed = [{ type: "confirm" }, { type: "notify", notice: { event: "confirmed", version: facts.running.version } }, ...raiseFloor(context)];
  if (!state.ofJob || memory === void 0) {
    context.state = { name: "idle" };
    return confirmed;
  }
  return [...confirmed, ...memory.enter({ phase: "confirmed" }), ...say(context, { kind: "done" })];
}
function raiseFloor(context) {
  const { options, facts } = context;
  const own = facts.running.securityFloor ?? 0;
  if (options.refusalOfSignature === void 0 || own <= context.floor) return [];
  context.floor = own;
  return [{ type: "put-number", key: KEY_FLOOR, value: own }];
}
function trialOver(context, asked) {
  const { trialSeconds } = context.options.policy;
  return asked ? giveUp(context, `health check did not answer within ${trialSeconds} s`, true) : giveUp(context, `cloud not reached within ${trialSeconds} s`, false);
}
function giveUp(context, message, blame) {
  const { memory, facts } = context;
  context.state = { name: "leaving" };
  const left = memory === void 0 ? [] : [...blame ? remember(context, memory.offer, "rolled-back") : [], ...memory.conclude(failure("rolled-back", message))];
  return [...left, { type: "rollback" }, { type: "reboot", slot: facts.target }];
}

// src/job/cloud.ts
function linkUp(context) {
  const { memory } = context;
  const outcome = waitingOutcome(context);
  const { answer } = context.owed;
  const answers = answer === void 0 ? [] : [{ type: "report", token: "refused", report: { kind: "outcome", task: answer.task, outcome: answer.outcome } }];
  const report = memory === void 0 || outcome === void 0 ? [] : [{ type: "report", token: "outcome", report: { kind: "outcome", task: memory.offer, outcome } }];
  if (outcome?.kind === "fail") return [...answers, ...report];
  return [...answers, ...reportVersion(context), ...report, ...context.options.platform.rules.versionReport ? [] : reached(context)];
}
function reportVersion(context) {
  const { memory, facts, state } = context;
  const { rules } = context.options.platform;
  if (!context.linkUp || !rules.versionReport) return [];
  const busy = memory !== void 0 || context.kept !== void 0 || state.name === "consent";
  const runsTarget = memory?.record.slot === facts.running.slot;
  if (busy && !rules.versionWhileBusy && !runsTarget && state.name !== "trial") return [];
  context.versionReported = true;
  return [{ type: "report", token: "version", report: { kind: "version", version: facts.running.version } }];
}
function askAgain(context, now) {
  if (context.askAgainAt === void 0 || now < context.askAgainAt) return [];
  context.askAgainAt = now + REREPORT;
  return reportVersion(context);
}

// src/job/memory.ts
var FIRMWARE = Object.freeze({ offset: KEY_OFFSET, head: KEY_HEAD });
var MODULE = Object.freeze({ offset: KEY_PART_OFFSET, head: KEY_PART_HEAD });
var FRESH = Object.freeze({ phase: "downloading", activations: 0, trials: 0 });
var JobMemory = class _JobMemory {
  #record;
  #identity;
  #state = FRESH;
  #sectors = 0;
  #head;
  #outcome;
  constructor(record) {
    this.#record = record;
    this.#identity = identityOf(record);
  }
  /** The job that the store holds, if any. */
  static restore(stored) {
    const record = decodeJob(stored.job);
    if (record === void 0) return void 0;
    const memory = new _JobMemory(record);
    memory.#state = decodeState(memory.#identity, stored.state);
    memory.#outcome = decodeOutcome(memory.#identity, stored.outcome);
    memory.adoptCheckpoint(record.offer.part === void 0 ? stored : stored.part);
    return memory;
  }
  /**
   * A new job. Its checkpoint is the one in the store where that is of the same image, else none. What is left of an older
   * job goes first and the record comes last, so that a cut in between leaves no job with another's state.
   */
  static begin(record, stored) {
    const memory = new _JobMemory(record);
    memory.adoptCheckpoint(stored);
    const effects = [{ type: "delete", key: KEY_JOB }, { type: "delete", key: KEY_STATE }, { type: "delete", key: KEY_OUTCOME }];
    if (memory.#sectors === 0 && record.offer.size > 0) effects.push(...memory.deleteCheckpoint());
    effects.push(memory.putRecord());
    return { memory, effects };
  }
  adoptCheckpoint(stored) {
    if (stored === void 0) return;
    const head = decodeHead(this.#identity, stored.head);
    const sectors = decodeOffset(this.#identity, stored.offset) ?? 0;
    if (head === void 0 || sectors === 0 || sectors > Math.ceil(this.offer.size / SECTOR)) return;
    this.#head = head;
    this.#sectors = sectors;
  }
  get offer() {
    return this.#record.offer;
  }
  get record() {
    return this.#record;
  }
  get state() {
    return this.#state;
  }
  get outcome() {
    return this.#outcome;
  }
  get head() {
    return this.#head;
  }
  /** Bytes stored and read back: a multiple of the sector, or the whole file. */
  get offset() {
    return Math.min(this.#sectors * SECTOR, this.offer.size);
  }
  get complete() {
    return this.offer.size > 0 && this.offset === this.offer.size;
  }
  /** The checkpoint as the store holds it now, for the next job to adopt. */
  get checkpoint() {
    if (this.#head === void 0) return { offset: void 0, head: void 0 };
    return { offset: encodeOffset(this.#identity, this.#sectors), head: encodeHead(this.#identity, this.#head) };
  }
  /** The size (and validator) that the server told. With the size the identity is known, so a checkpoint that was left may fit now. */
  learn(size, validator, left) {
    const { validator: old, ...rest } = this.#record;
    const keep2 = this.offer.digest === void 0 ? validator : void 0;
    const sizeWasKnown = this.offer.size === size;
    if (sizeWasKnown && old === keep2) return [];
    this.#record = { ...rest, offer: { ...this.offer, size }, ...keep2 === void 0 ? {} : { validator: keep2 } };
    this.#identity = identityOf(this.#record);
    if (!sizeWasKnown) this.adoptCheckpoint(left);
    return [...sizeWasKnown || this.#sectors > 0 ? [] : this.deleteCheckpoint(), this.putRecord()];
  }
  /** A fresh URL for the same image. It is no part of the identity (where there is a digest), so the checkpoint stays. */
  renew(url) {
    this.#record = { ...this.#record, offer: { ...this.offer, url } };
    return [this.putRecord()];
  }
  /** One more sector is in flash and was read back. The head goes first: without it the first sector is not whole. */
  advance(sector2, head) {
    const effects = [];
    if (head !== void 0) {
      this.#head = head.slice(0, HEAD);
      effects.push({ type: "put-bytes", key: this.keys.head, bytes: encodeHead(this.#identity, this.#head) });
    }
    this.#sectors = sector2 + 1;
    effects.push({ type: "put-number", key: this.keys.offset, value: encodeOffset(this.#identity, this.#sectors) });
    return effects;
  }
  /** Nothing that is in flash counts any more. */
  dropCheckpoint() {
    this.#sectors = 0;
    this.#head = void 0;
    return this.deleteCheckpoint();
  }
  enter(change) {
    this.#state = { ...this.#state, ...change };
    return [{ type: "put-number", key: KEY_STATE, value: encodeState(this.#identity, this.#state) }];
  }
  conclude(outcome) {
    this.#outcome = outcome;
    return [{ type: "put-bytes", key: KEY_OUTCOME, bytes: encodeOutcome(this.#identity, outcome) }];
  }
  /** The cloud has acknowledged the outcome. The record goes first: without it the rest means nothing. */
  forget(keepCheckpoint) {
    const effects = [{ type: "delete", key: KEY_JOB }, { type: "delete", key: KEY_STATE }, { type: "delete", key: KEY_OUTCOME }];
    return keepCheckpoint ? effects : [...effects, ...this.deleteCheckpoint()];
  }
  get keys() {
    return this.offer.part === void 0 ? FIRMWARE : MODULE;
  }
  /** The offset goes first: a head without an offset counts for nothing, an offset without a head neither. */
  deleteCheckpoint() {
    return [{ type: "delete", key: this.keys.offset }, { type: "delete", key: this.keys.head }];
  }
  putRecord() {
    return { type: "put-bytes", key: KEY_JOB, bytes: encodeJob(this.#record) };
  }
};

// src/image/esp-image.ts
var IMAGE_MAGIC = 233;
var IMAGE_HEADER = 24;
var SEGMENT_HEADER = 8;
var MAX_SEGMENTS = 16;
var DESCRIPTION_OFFSET = IMAGE_HEADER + SEGMENT_HEADER;
var DESCRIPTION_LENGTH = 256;
var DESCRIPTION_MAGIC = 2882360370;
function readHeader(bytes) {
  if (bytes.length < IMAGE_HEADER) throw new Error(`not an ESP image: ${bytes.length} bytes`);
  if (bytes[0] !== IMAGE_MAGIC) throw new Error(`not an ESP image: it begins with ${hexByte(bytes[0])}, not ${hexByte(IMAGE_MAGIC)}`);
  const segments = bytes[1];
  if (segments === 0 || segments > MAX_SEGMENTS) throw new Error(`ESP image: ${segments} segments, must be 1 to ${MAX_SEGMENTS}`);
  return { segments, chip: bytes[12] | bytes[13] << 8, hashAppended: bytes[23] !== 0 };
}
function readAppDescription(bytes) {
  readHeader(bytes);
  const end = DESCRIPTION_OFFSET + DESCRIPTION_LENGTH;
  if (bytes.length < end) throw new Error(`ESP image: no room for an app description in ${bytes.length} bytes`);
  const view = viewOf(bytes);
  const segmentEnd = DESCRIPTION_OFFSET + view.getUint32(IMAGE_HEADER + 4, true);
  if (segmentEnd < end || view.getUint32(DESCRIPTION_OFFSET, true) !== DESCRIPTION_MAGIC) {
    throw new Error("ESP image: no app description");
  }
  return {
    secureVersion: view.getUint32(DESCRIPTION_OFFSET + 4, true),
    version: text(bytes, DESCRIPTION_OFFSET + 16, "version"),
    project: text(bytes, DESCRIPTION_OFFSET + 48, "project name"),
    custom: bytes.subarray(end, Math.min(segmentEnd, bytes.length))
  };
}
function text(bytes, offset, what) {
  let value = "";
  for (let index = 0; index < 32; index++) {
    const code = bytes[offset + index];
    if (code === 0) {
      if (value === "") throw new Error(`ESP image: empty ${what}`);
      return value;
    }
    if (code < 32 || code > 126) throw new Error(`ESP image: the ${what} is not text`);
    value += String.fromCharCode(code);
  }
  throw new Error(`ESP image: the ${what} has no end`);
}
function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
function hexByte(value) {
  return `0x${value < 16 ? "0" : ""}${value.toString(16)}`;
}

// src/image/firmware-block.ts
var MAGIC = Object.freeze([88, 83, 79, 84]);
var FORMAT3 = 1;
var TEXT = 32;
var PRODUCT_AT = 8;
var VERSION_AT = 40;
var FLOOR_AT = 72;
var FIRMWARE_BLOCK = 76;
var IMAGE_FACTS = DESCRIPTION_OFFSET + DESCRIPTION_LENGTH + FIRMWARE_BLOCK;
function readFirmwareBlock(custom) {
  if (custom.length < FIRMWARE_BLOCK || MAGIC.some((byte, index) => custom[index] !== byte)) return void 0;
  if (custom[4] !== FORMAT3) throw new Error(`firmware block of format ${custom[4]}, this reader knows ${FORMAT3}`);
  const floor = (custom[FLOOR_AT] ?? 0) | (custom[FLOOR_AT + 1] ?? 0) << 8 | (custom[FLOOR_AT + 2] ?? 0) << 16 | (custom[FLOOR_AT + 3] ?? 0) << 24;
  return { product: text2(custom, PRODUCT_AT, "product"), version: text2(custom, VERSION_AT, "version"), securityFloor: floor >>> 0 };
}
function readFirmware(firstSector, allowForeign) {
  const description = readAppDescription(firstSector);
  const block = readFirmwareBlock(description.custom);
  if (block !== void 0) return block;
  if (!allowForeign) throw new Error("image has no firmware block, so its product is unknown (allowForeign permits it)");
  return { product: description.project, version: description.version, securityFloor: 0 };
}
function text2(bytes, at, name) {
  let value = "";
  for (let index = 0; index < TEXT; index++) {
    const byte = bytes[at + index] ?? 0;
    if (byte === 0) break;
    if (byte < 32 || byte > 126) throw new Error(`firmware block: ${name} holds byte ${byte}`);
    value += String.fromCharCode(byte);
  }
  if (value.length === 0 || value.length >= TEXT) throw new Error(`firmware block: ${name} of ${value.length} characters, must be 1 to ${TEXT - 1}`);
  return value;
}

// src/job/versions.ts
var MAX_LENGTH = 64;
function parse(version) {
  if (version.length > MAX_LENGTH) return void 0;
  const match = /^v?(\d{1,9}(?:\.\d{1,9}){0,5})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(version);
  if (match === null) return void 0;
  return { numbers: (match[1] ?? "").split(".").map(Number), pre: match[2] === void 0 ? [] : match[2].split(".") };
}
function compareVersions(a, b) {
  if (a === b) return "same";
  const left = parse(a);
  const right = parse(b);
  if (left === void 0 || right === void 0) return "different";
  for (let index = 0; index < Math.max(left.numbers.length, right.numbers.length); index++) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference < 0 ? "older" : "newer";
  }
  return comparePreRelease(left.pre, right.pre);
}
function comparePreRelease(a, b) {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? "same" : a.length === 0 ? "newer" : "older";
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index];
    const right = b[index];
    if (left === right) continue;
    if (left === void 0) return "older";
    if (right === void 0) return "newer";
    const leftNumber = /^\d+$/.test(left);
    const rightNumber = /^\d+$/.test(right);
    if (leftNumber && rightNumber) return Number(left) < Number(right) ? "older" : "newer";
    if (leftNumber !== rightNumber) return leftNumber ? "older" : "newer";
    return left < right ? "older" : "newer";
  }
  return "same";
}

// src/job/policy.ts
var DEFAULT_POLICY = Object.freeze({
  trialSeconds: TRIAL_SECONDS,
  maxAttempts: MAX_ATTEMPTS,
  allowDowngrade: false,
  allowNoDigest: false,
  allowForeign: false,
  signingKeys: Object.freeze([]),
  allowHttp: false
});
function sameImage(a, b) {
  if (a.version !== b.version || a.part !== b.part) return false;
  if (a.size !== 0 && b.size !== 0 && a.size !== b.size) return false;
  if (a.digest === void 0 || b.digest === void 0) return a.digest === b.digest && a.url === b.url;
  return a.digest.algorithm === b.digest.algorithm && a.digest.hex === b.digest.hex;
}
function refusalOfOffer(offer2, running, capacity, policy) {
  const room = noRoom(offer2.size, capacity, offer2);
  if (room !== void 0) return room;
  if (offer2.digest === void 0 && !provableWithoutDigest(policy)) return "the offer has no digest (allowNoDigest permits that)";
  if (offer2.url.startsWith("http:") && !policy.allowHttp) return "plain http download refused (allowHttp permits it)";
  if (offer2.part !== void 0) return void 0;
  if (offer2.version !== running.version && !policy.allowDowngrade && compareVersions(offer2.version, running.version) === "older")
    return `version ${offer2.version} is older than the running ${running.version} (allowDowngrade permits it)`;
  return void 0;
}
function provableWithoutDigest(policy) {
  return policy.allowNoDigest || policy.signingKeys.length > 0;
}
function noRoom(size, capacity, { part }) {
  if (capacity === void 0) return `this device has no module ${JSON.stringify(part)}`;
  if (size <= capacity) return void 0;
  return part === void 0 ? `image of ${size} bytes does not fit the slot of ${capacity}` : `${size} bytes do not fit module ${part}, which takes ${capacity}`;
}
function refusalOfImage(firstSector, offer2, running, floor, policy) {
  try {
    const { chip } = readHeader(firstSector);
    if (chip !== running.chip) return `image is for chip ${chip}, this is chip ${running.chip}`;
    const { product, version, securityFloor } = readFirmware(firstSector, policy.allowForeign);
    if (product !== running.project && !policy.allowForeign) return `image is of product ${JSON.stringify(product)}, this is ${JSON.stringify(running.project)}`;
    if (version !== offer2.version) return `version in the image is ${version}, offered was ${offer2.version}`;
    if (securityFloor < floor) return `security floor of the image is ${securityFloor}, this device has seen ${floor}`;
    return void 0;
  } catch (error) {
    return error.message;
  }
}

// src/job/owed.ts
var LateRecord = class {
  value;
  #key;
  #encode;
  /** When to store it; undefined: it is stored, or there is none. */
  due;
  #stored;
  constructor(key, encode2, stored) {
    this.#key = key;
    this.#encode = encode2;
    this.value = stored;
    this.#stored = stored !== void 0;
  }
  /** In place of what was owed before. */
  set(value, now) {
    const effects = this.drop();
    this.value = value;
    this.due = now + OWED_AFTER;
    return effects;
  }
  drop() {
    this.value = void 0;
    this.due = void 0;
    if (!this.#stored) return [];
    this.#stored = false;
    return [{ type: "delete", key: this.#key }];
  }
  store(now) {
    if (this.value === void 0 || this.due === void 0 || now < this.due) return [];
    this.due = void 0;
    this.#stored = true;
    return [{ type: "put-bytes", key: this.#key, bytes: this.#encode(this.value) }];
  }
};
var Owed = class {
  #platform;
  #pushesOnce;
  #offer;
  #answer;
  constructor(platform, pushesOnce, stored) {
    this.#platform = platform;
    this.#pushesOnce = pushesOnce;
    const job = decodeJob(stored.waiting);
    const answer = decodeAnswer(stored.answer);
    const slot = (offer2) => offer2.part === void 0 ? "" : PART;
    this.#offer = new LateRecord(KEY_WAITING, (offer2) => encodeJob({ platform, slot: slot(offer2), offer: offer2 }), job?.platform === platform ? job.offer : void 0);
    this.#answer = new LateRecord(KEY_ANSWER, encodeAnswer, answer?.platform === platform ? answer : void 0);
  }
  /** The offer that waited when the power went. */
  get offer() {
    return this.#offer.value;
  }
  get answer() {
    return this.#answer.value;
  }
  /** The latest offer outranks an older one. */
  waits(offer2, now) {
    return this.#pushesOnce && offer2 !== this.#offer.value ? this.#offer.set(offer2, now) : [];
  }
  /** The offer became a job, or was answered. */
  settled(offer2) {
    return this.#offer.value !== void 0 && sameImage(this.#offer.value, offer2) ? this.#offer.drop() : [];
  }
  answers(task, outcome, now) {
    return this.#pushesOnce ? this.#answer.set({ platform: this.#platform, task, outcome }, now) : [];
  }
  answered() {
    return this.#answer.drop();
  }
  /** When `store` is wanted next. */
  deadline() {
    return earlier(this.#offer.due, this.#answer.due);
  }
  store(now) {
    return [...this.#offer.store(now), ...this.#answer.store(now)];
  }
};

// src/job/progress.ts
var Progress = class {
  #said = -1;
  #next;
  constructor(now) {
    this.#next = now;
  }
  /** The percent to report now, 0..100, or undefined. Exact for sizes beyond 4 GiB: doubles carry 2^53. */
  due(stored, size, now) {
    const percent = size === 0 ? 0 : Math.floor(stored * 100 / size);
    if (percent <= this.#said || now < this.#next && percent < 100) return void 0;
    this.#said = percent;
    this.#next = now + REPORT_INTERVAL;
    return percent;
  }
};

// src/job/context.ts
var NO_CHECKPOINT = Object.freeze({ offset: void 0, head: void 0 });
var JobContext = class {
  options;
  facts;
  refused;
  /** Lowest security floor of an image that may be installed. */
  floor;
  state = { name: "idle" };
  /** The job in hand, as the store has it. */
  memory;
  /** Checkpoints in the store that no job owns: a job of the same image adopts its own. */
  #left;
  /** Latest offer that came while none could be taken. */
  kept;
  owed;
  /** URL of the latest push; the stored one may be older. */
  freshUrl;
  renewals = 0;
  /** The file changed while it was downloaded, so a wrong digest deserves one clean try. */
  mixed = false;
  /** The sector on its way into flash. */
  storing;
  progress = new Progress(0);
  linkUp = false;
  /** On this connection. */
  versionReported = false;
  /** When the cloud is asked again for what it may have pushed in vain; undefined without a connection. */
  askAgainAt;
  constructor(options, facts) {
    this.options = options;
    this.facts = facts;
    this.refused = new RefusedImages(facts.stored.refused);
    this.floor = facts.stored.floor ?? 0;
    this.#left = { firmware: facts.stored, part: facts.stored.part ?? NO_CHECKPOINT };
    this.owed = new Owed(options.platform.name, !options.platform.rules.renewable, facts.stored);
  }
  leftFor(offer2) {
    return offer2.part === void 0 ? this.#left.firmware : this.#left.part;
  }
  /** The job in hand goes; with `keep` its checkpoint stays for the next job of the same image. */
  letGo(keep2) {
    if (this.memory === void 0) return;
    const checkpoint = keep2 ? this.memory.checkpoint : NO_CHECKPOINT;
    if (this.memory.offer.part === void 0) this.#left.firmware = checkpoint;
    else this.#left.part = checkpoint;
    this.memory = void 0;
  }
  /** Takes up the job that the store holds, if any. */
  restore() {
    this.memory = JobMemory.restore(this.facts.stored);
    return this.memory;
  }
};

// src/job/part.ts
function capacityFor(context, offer2) {
  const { options, facts } = context;
  return offer2.part === void 0 ? facts.slotSize : options.capacityOf?.(offer2.part);
}
function open(context) {
  const { memory } = context;
  if (memory?.offer.part === void 0) return [];
  const { part, version, size } = memory.offer;
  return [{ type: "open-part", part, version, size, offset: memory.offset }];
}
function install(context, now) {
  const { memory } = context;
  if (memory === void 0) return [];
  context.state = { name: "installing", until: now + INSTALL_TIMEOUT };
  return [
    { type: "notify", notice: { event: "state", state: "installing" } },
    { type: "ask", question: "install", task: memory.offer }
  ];
}
function installed(context, ok, message) {
  if (context.state.name !== "installing") return [];
  return ok ? conclude(context, { kind: "done" }) : fail(context, "rejected", `module ${context.memory?.offer.part}: ${message}`, {});
}

// src/job/sector-store.ts
var SectorStore = class {
  sector;
  /** The image's first bytes, of the first sector only. */
  head;
  #part;
  #bytes;
  #skip;
  #repairs = 0;
  /** `bytes` must stay as they are until the sector is stored. */
  constructor(offset, bytes, part) {
    this.#part = part;
    this.sector = Math.floor(offset / SECTOR);
    this.#skip = this.sector === 0 && !part ? HEAD : 0;
    this.head = this.sector === 0 ? bytes.slice(0, HEAD) : void 0;
    this.#bytes = bytes.subarray(this.#skip);
  }
  /** Address in the slot, for messages. */
  get address() {
    return this.sector * SECTOR;
  }
  effects() {
    const offset = this.address + this.#skip;
    if (this.#part) {
      return [
        { type: "write", offset, bytes: this.#bytes, part: true },
        { type: "compare", offset, bytes: this.#bytes, erased: 0, part: true }
      ];
    }
    return [
      { type: "erase", sector: this.sector },
      { type: "write", offset, bytes: this.#bytes },
      { type: "compare", offset, bytes: this.#bytes, erased: this.#skip }
    ];
  }
  /** After a readback that differs: the effects of one more try, or undefined when flash will not hold it. */
  repair() {
    this.#repairs++;
    return this.#repairs > SECTOR_REPAIRS ? void 0 : this.effects();
  }
};

// src/signature/p256.ts
var P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
var N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
var B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
var SCALAR = 32;
var POINT = 1 + 2 * SCALAR;
function toInteger(bytes) {
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  return value;
}
function isScalar(bytes) {
  const value = toInteger(bytes);
  return bytes.length === SCALAR && value > 0n && value < N;
}
function isPoint(bytes) {
  if (bytes.length !== POINT || bytes[0] !== 4) return false;
  const x = toInteger(bytes.subarray(1, 1 + SCALAR));
  const y = toInteger(bytes.subarray(1 + SCALAR));
  return x < P && y < P && (y * y - (x * x * x - 3n * x + B)) % P === 0n;
}

// src/signature/trailer.ts
var TRAILER = 96;
var MAGIC2 = Object.freeze([88, 83, 79, 84, 65, 83, 73, 71]);
var FORMAT4 = 1;
var ECDSA_P256_SHA256 = 1;
var KEY_AT = 12;
var KEY_LENGTH = 4;
var DER_AT = 16;
var DER_MAX = 72;
var hasTrailer = (last) => last.length === TRAILER && MAGIC2.every((byte, index) => last[index] === byte);
function readTrailer(last) {
  if (!hasTrailer(last)) throw new Error("the file is not signed");
  if (last[8] !== FORMAT4 || last[9] !== ECDSA_P256_SHA256) throw new Error(`signature of format ${last[8]}, algorithm ${last[9]}: not known here`);
  const length = last[10] ?? 0;
  if (length < 8 || length > DER_MAX || last[11] !== 0) throw new Error("signature trailer is malformed");
  if (last.subarray(DER_AT + length).some((byte) => byte !== 0)) throw new Error("signature trailer is malformed: bytes behind the signature");
  const [r, s] = readDer(last.subarray(DER_AT, DER_AT + length));
  return { keyId: last.slice(KEY_AT, KEY_AT + KEY_LENGTH), r, s };
}
function readDer(der) {
  if (der[0] !== 48 || der[1] !== der.length - 2) throw new Error("signature is not DER");
  const r = readInteger(der, 2);
  const s = readInteger(der, r.end);
  if (s.end !== der.length) throw new Error("signature is not DER");
  return [r.value, s.value];
}
function readInteger(der, at) {
  const length = der[at + 1] ?? 0;
  const start = at + 2;
  const end = start + length;
  const first = der[start] ?? 0;
  const second = der[start + 1] ?? 0;
  const padded = length > 1 && first === 0;
  if (der[at] !== 2 || length === 0 || end > der.length || first >= 128 || padded && second < 128) throw new Error("signature is not DER");
  const digits = der.subarray(padded ? start + 1 : start, end);
  if (digits.length > SCALAR) throw new Error("signature number is out of range");
  const value = new Uint8Array(SCALAR);
  value.set(digits, SCALAR - digits.length);
  return { value, end };
}

// src/job/hash-pass.ts
var SECTORS_PER_TURN = 16;
var HashPass = class {
  #from;
  #size;
  #digests;
  #first = new Uint8Array(IMAGE_FACTS);
  #last = new Uint8Array(TRAILER);
  #offset = 0;
  #inTurn = 0;
  /** `head`: bytes that are not in flash yet and come first. */
  constructor(from, size, digests, head) {
    this.#from = from;
    this.#size = size;
    this.#digests = digests;
    if (head !== void 0) this.take(head);
  }
  /** The next read; a yield now and then; nothing when all is read. */
  next() {
    if (this.#offset >= this.#size) return [];
    if (this.#inTurn >= SECTORS_PER_TURN) {
      this.#inTurn = 0;
      return [{ type: "yield" }];
    }
    this.#inTurn++;
    const end = Math.min(this.#size, (Math.floor(this.#offset / SECTOR) + 1) * SECTOR);
    return [{ type: "read", from: this.#from, offset: this.#offset, length: end - this.#offset }];
  }
  take(bytes) {
    const { whole, signed } = this.#digests;
    if (this.#offset < IMAGE_FACTS) this.#first.set(bytes.subarray(0, IMAGE_FACTS - this.#offset), this.#offset);
    whole?.write(bytes);
    if (signed !== void 0) this.takeSigned(signed, bytes);
    this.#offset += bytes.length;
  }
  takeSigned(signed, bytes) {
    const inside = Math.min(bytes.length, Math.max(0, this.#size - TRAILER - this.#offset));
    if (inside > 0) signed.write(bytes.subarray(0, inside));
    if (inside < bytes.length) this.#last.set(bytes.subarray(inside), this.#offset + inside - Math.max(0, this.#size - TRAILER));
  }
  /** Once, at the end: digest of the whole file (lower-case hex), hash of the signed part, the trailer behind that, and what an image says it is. */
  close() {
    const { whole, signed } = this.#digests;
    return { whole: whole === void 0 ? void 0 : toHex(whole.close()), signed: signed?.close(), trailer: this.#last, first: this.#first };
  }
};

// src/job/sealing.ts
function digestMatched(context, now) {
  const { memory } = context;
  if (memory === void 0) return [];
  return [...memory.enter({ phase: "sealing" }), ...memory.offer.part === void 0 ? seal(context) : install(context, now)];
}
function seal(context) {
  const { memory } = context;
  if (memory === void 0) return [];
  return [
    { type: "report", token: "burning", report: { kind: "burning", task: memory.offer } },
    { type: "notify", notice: { event: "state", state: "burning" } },
    ...programHead(context, 0)
  ];
}
function programHead(context, repairs) {
  const head = context.memory?.head;
  if (head === void 0) return fail(context, "flash", "the head of the image is lost", {});
  context.state = { name: "sealing", repairs };
  return [
    { type: "write", offset: 0, bytes: head },
    { type: "compare", offset: 0, bytes: head, erased: 0 }
  ];
}
function headCompared(context, equal2) {
  if (context.state.name !== "sealing") return [];
  if (equal2) return [{ type: "verify" }];
  const repairs = context.state.repairs + 1;
  if (repairs <= SECTOR_REPAIRS) return programHead(context, repairs);
  return fail(context, "flash", `flash at 0x0 does not hold the first ${HEAD} bytes`, { eraseHead: true });
}
function verified(context, length, now) {
  const { memory } = context;
  if (memory === void 0 || context.state.name !== "sealing") return [];
  if (length > memory.offer.size) return fail(context, "rejected", `image of ${length} bytes is longer than the file of ${memory.offer.size}`, { blame: true, eraseHead: true });
  context.state = { name: "burning", until: now + BURNING_ACK };
  return [];
}
function askRestart(context) {
  const { memory } = context;
  if (memory === void 0) return [];
  context.state = { name: "restart" };
  return [{ type: "ask", question: "restart", task: memory.offer }];
}
function activate(context, trials) {
  const { memory, facts } = context;
  if (memory === void 0) return [];
  context.state = { name: "leaving" };
  return [
    ...memory.enter({ phase: "sealing", trials }),
    { type: "invalidate" },
    ...memory.enter({ phase: "trial", trials, activations: memory.state.activations + 1 }),
    { type: "activate" },
    { type: "notify", notice: { event: "reboot", slot: facts.target } },
    { type: "reboot", slot: facts.target }
  ];
}

// src/job/verifying.ts
function verify(context, now, trials) {
  const { memory, options } = context;
  if (memory === void 0) return [];
  const { offer: offer2, head } = memory;
  const signed = options.refusalOfSignature === void 0 ? void 0 : options.digest("SHA256");
  if (offer2.digest === void 0 && signed === void 0) return proven(context, trials, now);
  if (head === void 0 && trials === void 0) return fail(context, "flash", "the head of the image is lost", {});
  const digests = { whole: offer2.digest === void 0 ? void 0 : options.digest(offer2.digest.algorithm), signed };
  const pass = offer2.part === void 0 ? new HashPass("target", offer2.size, digests, trials === void 0 ? head : void 0) : new HashPass("part", offer2.size, digests);
  context.state = { name: "verifying", pass, trials };
  return [{ type: "notify", notice: { event: "state", state: "verifying" } }, ...readOn(context, now)];
}
function proven(context, trials, now) {
  return trials === void 0 ? digestMatched(context, now) : activate(context, trials);
}
var runsAlready = (offer2, { running }) => offer2.part === void 0 && offer2.version === running.version && offer2.size > 0;
function checkRunning(context, now) {
  const { memory, options } = context;
  if (memory === void 0) return [];
  const { offer: offer2 } = memory;
  if (offer2.digest === void 0) return fail(context, "rejected", `version ${offer2.version} runs already, and without a digest it can not be told from another image`, {});
  context.state = { name: "checking", pass: new HashPass("running", offer2.size, { whole: options.digest(offer2.digest.algorithm) }) };
  return readOn(context, now);
}
function hashBytes(context, bytes, now) {
  const { state } = context;
  if (state.name !== "verifying" && state.name !== "checking") return [];
  state.pass.take(bytes);
  return readOn(context, now);
}
function readOn(context, now) {
  const { state, memory } = context;
  if (state.name !== "verifying" && state.name !== "checking" || memory === void 0) return [];
  const next = state.pass.next();
  if (next.length > 0) return next;
  const { version, digest: digest2, part } = memory.offer;
  const { whole, signed, trailer, first } = state.pass.close();
  const same = digest2 === void 0 || whole === digest2.hex;
  if (state.name === "checking") {
    if (same) return conclude(context, { kind: "done" });
    return fail(context, "rejected", `version ${version} runs already, with another digest; offer a new version`, {});
  }
  if (!same) return mismatch(context, `${digest2.algorithm} of what is in flash is ${whole}`);
  const unsigned = signed === void 0 ? void 0 : context.options.refusalOfSignature?.(signed, trailer);
  if (unsigned !== void 0) return fail(context, "signature", unsigned, { blame: true, eraseHead: part === void 0 });
  const refusal = part === void 0 ? refusalOfImage(first, memory.offer, context.facts.running, context.floor, context.options.policy) : void 0;
  if (refusal !== void 0) return fail(context, "rejected", refusal, { eraseHead: true });
  return proven(context, state.trials, now);
}
function mismatch(context, message) {
  const { memory } = context;
  if (memory === void 0) return [];
  if (!context.mixed) return fail(context, "digest-mismatch", message, { eraseHead: memory.offer.part === void 0 });
  context.mixed = false;
  context.state = { name: "downloading" };
  const { url, size } = memory.offer;
  return [...memory.dropCheckpoint(), { type: "download", url, offset: 0, size, validator: void 0, hasDigest: true }];
}

// src/job/downloading.ts
function download(context, now) {
  const { memory } = context;
  if (memory === void 0) return [];
  const { offer: offer2, offset } = memory;
  const effects = offer2.part === void 0 ? [{ type: "invalidate" }] : [];
  if (offset > 0) effects.push({ type: "notify", notice: { event: "resume", offset } });
  context.progress = new Progress(now);
  effects.push(...progressReport(context, now));
  if (memory.complete) return [...effects, ...open(context), ...verify(context, now)];
  context.state = { name: "downloading" };
  return [...effects, { type: "download", url: offer2.url, offset, size: offer2.size, validator: memory.record.validator, hasDigest: offer2.digest !== void 0 }];
}
function total(context, size, validator, now) {
  const { memory, facts } = context;
  if (memory === void 0 || context.state.name !== "downloading") return [];
  const { offer: offer2 } = memory;
  const room = noRoom(size, capacityFor(context, offer2), offer2);
  if (room !== void 0) return fail(context, "rejected", room, {});
  const effects = memory.learn(size, validator, context.leftFor(offer2));
  if (offer2.size > 0) return [...effects, ...open(context)];
  if (runsAlready(memory.offer, facts)) return [{ type: "stop-download" }, ...effects, ...checkRunning(context, now)];
  return memory.offset > 0 ? [{ type: "stop-download" }, ...effects, ...download(context, now)] : [...effects, ...open(context)];
}
function sector(context, offset, bytes) {
  const { memory, facts, options } = context;
  if (memory === void 0 || context.state.name !== "downloading" || offset !== memory.offset) return [];
  const part = memory.offer.part !== void 0;
  if (offset === 0 && !part) {
    const refusal = refusalOfImage(bytes, memory.offer, facts.running, context.floor, options.policy);
    if (refusal !== void 0) return fail(context, "rejected", refusal, {});
  }
  context.storing = new SectorStore(offset, bytes, part);
  return context.storing.effects();
}
function sectorCompared(context, equal2, now) {
  const { memory, storing } = context;
  if (memory === void 0 || storing === void 0) return [];
  if (!equal2) return storing.repair() ?? fail(context, "flash", `flash at 0x${storing.address.toString(16)} does not hold what is written`, {});
  context.storing = void 0;
  context.renewals = 0;
  return [...memory.advance(storing.sector, storing.head), ...progressReport(context, now)];
}
function progressReport(context, now) {
  const { memory } = context;
  const percent = memory === void 0 ? void 0 : context.progress.due(memory.offset, memory.offer.size, now);
  if (memory === void 0 || percent === void 0) return [];
  return [
    { type: "report", report: { kind: "progress", task: memory.offer, percent } },
    { type: "notify", notice: { event: "state", state: "downloading", percent } }
  ];
}
function expired(context, why, now) {
  const { memory, freshUrl } = context;
  if (memory === void 0 || context.state.name !== "downloading") return [];
  if (freshUrl !== void 0 && freshUrl !== memory.offer.url) return renew(context, freshUrl);
  return askForUrl(context, why, now);
}
function askForUrl(context, why, now) {
  const { rules } = context.options.platform;
  if (!rules.renewable) return fail(context, "url-expired", why, { keepCheckpoint: true });
  if (context.renewals >= URL_RENEWALS) return fail(context, "url-expired", `${why}; asked for a fresh URL ${context.renewals} times`, { keepCheckpoint: true });
  context.renewals++;
  context.state = { name: "renewing", until: now + RENEWAL_TIMEOUT, why };
  return reportVersion(context);
}
function renew(context, url) {
  if (context.memory === void 0) return [];
  context.state = { name: "downloading" };
  return [...context.memory.renew(url), { type: "renew", url }];
}

// src/job/offers.ts
function offered(context, offer2, now) {
  const { state, memory } = context;
  if (memory !== void 0 && sameImage(memory.offer, offer2)) return [...context.owed.settled(offer2), ...pushedAgain(context, memory, offer2, now)];
  if (state.name === "trial" || state.name === "reporting" || state.name === "installing") return keep(context, offer2, now);
  if (state.name === "consent" && sameImage(state.offer, offer2)) {
    context.state = { name: "consent", offer: offer2 };
    return [];
  }
  const refusal = refusalOf(context, offer2);
  if (refusal !== void 0) return answerNo(context, offer2, refusal, now);
  const inHand = memory?.offer ?? (state.name === "consent" ? state.offer : void 0);
  if (inHand !== void 0 && inHand.part !== offer2.part) return keep(context, offer2, now);
  context.state = { name: "consent", offer: offer2 };
  return [
    ...context.owed.waits(offer2, now),
    ...supersede(context),
    { type: "notify", notice: { event: "offer", version: offer2.version, size: offer2.size } },
    { type: "ask", question: "consent", task: offer2 }
  ];
}
function keep(context, offer2, now) {
  const refusal = context.kept === void 0 || refusalOf(context, context.kept) !== void 0 ? void 0 : refusalOf(context, offer2);
  if (refusal !== void 0) return answerNo(context, offer2, refusal, now);
  context.kept = offer2;
  return context.owed.waits(offer2, now);
}
function refusalOf(context, offer2) {
  const { facts, options } = context;
  return refusalOfOffer(offer2, facts.running, capacityFor(context, offer2), options.policy) ?? refusalOfBlamed(context, offer2);
}
function answerNo(context, offer2, refusal, now) {
  return [...context.owed.settled(offer2), ...refuse(context, offer2, failure("rejected", refusal), now)];
}
function refusalOfBlamed(context, offer2) {
  const blamed = offer2.part === void 0 ? context.refused.causeOf(offer2.digest) : void 0;
  return blamed === void 0 ? void 0 : `this image was ${blamed === "rolled-back" ? "rolled back" : "refused"} before; it is not tried again`;
}
function supersede(context) {
  const { memory } = context;
  if (memory === void 0) return [];
  context.letGo(true);
  context.storing = void 0;
  return [{ type: "stop-download" }, ...memory.forget(true)];
}
function consented(context, decision, now) {
  if (context.state.name !== "consent") return [];
  const { offer: offer2 } = context.state;
  context.state = { name: "idle" };
  if (decision === "accept") return begin(context, offer2, now);
  return [...context.owed.settled(offer2), ...refuse(context, offer2, failure("rejected", "declined by the application"), now)];
}
function begin(context, offer2, now) {
  const { facts, options } = context;
  const slot = offer2.part === void 0 ? facts.target : PART;
  const { memory, effects } = JobMemory.begin({ platform: options.platform.name, slot, offer: offer2 }, context.leftFor(offer2));
  effects.push(...context.owed.settled(offer2));
  context.memory = memory;
  context.freshUrl = offer2.url;
  context.renewals = 0;
  context.mixed = false;
  if (runsAlready(offer2, facts)) return [...effects, ...checkRunning(context, now)];
  return [...effects, ...download(context, now)];
}
function pushedAgain(context, memory, offer2, now) {
  context.freshUrl = offer2.url;
  if (context.state.name === "renewing") return renew(context, offer2.url);
  if (context.state.name !== "waiting") return [];
  const url = offer2.url === memory.offer.url ? [] : memory.renew(offer2.url);
  return [{ type: "notify", notice: { event: "offer", version: offer2.version, size: memory.offer.size } }, ...url, ...download(context, now)];
}

// src/job/job.ts
var UpdateJob = class {
  #context;
  constructor(options, facts) {
    this.#context = new JobContext(options, facts);
  }
  /** Name of the state, for people. */
  get state() {
    return this.#context.state.name;
  }
  /** The job in hand, if any. */
  get task() {
    return this.#context.memory?.offer;
  }
  /** When `tick` is wanted next. */
  deadline() {
    const { state, owed, askAgainAt } = this.#context;
    const own = "until" in state ? state.until : state.name === "idle" ? askAgainAt : void 0;
    return earlier(owed.deadline(), own);
  }
  handle(event, now) {
    const context = this.#context;
    if (context.state.name === "leaving" && event.type !== "effect-failed") return [];
    switch (event.type) {
      case "boot":
        return [...this.boot(now), ...this.takeWaiting(now)];
      case "offer":
        return offered(context, event.offer, now);
      case "refused":
        return refuse(context, event.task, event.outcome, now);
      case "link":
        context.linkUp = event.up;
        context.versionReported = false;
        context.askAgainAt = event.up && context.options.platform.rules.renewable ? now + REREPORT : void 0;
        return event.up ? linkUp(context) : [];
      case "acked":
        return this.acked(event.token, now);
      case "total":
        return total(context, event.size, event.validator, now);
      case "sector":
        return sector(context, event.offset, event.bytes);
      case "compared":
        return context.state.name === "sealing" ? headCompared(context, event.equal) : sectorCompared(context, event.equal, now);
      case "start-over":
        return context.memory === void 0 ? [] : [...context.memory.dropCheckpoint(), { type: "notify", notice: { event: "warning", message: event.reason } }];
      case "changed":
        context.mixed = true;
        return [];
      case "finished":
        return context.state.name === "downloading" ? verify(context, now) : [];
      case "expired":
        return expired(context, event.message, now);
      case "download-failed":
        return context.state.name === "downloading" ? fail(context, event.cause, event.message, { keepCheckpoint: event.cause !== "rejected" }) : [];
      case "bytes":
        return hashBytes(context, event.bytes, now);
      case "turn":
        return readOn(context, now);
      case "verified":
        return verified(context, event.length, now);
      case "effect-failed":
        return this.effectFailed(event.effect, event.message);
      case "consent":
        return [...consented(context, event.decision, now), ...this.takeKept(now)];
      case "install":
        return installed(context, event.ok, event.message);
      case "restart":
        return context.state.name === "restart" ? activate(context, context.memory?.state.trials ?? 0) : [];
      case "health":
        return [...health(context, event.ok, event.message), ...this.takeKept(now)];
      case "tick":
        return [...context.owed.store(now), ...this.tick(now)];
    }
  }
  boot(now) {
    const context = this.#context;
    const { facts, options } = context;
    const memory = context.restore();
    const blamed = memory !== void 0 && context.refused.causeOf(memory.offer.digest) === "rolled-back";
    const verdict = judgeBoot(memory, facts, options.platform.name, options.policy.maxAttempts, blamed);
    if (verdict.kind === "trial") return startTrial(context, verdict.ofJob, now);
    if (memory === void 0 || verdict.kind === "idle") return raiseFloor(context);
    const rolledBack = memory.state.phase === "trial" && memory.record.slot === facts.target ? [{ type: "notify", notice: { event: "rollback", version: memory.offer.version } }] : [];
    switch (verdict.kind) {
      case "drop":
        context.memory = void 0;
        return [
          ...memory.forget(false),
          { type: "notify", notice: { event: "warning", message: `stored job dropped: ${verdict.why}` } },
          ...verdict.unconfirmed === true ? startTrial(context, false, now) : []
        ];
      case "report":
        if (verdict.goBack === true) return [{ type: "rollback" }, ...say(context, verdict.outcome)];
        return [...rolledBack, ...finishFailure(context, verdict.outcome), ...say(context, verdict.outcome)];
      case "rolled-back":
        return [...rolledBack, ...fail(context, "rolled-back", verdict.message, { blame: verdict.blame, keepCheckpoint: !verdict.blame })];
      case "try-again":
      case "seal":
      case "resume":
        return this.goOn(verdict, memory, now);
    }
  }
  /** The job in the store goes on, if what runs now would still take it: something else may have been flashed meanwhile. */
  goOn(verdict, memory, now) {
    const context = this.#context;
    const { facts, options } = context;
    const refusal = refusalOfOffer(memory.offer, facts.running, capacityFor(context, memory.offer), options.policy);
    if (refusal !== void 0) return fail(context, "rejected", refusal, { eraseHead: memory.offer.part === void 0 });
    if (verdict.kind === "try-again") return verify(context, now, verdict.trials);
    if (verdict.kind === "seal" || memory.complete) return [...open(context), ...verify(context, now)];
    if (runsAlready(memory.offer, facts)) return checkRunning(context, now);
    context.state = { name: "waiting", until: now + options.platform.rules.resumeDelay };
    return [];
  }
  acked(token, now) {
    const context = this.#context;
    switch (token) {
      case "version":
        return reached(context);
      case "burning":
        return context.state.name === "burning" ? askRestart(context) : [];
      case "outcome":
        return context.state.name === "reporting" ? this.over(now) : [];
      case "refused":
        return context.owed.answered();
    }
  }
  /** The one terminal outcome has arrived: the job is over. */
  over(now) {
    const context = this.#context;
    const { memory } = context;
    if (memory === void 0) return [];
    const keep2 = waitingOutcome(context)?.kind === "fail" && memory.offset > 0;
    context.letGo(keep2);
    context.state = { name: "idle" };
    return [...memory.forget(keep2), ...context.versionReported ? [] : reportVersion(context), ...this.takeKept(now)];
  }
  /** The offer that waited when the power went. */
  takeWaiting(now) {
    const { owed, state } = this.#context;
    return owed.offer === void 0 || state.name === "leaving" ? [] : offered(this.#context, owed.offer, now);
  }
  /** The latest offer that came while none could be taken. */
  takeKept(now) {
    const context = this.#context;
    const { kept } = context;
    if (kept === void 0 || context.state.name !== "idle") return [];
    context.kept = void 0;
    return offered(context, kept, now);
  }
  tick(now) {
    const context = this.#context;
    const { state } = context;
    if (state.name === "idle") return askAgain(context, now);
    if (!("until" in state) || now < state.until) return [];
    switch (state.name) {
      case "waiting":
        return download(context, now);
      case "renewing":
        if (context.linkUp) return askForUrl(context, state.why, now);
        context.state = { ...state, until: now + RENEWAL_TIMEOUT };
        return [];
      case "burning":
        return askRestart(context);
      case "trial":
        return trialOver(context, state.asked);
      case "installing":
        return installed(context, false, `not installed within ${INSTALL_TIMEOUT / 6e4} min`);
    }
  }
  effectFailed(effect, message) {
    const context = this.#context;
    const warning = { type: "notify", notice: { event: "warning", message: `${effect}: ${message}` } };
    const waiting = waitingOutcome(context);
    switch (effect) {
      case "put-number":
      case "put-bytes":
      case "delete":
        if (context.state.name === "leaving" && context.memory?.outcome !== void 0) return [warning, { type: "rollback" }, { type: "reboot", slot: context.facts.target }];
        return waiting === void 0 ? [warning, ...fail(context, "flash", `store: ${message}`, {})] : [warning, ...say(context, waiting)];
      case "erase":
      case "write":
      case "compare":
      case "read":
      case "invalidate":
        return waiting === void 0 ? fail(context, "flash", message, { eraseHead: context.state.name === "sealing" }) : [warning, ...conclude(context, waiting)];
      case "open-part":
        return fail(context, "rejected", message, { keepCheckpoint: true });
      case "verify":
      case "activate":
        return fail(context, "rejected", message, { blame: true, eraseHead: true });
      case "download":
        return fail(context, "download", message, { keepCheckpoint: true });
      case "confirm":
        return giveUp(context, `confirm: ${message}`, false);
      case "rollback":
        return [warning, { type: "reboot", slot: context.facts.target }];
      default:
        return [warning];
    }
  }
};

// src/signature/check.ts
function refusalOfSignature(hash, last, keys, crypto) {
  try {
    const { keyId, r, s } = readTrailer(last);
    if (!isScalar(r) || !isScalar(s)) return "signature number is out of range";
    const named = keyId.some((byte) => byte !== 0);
    const candidates = named ? keys.filter((key) => startsWith(fingerprintOf(key, crypto), keyId)) : keys;
    if (candidates.length === 0) return "signed by a key that is not trusted here";
    return candidates.some((key) => crypto.verifyP256(key, hash, r, s)) ? void 0 : "signature does not match the file";
  } catch (error) {
    return error.message;
  }
}
function fingerprintOf(point, crypto) {
  const digest2 = crypto.digest("SHA256");
  digest2.write(point);
  return digest2.close();
}
var startsWith = (bytes, prefix) => prefix.every((byte, index) => bytes[index] === byte);

// src/util/base64.ts
var ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
function decodeBase64(text3) {
  if (text3.length % 4 !== 0) throw new RangeError(`base64: ${text3.length} characters, not a multiple of 4`);
  const padding = text3.endsWith("==") ? 2 : text3.endsWith("=") ? 1 : 0;
  const digits = text3.length - padding;
  const bytes = new Uint8Array(digits * 3 >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  let position = 0;
  for (const character of text3) {
    if (position === digits) break;
    const value = ALPHABET.indexOf(character);
    if (value < 0) throw new RangeError(`base64: character ${position + 1} is not in the alphabet A-Z a-z 0-9 + /`);
    position++;
    bits = (bits << 6 | value) & 4095;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = bits >> held & 255;
    }
  }
  return bytes;
}

// src/signature/keys.ts
var SPKI = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
function readPublicKey(text3) {
  const pem = /^\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(text3)?.[1];
  const point = pem === void 0 ? pointOfHex(text3.trim()) : pointOfSpki(decodeBase64(pem.replace(/\s+/g, "")));
  if (!isPoint(point)) throw new Error("public key: the point is not on P-256");
  return point;
}
function pointOfSpki(der) {
  const prefix = fromHex(SPKI);
  if (der.length !== prefix.length + POINT || prefix.some((byte, index) => der[index] !== byte)) throw new Error("public key: not an uncompressed P-256 key");
  return der.slice(prefix.length);
}
function pointOfHex(text3) {
  if (!/^04[0-9A-Fa-f]{128}$/.test(text3)) throw new Error("public key: PEM (BEGIN PUBLIC KEY) or 130 hex digits of an uncompressed P-256 point are expected");
  return fromHex(text3.toLowerCase());
}

// src/util/backoff.ts
var Backoff = class {
  #random;
  #first;
  #cap;
  #ceiling;
  /** `random` is uniform in [0, 1); `first` and `cap` are the first and the largest ceiling, ms. */
  constructor(random, first, cap) {
    this.#random = random;
    this.#first = first;
    this.#cap = cap;
    this.#ceiling = first;
  }
  /** The next wait, whole ms: anything from 0 to below the ceiling. */
  next() {
    const wait = Math.floor(this.#random() * this.#ceiling);
    this.#ceiling = Math.min(this.#cap, this.#ceiling * 2);
    return wait;
  }
  /** An attempt succeeded for good. */
  reset() {
    this.#ceiling = this.#first;
  }
};

// src/mqtt/codec.ts
import { generate, parser, writeToStream } from "mqtt-packet";
var newParser = parser;
var encode = generate;
writeToStream.cacheNumbers = false;
var PacketDecoder = class {
  #parser = newParser();
  #parsed;
  #error;
  constructor() {
    this.#parser.on("packet", (packet) => {
      this.#parsed = packet;
    });
    this.#parser.on("error", (error) => {
      this.#error = error.message;
    });
  }
  /** Never throws. After "malformed" the decoder is spent. */
  decode(bytes) {
    try {
      this.#parser.parse(bytes);
    } catch (error) {
      this.#error = String(error);
    }
    const parsed = this.#parsed;
    this.#parsed = void 0;
    return parsed && this.#error === void 0 ? checked(parsed) : { type: "malformed", reason: this.#error ?? "incomplete packet" };
  }
};
function checked(parsed) {
  const { cmd, messageId: id = 0, qos = 0 } = parsed;
  if (id <= 0 && cmd !== "connack" && cmd !== "pingresp" && !(cmd === "publish" && qos === 0)) return { type: "malformed", reason: `${cmd} without a packet id` };
  switch (cmd) {
    case "connack":
      return parsed.returnCode === void 0 ? { type: "malformed", reason: "connack without a code" } : { type: cmd, code: parsed.returnCode };
    case "publish":
      return { type: cmd, topic: parsed.topic, payload: plain(parsed.payload), qos, id: qos === 0 ? 0 : id };
    case "puback":
    case "pubrel":
      return { type: cmd, id };
    case "suback":
      return parsed.granted?.length === 1 ? { type: cmd, id, code: parsed.granted[0] } : { type: "malformed", reason: "suback without exactly one code" };
    case "pingresp":
      return { type: cmd };
    default:
      return { type: "malformed", reason: `${cmd} is not for a client` };
  }
}
function plain(bytes) {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
function connect(identity) {
  const { clientId, username, password, keepAlive: keepalive } = identity;
  return plain(encode({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, clientId, username, password, keepalive }));
}
function subscribe(id, topic) {
  return plain(encode({ cmd: "subscribe", messageId: id, subscriptions: [{ topic, qos: 1 }] }));
}
function publish(message, id, dup) {
  const { topic, payload, qos } = message;
  return plain(encode({ cmd: "publish", topic, payload, qos, messageId: id, dup, retain: false }));
}
function acknowledge(cmd, id) {
  return plain(encode({ cmd, messageId: id }));
}
function pingreq() {
  return plain(encode({ cmd: "pingreq" }));
}
function disconnect() {
  return plain(encode({ cmd: "disconnect" }));
}

// src/mqtt/framing.ts
var PUBLISH = 3;
var PUBLISH_MAX = 2 + MQTT_TOPIC_MAX + 2 + MQTT_PAYLOAD_MAX;
var LENGTHS = Object.freeze({ 2: 2, 4: 2, 6: 2, 9: 3, 13: 0 });
var EMPTY = new Uint8Array(0);
var PacketFramer = class {
  #input = EMPTY;
  #at = 0;
  /** Fixed header as far as it has come: one byte of type and flags, one to four of length. */
  #header = [];
  #remaining = 0;
  /** Where the packet is stored, header included; undefined while a header is read or a packet skipped. */
  #packet;
  #filled = 0;
  #skipping = false;
  /** Of the PUBLISH being skipped: bytes gone by, and the two fields picked out of them. */
  #passed = 0;
  #topicLength = 0;
  #id = 0;
  /** The next bytes of the stream. They are read until `next` has returned undefined, and not kept afterwards. */
  push(bytes) {
    this.#input = bytes;
    this.#at = 0;
  }
  /** The next complete frame; undefined: more bytes are needed. After "malformed" the framer is spent. */
  next() {
    while (this.#at < this.#input.length) {
      const frame = this.#packet ? this.store() : this.#skipping ? this.skip() : this.readHeader();
      if (frame) return frame;
    }
    this.#input = EMPTY;
    this.#at = 0;
    return void 0;
  }
  readHeader() {
    const header = this.#header;
    const byte = this.#input[this.#at++];
    header.push(byte);
    if (header.length === 1) return void 0;
    this.#remaining += (byte & 127) * 128 ** (header.length - 2);
    if (byte & 128) return header.length === 5 ? { type: "malformed", reason: "remaining length of more than four bytes" } : void 0;
    return this.begin();
  }
  /** The header is complete: decides what becomes of the packet. */
  begin() {
    const header = this.#header;
    const type = header[0] >> 4;
    const length = this.#remaining;
    if (type !== PUBLISH && LENGTHS[type] !== length)
      return { type: "malformed", reason: LENGTHS[type] === void 0 ? `packet type ${type} is not for a client` : `packet type ${type} of length ${length}` };
    if (type === PUBLISH && this.qos === 3) return { type: "malformed", reason: "QoS 3" };
    if (length > PUBLISH_MAX) {
      this.#skipping = true;
      return void 0;
    }
    this.#packet = new Uint8Array(header.length + length);
    this.#packet.set(header);
    this.#filled = header.length;
    return length === 0 ? this.store() : void 0;
  }
  store() {
    const packet = this.#packet;
    const end = Math.min(this.#input.length, this.#at + packet.length - this.#filled);
    packet.set(this.#input.subarray(this.#at, end), this.#filled);
    this.#filled += end - this.#at;
    this.#at = end;
    if (this.#filled < packet.length) return void 0;
    const frame = this.tooLarge(packet) ?? { type: "packet", bytes: packet };
    this.reset();
    return frame;
  }
  /** A stored PUBLISH whose topic or payload is beyond its own limit though their sum is not. */
  tooLarge(packet) {
    if (this.#header[0] >> 4 !== PUBLISH || this.#remaining < 2) return void 0;
    const topic = this.#header.length;
    this.#topicLength = packet[topic] << 8 | packet[topic + 1];
    const id = topic + 2 + this.#topicLength;
    this.#id = (packet[id] ?? 0) << 8 | (packet[id + 1] ?? 0);
    const payload = this.#remaining - this.headLength;
    return payload >= 0 && (this.#topicLength > MQTT_TOPIC_MAX || payload > MQTT_PAYLOAD_MAX) ? this.skipped() : void 0;
  }
  skip() {
    const from = this.#passed;
    const until = Math.min(this.#remaining, from + this.#input.length - this.#at);
    const byte = (position) => position >= from && position < until ? this.#input[this.#at + position - from] : 0;
    this.#topicLength |= byte(0) << 8 | byte(1);
    this.#id |= byte(2 + this.#topicLength) << 8 | byte(3 + this.#topicLength);
    this.#at += until - from;
    this.#passed = until;
    if (until < this.#remaining) return void 0;
    const frame = this.skipped();
    this.reset();
    return frame;
  }
  skipped() {
    if (this.headLength > this.#remaining) return { type: "malformed", reason: "topic longer than its packet" };
    if (this.qos > 0 && this.#id === 0) return { type: "malformed", reason: "publish without a packet id" };
    return { type: "skipped", qos: this.qos, id: this.qos > 0 ? this.#id : 0, length: this.#header.length + this.#remaining };
  }
  get qos() {
    return this.#header[0] >> 1 & 3;
  }
  /** Bytes before a PUBLISH's payload, fixed header aside. */
  get headLength() {
    return 2 + this.#topicLength + (this.qos > 0 ? 2 : 0);
  }
  reset() {
    this.#header = [];
    this.#remaining = 0;
    this.#packet = void 0;
    this.#filled = 0;
    this.#skipping = false;
    this.#passed = 0;
    this.#topicLength = 0;
    this.#id = 0;
  }
};

// src/mqtt/liveness.ts
var Liveness = class {
  #interval;
  #lastSent;
  #lastReceived;
  /** When the answer to a ping must have come; undefined: none under way. */
  #answerEnd;
  /** `keepAlive` in seconds. 0 means that the broker does not watch us; we still watch it. */
  constructor(keepAlive, now) {
    this.#interval = (keepAlive || MQTT_KEEPALIVE) * 1e3;
    this.#lastSent = now;
    this.#lastReceived = now;
  }
  sent(now) {
    this.#lastSent = now;
  }
  /** Any byte is a sign of life, not only a PINGRESP. */
  received(now) {
    this.#lastReceived = now;
    this.#answerEnd = void 0;
  }
  /** A ping leaves now. */
  pinged(now) {
    this.#lastSent = now;
    this.#answerEnd = now + MQTT_REPLY_TIMEOUT;
  }
  judge(now) {
    if (now < this.deadline()) return "alive";
    return this.#answerEnd === void 0 ? "ping" : "dead";
  }
  /** When the judgement changes unless something happens. */
  deadline() {
    return this.#answerEnd ?? Math.min(this.#lastSent, this.#lastReceived) + this.#interval;
  }
};

// src/mqtt/outbox.ts
var Outbox = class {
  #kept = /* @__PURE__ */ new Map();
  /** Ids of packets whose answer is still to come although nobody waits for it: they are not given out again on this connection. */
  #abandoned = [];
  #lastId = 0;
  /** A new connection, or none: nothing is on its way any more, packet ids start to mean something else. */
  disconnected() {
    this.#abandoned = [];
    for (const kept of this.#kept.values()) kept.id = 0;
  }
  /** Keeps a publish, in place of an older one of the same token. False: no room. */
  keep(token, message) {
    const older = this.#kept.get(token);
    if (!older && this.#kept.size >= MQTT_INFLIGHT) return false;
    const same = older !== void 0 && older.message.topic === message.topic && older.message.payload === message.payload;
    if (older && !same) this.cancel(token);
    this.#kept.delete(token);
    this.#kept.set(token, { token, message, id: same ? older.id : 0, sentAt: 0 });
    return true;
  }
  cancel(token) {
    const kept = this.#kept.get(token);
    if (!kept) return;
    this.#kept.delete(token);
    if (kept.id === 0) return;
    this.#abandoned.push(kept.id);
    if (this.#abandoned.length > MQTT_INFLIGHT) this.#abandoned.shift();
  }
  /** PUBACK came: the token whose publish it acknowledges, if any. */
  acknowledged(id) {
    this.#abandoned = this.#abandoned.filter((abandoned) => abandoned !== id);
    for (const kept of this.#kept.values()) {
      if (kept.id !== id) continue;
      this.#kept.delete(kept.token);
      return kept.token;
    }
    return void 0;
  }
  /** Marks the token's publish as sent at `now`. */
  send(token, now) {
    const kept = this.#kept.get(token);
    const dup = kept.id !== 0;
    if (!dup) kept.id = this.takeId();
    kept.sentAt = now;
    return { message: kept.message, id: kept.id, dup };
  }
  /** Tokens whose time to be sent (again) has come, in order. */
  due(now) {
    return [...this.#kept.values()].filter((kept) => kept.id === 0 || now >= kept.sentAt + MQTT_RESEND).map((kept) => kept.token);
  }
  /** When the next publish is due: `at once` if one was not sent on this connection; undefined if none is kept. */
  deadline(atOnce) {
    if (this.#kept.size === 0) return void 0;
    let earliest;
    for (const kept of this.#kept.values()) {
      const due = kept.id === 0 ? atOnce : kept.sentAt + MQTT_RESEND;
      if (earliest === void 0 || due < earliest) earliest = due;
    }
    return earliest;
  }
  /** A packet id (1..65535) that nothing on this connection uses. */
  takeId() {
    do
      this.#lastId = this.#lastId === 65535 ? 1 : this.#lastId + 1;
    while (this.inUse(this.#lastId));
    return this.#lastId;
  }
  inUse(id) {
    if (this.#abandoned.includes(id)) return true;
    for (const kept of this.#kept.values()) if (kept.id === id) return true;
    return false;
  }
};

// src/mqtt/refusals.ts
var CONNACK = Object.freeze({
  1: "unacceptable protocol version: the broker does not speak MQTT 3.1.1",
  2: "client id rejected: check the client id and its length",
  3: "server unavailable: the broker is up but not in service",
  4: "bad user name or password: check the device's secret, the user name and, if credentials expire, the clock",
  5: "not authorized: check that the device exists, is enabled and may connect"
});
function connackReason(code) {
  return `the broker refused the connection, code ${code}: ${CONNACK[code] ?? "not a code of MQTT 3.1.1"}`;
}

// src/mqtt/session.ts
var REFUSED = 128;
var QOS2 = 65536;
var CONNECTION = 131072;
var MqttSession = class {
  #options;
  #backoff;
  #outbox = new Outbox();
  #phase = "idle";
  /** When the phase ends by itself: the backoff, or the patience with peer and network. Infinity while up. */
  #phaseEnd = Infinity;
  /** Counts connections, so that a handle of an earlier one is known as such. */
  #connection = 0;
  #framer = new PacketFramer();
  #decoder = new PacketDecoder();
  #liveness = new Liveness(0, 0);
  /** Topics whose SUBACK is awaited, by packet id. */
  #awaited = /* @__PURE__ */ new Map();
  #granted = 0;
  /** The user name: some platforms make an access token of it and put that into topics, which must not be shown then. */
  #user = "";
  #upSince = 0;
  #warnedOfSize = false;
  constructor(options) {
    this.#options = options;
    this.#backoff = new Backoff(() => options.random(), BACKOFF_FIRST, BACKOFF_CAP);
  }
  get isUp() {
    return this.#phase === "up";
  }
  /** Begins to connect; nothing happens if that was done already. */
  start(now) {
    return this.#phase === "idle" ? this.connect(now) : [];
  }
  /** The connection asked for is open. */
  opened(now) {
    if (this.#phase !== "opening") return [];
    this.#connection++;
    this.#framer = new PacketFramer();
    this.#decoder = new PacketDecoder();
    this.#warnedOfSize = false;
    try {
      const identity = this.#options.identity();
      this.#user = identity.username ?? "";
      this.#liveness = new Liveness(identity.keepAlive, now);
      this.enter("connecting", now + MQTT_REPLY_TIMEOUT);
      return [this.send(connect(identity), now)];
    } catch (error) {
      return this.lose(`no CONNECT can be made of the identity: ${error instanceof Error ? error.message : "unknown error"}`, now, true);
    }
  }
  /** Bytes from the broker, in any pieces. They are not kept. */
  received(bytes, now) {
    if (!this.connected || bytes.length === 0) return [];
    const effects = [];
    this.#liveness.received(now);
    const framer = this.#framer;
    framer.push(bytes);
    for (let frame = framer.next(); frame; frame = this.connected ? framer.next() : void 0) effects.push(...this.take(frame, now));
    return effects;
  }
  /** The connection has ended, or could not be made. */
  closed(reason, now) {
    switch (this.#phase) {
      case "idle":
      case "waiting":
        return [];
      case "opening":
        return this.lose(`could not connect: ${reason}`, now, false);
      case "connecting":
        return this.lose(`closed before CONNACK (some brokers refuse credentials or a client id this way): ${reason}`, now, false);
      case "subscribing":
        return this.lose(`closed before SUBACK (some brokers refuse a subscription this way): ${reason}`, now, false);
      case "up": {
        const short = now - this.#upSince < MQTT_STABLE;
        return this.lose(`connection lost${short ? " soon after it was made (if that goes on, another client uses the same client id)" : ""}: ${reason}`, now, false);
      }
    }
  }
  /** Does what is due at `now`; harmless before `deadline()`. */
  tick(now) {
    const timedOut = now >= this.#phaseEnd;
    switch (this.#phase) {
      case "idle":
        return [];
      case "waiting":
        return timedOut ? this.connect(now) : [];
      case "opening":
        return timedOut ? this.lose(`no connection within ${CONNECT_TIMEOUT / 1e3} s`, now, true) : [];
      case "connecting":
        return timedOut ? this.lose(`no CONNACK within ${MQTT_REPLY_TIMEOUT / 1e3} s`, now, true) : [];
      case "subscribing":
        return timedOut ? this.lose(`no SUBACK within ${MQTT_REPLY_TIMEOUT / 1e3} s for ${[...this.#awaited.values()].map((topic) => this.shown(topic)).join(", ")}`, now, true) : [];
      case "up":
        return this.tickUp(now);
    }
  }
  /**
   * Publishes. QoS 0: sent now or, while down, dropped. QoS 1: needs a token, takes the place of an unacknowledged publish of
   * the same token, and is sent until PUBACK, across connections; "acked" follows. A "warn" says so if there is no room.
   */
  publish(token, message, now) {
    if (message.qos === 0) return this.isUp ? [this.send(publish(message, 0, false), now)] : [];
    if (token === void 0) throw new Error("a QoS 1 publish needs a token");
    if (!this.#outbox.keep(token, message)) return [{ type: "warn", message: `publish "${token}" dropped: too many are unacknowledged` }];
    return this.isUp ? [this.sendKept(token, now)] : [];
  }
  /** Forgets the token's publish; if it is on its way already, its PUBACK will be ignored. */
  cancel(token) {
    this.#outbox.cancel(token);
  }
  /** Acknowledges a message; nothing happens if its connection is gone (the broker has forgotten it too: clean session). */
  handled(handle, now) {
    if (!this.connected || Math.floor(handle / CONNECTION) !== this.#connection) return [];
    return [this.send(acknowledge(handle % CONNECTION >= QOS2 ? "pubrec" : "puback", handle % QOS2), now)];
  }
  /** Takes leave of the broker. What is unacknowledged is kept for another `start`. */
  stop(now) {
    const effects = [];
    if (this.connected) effects.push(this.send(disconnect(), now));
    if (this.connected || this.#phase === "opening") effects.push({ type: "close" });
    this.leave("idle", Infinity);
    return effects;
  }
  /** When `tick` is wanted next. */
  deadline() {
    if (this.#phase === "idle") return void 0;
    if (this.#phase !== "up") return this.#phaseEnd;
    return Math.min(this.#liveness.deadline(), this.#outbox.deadline(this.#upSince) ?? Infinity);
  }
  get connected() {
    return this.#phase === "connecting" || this.#phase === "subscribing" || this.#phase === "up";
  }
  enter(phase, end) {
    this.#phase = phase;
    this.#phaseEnd = end;
  }
  connect(now) {
    this.enter("opening", now + CONNECT_TIMEOUT);
    return [{ type: "connect" }];
  }
  send(bytes, now) {
    this.#liveness.sent(now);
    return { type: "send", bytes };
  }
  sendKept(token, now) {
    const { message, id, dup } = this.#outbox.send(token, now);
    return this.send(publish(message, id, dup), now);
  }
  leave(phase, end) {
    this.enter(phase, end);
    this.#awaited.clear();
    this.#granted = 0;
    this.#outbox.disconnected();
  }
  /** `close`: the connection is still there and must be closed by us. */
  lose(reason, now, close) {
    if (this.isUp && now - this.#upSince >= MQTT_STABLE) this.#backoff.reset();
    const retryIn = this.#backoff.next();
    this.leave("waiting", now + retryIn);
    const down = { type: "down", reason, retryIn };
    return close ? [{ type: "close" }, down] : [down];
  }
  take(frame, now) {
    switch (frame.type) {
      case "malformed":
        return this.lose(`malformed packet from the broker: ${frame.reason}`, now, true);
      case "skipped":
        return this.#phase === "connecting" ? this.violated("publish before connack", now) : this.skipped(frame.qos, frame.id, frame.length, now);
      case "packet": {
        const packet = this.#decoder.decode(frame.bytes);
        return this.#phase === "connecting" ? this.first(packet, now) : this.packet(packet, now);
      }
    }
  }
  violated(what, now) {
    return this.lose(`protocol error by the broker: ${what}`, now, true);
  }
  skipped(qos, id, length, now) {
    const effects = [];
    if (qos > 0) effects.push(...this.handled(this.handle(qos, id), now));
    if (!this.#warnedOfSize) effects.push({ type: "warn", message: `a message of ${length} bytes was skipped: too large` });
    this.#warnedOfSize = true;
    return effects;
  }
  /** The first packet of a connection must be a CONNACK (MQTT 3.1.1, section 3.2). */
  first(packet, now) {
    if (packet.type === "malformed") return this.lose(`malformed packet from the broker: ${packet.reason}`, now, true);
    if (packet.type !== "connack") return this.violated(`${packet.type} before connack`, now);
    if (packet.code !== 0) return this.lose(connackReason(packet.code), now, true);
    this.enter("subscribing", now + MQTT_REPLY_TIMEOUT);
    const effects = this.#options.subscriptions.map((topic) => {
      const id = this.#outbox.takeId();
      this.#awaited.set(id, topic);
      return this.send(subscribe(id, topic), now);
    });
    return effects.length > 0 ? effects : this.up(now);
  }
  packet(packet, now) {
    switch (packet.type) {
      case "malformed":
        return this.lose(`malformed packet from the broker: ${packet.reason}`, now, true);
      case "connack":
        return this.violated("second connack", now);
      case "publish":
        return [{ type: "message", topic: packet.topic, payload: packet.payload, handle: packet.qos === 0 ? 0 : this.handle(packet.qos, packet.id) }];
      case "pubrel":
        return [this.send(acknowledge("pubcomp", packet.id), now)];
      case "puback": {
        const token = this.#outbox.acknowledged(packet.id);
        return token === void 0 ? [] : [{ type: "acked", token }];
      }
      case "suback":
        return this.suback(packet.id, packet.code, now);
      case "pingresp":
        return [];
    }
  }
  suback(id, code, now) {
    const topic = this.#awaited.get(id);
    if (topic === void 0) return [];
    this.#awaited.delete(id);
    const effects = [];
    if (code === REFUSED) effects.push({ type: "warn", message: `the broker refused the subscription to ${this.shown(topic)}: check the device's permissions` });
    else this.#granted++;
    if (this.#awaited.size > 0) return effects;
    effects.push(...this.#granted > 0 ? this.up(now) : this.lose("the broker refused every subscription: no offer could ever arrive", now, true));
    return effects;
  }
  shown(topic) {
    return this.#user === "" ? topic : topic.split(this.#user).join("*");
  }
  up(now) {
    this.enter("up", Infinity);
    this.#upSince = now;
    return [{ type: "up" }];
  }
  tickUp(now) {
    if (this.#liveness.judge(now) === "dead") return this.lose(`no answer to a ping within ${MQTT_REPLY_TIMEOUT / 1e3} s`, now, true);
    const effects = this.#outbox.due(now).map((token) => this.sendKept(token, now));
    if (this.#liveness.judge(now) === "ping") {
      this.#liveness.pinged(now);
      effects.push({ type: "send", bytes: pingreq() });
    }
    return effects;
  }
  handle(qos, id) {
    return this.#connection * CONNECTION + (qos === 2 ? QOS2 : 0) + id;
  }
};

// src/agent/outbox.ts
var LIMIT = 16384;
var Outbox2 = class {
  #waiting = [];
  #length = 0;
  /** False: too much is waiting. */
  send(socket, bytes) {
    this.#waiting.push(bytes);
    this.#length += bytes.length;
    this.flush(socket);
    return this.#length <= LIMIT;
  }
  flush(socket) {
    for (let first = this.#waiting[0]; first !== void 0; first = this.#waiting[0]) {
      const taken = socket.write(first);
      this.#length -= taken;
      if (taken < first.length) {
        this.#waiting[0] = first.subarray(taken);
        return;
      }
      this.#waiting.shift();
    }
  }
};

// src/agent/connection.ts
var Connection = class {
  #owner;
  #outbox = new Outbox2();
  #socket;
  #closed = false;
  /** Starts to connect. */
  constructor(owner, network, clock, options) {
    this.#owner = owner;
    try {
      this.#socket = network.connect(options, this);
    } catch (error) {
      const message = error.message;
      clock.set(() => this.closed({ kind: "other", message }), 0);
    }
  }
  /** False: the peer takes nothing and too much is waiting. */
  send(bytes) {
    return this.#socket === void 0 || this.#outbox.send(this.#socket, bytes);
  }
  /** Moves up to `into.length` waiting bytes; returns how many. */
  read(into) {
    return this.#closed ? 0 : this.#socket?.read(into) ?? 0;
  }
  /** Nothing more is told from here on. */
  close() {
    this.#closed = true;
    this.#socket?.close();
  }
  /* ---- told by the port ---- */
  opened() {
    this.tell(() => this.#owner.opened());
  }
  readable() {
    this.tell(() => this.#owner.readable());
  }
  writable() {
    this.tell(() => this.#socket !== void 0 && this.#outbox.flush(this.#socket));
  }
  closed(error) {
    this.tell(() => this.#owner.ended(error));
  }
  tell(event) {
    if (!this.#closed) this.#owner.enter(event);
  }
};

// src/agent/broker-link.ts
var SCRATCH = 1024;
var BrokerLink = class {
  #options;
  #session;
  #events;
  #connection;
  #scratch = new Uint8Array(SCRATCH);
  constructor(options) {
    this.#options = options;
  }
  start(topics, events) {
    this.#events = events;
    this.#session = new MqttSession({ identity: () => this.#options.identity(), subscriptions: topics, random: () => this.#options.random() });
    this.run(this.#session.start(this.now()));
  }
  publish(message, token) {
    if (this.#session !== void 0) this.run(this.#session.publish(token, message, this.now()));
  }
  stop() {
    if (this.#session !== void 0) this.run(this.#session.stop(this.now()));
    this.#session = void 0;
    this.close();
  }
  tick() {
    if (this.#session !== void 0) this.run(this.#session.tick(this.now()));
  }
  deadline() {
    return this.#session?.deadline();
  }
  /* ---- told by the connection ---- */
  enter(callback) {
    this.#options.enter(callback);
  }
  opened() {
    this.run(this.#session?.opened(this.now()) ?? []);
  }
  readable() {
    const connection = this.#connection;
    while (this.read(connection) > 0) ;
  }
  ended(error) {
    this.lost(error?.message ?? "closed by the broker");
  }
  /** 0: nothing more now, or not from this connection any more. */
  read(connection) {
    if (connection === void 0 || connection !== this.#connection) return 0;
    const count = connection.read(this.#scratch);
    if (count > 0) this.run(this.#session?.received(this.#scratch.subarray(0, count), this.now()) ?? []);
    return count;
  }
  /* ---- the session's effects ---- */
  now() {
    return this.#options.clock.now();
  }
  run(effects) {
    for (const effect of effects) this.execute(effect);
  }
  execute(effect) {
    switch (effect.type) {
      case "connect":
        return this.connect();
      case "send":
        if (this.#connection?.send(effect.bytes) === false) this.lost("the broker takes no bytes");
        return;
      case "close":
        return this.close();
      case "up":
        return this.#events?.up();
      case "down":
        return this.#events?.down(effect.reason);
      case "message":
        this.#events?.message(effect.topic, effect.payload);
        if (effect.handle !== 0 && this.#session !== void 0) this.run(this.#session.handled(effect.handle, this.now()));
        return;
      case "acked":
        return this.#events?.acked(effect.token);
      case "warn":
        return this.#events?.warning(effect.message);
    }
  }
  connect() {
    this.close();
    const { broker, network, clock } = this.#options;
    const { host, port, tls } = broker;
    this.#connection = new Connection(this, network, clock, { host, port, ...tls ? { tls: "mqtt" } : {} });
  }
  lost(reason) {
    this.close();
    this.run(this.#session?.closed(reason, this.now()) ?? []);
  }
  close() {
    this.#connection?.close();
    this.#connection = void 0;
  }
};

// src/agent/executor.ts
var Executor = class {
  #ports;
  #buffer;
  #erased = new Uint8Array(HEAD).fill(255);
  #installers;
  #open;
  /** `buffer`: one sector, lent between downloads. */
  constructor(ports, buffer, installers = /* @__PURE__ */ new Map()) {
    this.#ports = ports;
    this.#buffer = buffer;
    this.#installers = installers;
  }
  /** The installer of the module in hand. */
  get installer() {
    if (this.#open === void 0) throw new Error("no module is open");
    return this.#open;
  }
  /** Throws what the port throws. */
  execute(effect) {
    const { flash, boot, store } = this.#ports;
    switch (effect.type) {
      case "put-number":
        store.setNumber(effect.key, effect.value);
        return void 0;
      case "put-bytes":
        store.setBytes(effect.key, effect.bytes);
        return void 0;
      case "delete":
        store.delete(effect.key);
        return void 0;
      case "erase":
        flash.erase(effect.sector);
        return void 0;
      case "write":
        (effect.part === void 0 ? flash : this.installer).write(effect.offset, effect.bytes);
        return void 0;
      case "compare": {
        if (effect.part !== void 0) return { type: "compared", equal: this.installer.equals(effect.offset, effect.bytes) };
        const headErased = effect.erased === 0 || flash.equals(effect.offset - effect.erased, this.#erased.subarray(0, effect.erased));
        return { type: "compared", equal: headErased && flash.equals(effect.offset, effect.bytes) };
      }
      case "read": {
        const bytes = this.#buffer.subarray(0, effect.length);
        if (effect.from === "running") boot.readRunning(effect.offset, bytes);
        else (effect.from === "target" ? flash : this.installer).read(effect.offset, bytes);
        return { type: "bytes", bytes };
      }
      case "open-part":
        this.#open = this.#installers.get(effect.part);
        if (this.#open === void 0) throw new Error(`this firmware has no module ${JSON.stringify(effect.part)}`);
        this.#open.begin({ version: effect.version, size: effect.size }, effect.offset);
        return void 0;
      case "abort-part":
        quietly(() => this.#installers.get(effect.part)?.abort());
        this.#open = void 0;
        return void 0;
      case "invalidate":
        boot.invalidateTarget();
        return void 0;
      case "verify":
        return { type: "verified", length: boot.verifyTarget() };
      case "activate":
        boot.activate();
        return void 0;
      case "confirm":
        boot.confirm();
        return void 0;
      case "rollback":
        boot.rollback();
        return void 0;
      case "reboot":
        boot.restart();
        return void 0;
    }
  }
  /** What the store holds at power-on. A record that can not be read counts as absent, a store that throws as empty. */
  snapshot() {
    const { store } = this.#ports;
    return {
      job: quietly(() => store.getBytes(KEY_JOB)),
      offset: quietly(() => store.getNumber(KEY_OFFSET)),
      head: quietly(() => store.getBytes(KEY_HEAD)),
      state: quietly(() => store.getNumber(KEY_STATE)),
      outcome: quietly(() => store.getBytes(KEY_OUTCOME)),
      refused: quietly(() => store.getBytes(KEY_REFUSED)),
      floor: quietly(() => store.getNumber(KEY_FLOOR)),
      part: { offset: quietly(() => store.getNumber(KEY_PART_OFFSET)), head: quietly(() => store.getBytes(KEY_PART_HEAD)) },
      waiting: quietly(() => store.getBytes(KEY_WAITING)),
      answer: quietly(() => store.getBytes(KEY_ANSWER))
    };
  }
};
function quietly(read) {
  try {
    return read();
  } catch {
    return void 0;
  }
}

// src/http/text.ts
function latin1(bytes, start, end) {
  let text3 = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    text3 += String.fromCharCode(
      bytes[at],
      bytes[at + 1],
      bytes[at + 2],
      bytes[at + 3],
      bytes[at + 4],
      bytes[at + 5],
      bytes[at + 6],
      bytes[at + 7]
    );
  }
  for (; at < end; at++) text3 += String.fromCharCode(bytes[at]);
  return text3;
}
function writeAscii(text3, into, at) {
  for (let i = 0; i < text3.length; i++) into[at + i] = text3.charCodeAt(i);
  return at + text3.length;
}
function decimal(text3, start = 0, end = text3.length) {
  if (end <= start || end - start > 15) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text3.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
function hexadecimal(text3) {
  if (text3.length === 0 || text3.length > 13) return -1;
  let value = 0;
  for (let at = 0; at < text3.length; at++) {
    const code = text3.charCodeAt(at);
    const letter = code | 32;
    const digit = code >= 48 && code <= 57 ? code - 48 : letter >= 97 && letter <= 102 ? letter - 87 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// src/http/response.ts
var VALIDATOR_MAX = 128;
function interpret(head) {
  const transferCoding = head.field("transfer-encoding")?.toLowerCase();
  const contentCoding = head.field("content-encoding")?.toLowerCase();
  const connection = head.field("connection")?.toLowerCase();
  const framing = framingOf(transferCoding, head.field("content-length"));
  const retryAfter = decimal(head.field("retry-after") ?? "");
  const crc162 = head.field("x-crc16");
  const lengthsCompete = transferCoding !== void 0 && head.field("content-length") !== void 0;
  const persistent = head.minor > 0 ? !hasToken(connection, "close") : hasToken(connection, "keep-alive");
  return {
    status: head.status,
    keepAlive: persistent && framing !== "ambiguous" && framing.kind !== "close" && !lengthsCompete,
    framing,
    range: contentRange(head.field("content-range")),
    encoded: (transferCoding ?? "chunked") !== "chunked" || contentCoding !== void 0 && contentCoding !== "" && contentCoding !== "identity",
    type: mediaType(head.field("content-type")),
    location: head.field("location"),
    validator: validatorOf(head.field("etag"), head.field("last-modified")),
    retryAfter: retryAfter < 0 ? void 0 : retryAfter,
    crc16: crc162 === void 0 ? void 0 : hexadecimal(crc162)
  };
}
function framingOf(transferCoding, contentLength) {
  if (transferCoding !== void 0) return { kind: transferCoding === "chunked" ? "chunked" : "close", length: 0 };
  if (contentLength === void 0) return { kind: "close", length: 0 };
  const lengths = contentLength.includes(",") ? contentLength.split(",").map((each) => each.trim()) : [contentLength];
  const first = lengths[0];
  const length = decimal(first);
  return length < 0 || lengths.some((each) => each !== first) ? "ambiguous" : { kind: "length", length };
}
function contentRange(value) {
  if (value === void 0) return void 0;
  const slash = value.indexOf("/");
  if (slash < 6 || value.slice(0, 6).toLowerCase() !== "bytes ") return "malformed";
  const whole = value.slice(slash + 1).trim();
  const total2 = whole === "*" ? -1 : decimal(whole);
  if (total2 < 0 && whole !== "*") return "malformed";
  const span = value.slice(6, slash).trim();
  if (span === "*") return total2 < 0 ? "malformed" : { first: -1, last: -1, total: total2 };
  const dash = span.indexOf("-");
  const first = dash < 0 ? -1 : decimal(span, 0, dash);
  const last = dash < 0 ? -1 : decimal(span, dash + 1);
  if (first < 0 || last < first || total2 >= 0 && last >= total2) return "malformed";
  return { first, last, total: total2 };
}
function validatorOf(etag, lastModified) {
  const validator = etag !== void 0 && etag.startsWith('"') ? etag : lastModified;
  return validator !== void 0 && validator !== "" && validator.length <= VALIDATOR_MAX ? validator : void 0;
}
function mediaType(value) {
  if (value === void 0) return "";
  const semicolon = value.indexOf(";");
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}
function hasToken(list, token) {
  return list !== void 0 && list.split(",").some((each) => each.trim() === token);
}

// src/download/crc16.ts
var NIBBLES = Object.freeze([
  0,
  52225,
  55297,
  5120,
  61441,
  15360,
  10240,
  58369,
  40961,
  27648,
  30720,
  46081,
  20480,
  39937,
  34817,
  17408
]);
function crc16(bytes) {
  let crc = 65535;
  for (let at = 0; at < bytes.length; at++) {
    crc ^= bytes[at];
    crc = crc >> 4 ^ NIBBLES[crc & 15];
    crc = crc >> 4 ^ NIBBLES[crc & 15];
  }
  return crc ^ 65535;
}

// src/download/identity.ts
var RESTARTS = 3;
var FileIdentity = class {
  /** Bytes; 0 = not known yet. */
  size;
  /** Strong ETag or Last-Modified, verbatim. */
  validator;
  /** `total` was reported. */
  announced = false;
  #offered;
  #hasDigest;
  #restarts = 0;
  constructor(size, validator, hasDigest) {
    this.size = size;
    this.#offered = size;
    this.validator = validator;
    this.#hasDigest = hasDigest;
  }
  /** Takes a response's validator. True: it contradicts the one before; one of another kind, or none, says nothing. */
  contradicts(validator) {
    const before = this.validator;
    if (validator === void 0 || before === validator) return false;
    const sameKind = before !== void 0 && before.startsWith('"') === validator.startsWith('"');
    if (before === void 0 || sameKind) this.validator = validator;
    return sameKind;
  }
  /** Nothing will tell at the end whether the parts fit together: a change means to start again. */
  get unguarded() {
    return !this.#hasDigest;
  }
  /** The length was learnt from the server rather than offered: another length is another file. */
  get learntSize() {
    return this.#offered === 0;
  }
  /** Forgets the file that was. False: it changed too often. */
  restart() {
    this.size = this.#offered;
    this.announced = false;
    this.#restarts++;
    return this.#restarts <= RESTARTS;
  }
};

// src/http/body.ts
var SIZE_DIGITS_MAX = 16;
var LF = 10;
var CR = 13;
var BodyReader = class {
  #step = "done";
  #chunked = false;
  #left = 0;
  #digits = "";
  /** Bytes of the size line or the trailers so far: bounded, or a peer could keep us reading for ever. */
  #overhead = 0;
  #lineEmpty = true;
  begin(framing) {
    this.#chunked = framing.kind === "chunked";
    this.#left = framing.kind === "close" ? Infinity : framing.length;
    if (this.#chunked) this.expectSize();
    else this.#step = this.#left > 0 ? "payload" : "done";
  }
  /** Payload bytes that come before the next framing byte: 0 = framing, or the end; Infinity in a body that ends with the connection. */
  get direct() {
    return this.#step === "payload" ? this.#left : 0;
  }
  /** The end was reached; never in a body that ends with the connection. */
  get done() {
    return this.#step === "done";
  }
  /** The framing makes no sense. */
  get broken() {
    return this.#step === "broken";
  }
  /** The body ends only with the connection. */
  get endsWithConnection() {
    return this.#step === "payload" && this.#left === Infinity;
  }
  /** `count` payload bytes, at most `direct`, were taken. */
  take(count) {
    this.#left -= count;
    if (this.#left > 0) return;
    this.#overhead = 0;
    this.#step = this.#chunked ? "after-chunk" : "done";
  }
  /** Reads framing bytes from `start` until payload, the end or a break; returns the index behind the last byte used. */
  frame(bytes, start, end) {
    let at = start;
    while (at < end) {
      switch (this.#step) {
        case "size":
          at = this.sizeLine(bytes, at, end);
          break;
        case "after-chunk":
          at = this.lineEnd(bytes, at);
          break;
        case "trailer":
          at = this.trailer(bytes, at, end);
          break;
        default:
          return at;
      }
    }
    return at;
  }
  expectSize() {
    this.#step = "size";
    this.#digits = "";
    this.#overhead = 0;
  }
  /** chunk-size [chunk-ext] CRLF: the extension, from ";" or a blank on, is not looked at. */
  sizeLine(bytes, start, end) {
    const newline = bytes.indexOf(LF, start);
    const stop = newline >= 0 && newline < end ? newline : end;
    if (this.#digits.length < SIZE_DIGITS_MAX) {
      this.#digits += latin1(bytes, start, Math.min(stop, start + SIZE_DIGITS_MAX - this.#digits.length));
    }
    const next = stop < end ? stop + 1 : end;
    if (this.spend(next - start) && stop < end) {
      const size = hexadecimal(sizeDigits(this.#digits));
      this.#left = size;
      this.#overhead = 0;
      this.#lineEmpty = true;
      this.#step = size < 0 ? "broken" : size === 0 ? "trailer" : "payload";
    }
    return next;
  }
  lineEnd(bytes, at) {
    if (bytes[at] === LF) this.expectSize();
    else if (bytes[at] !== CR || !this.spend(1) || this.#overhead > 1) this.#step = "broken";
    return at + 1;
  }
  /** Lines up to an empty one, unread. */
  trailer(bytes, start, end) {
    const newline = bytes.indexOf(LF, start);
    const stop = newline >= 0 && newline < end ? newline : end;
    const empty = this.#lineEmpty && (stop === start || stop === start + 1 && bytes[start] === CR);
    this.#lineEmpty = empty;
    const next = stop < end ? stop + 1 : end;
    if (this.spend(next - start) && stop < end) {
      if (empty) this.#step = "done";
      this.#lineEmpty = true;
    }
    return next;
  }
  spend(count) {
    this.#overhead += count;
    if (this.#overhead <= HTTP_HEAD_MAX) return true;
    this.#step = "broken";
    return false;
  }
};
function sizeDigits(line) {
  let end = 0;
  while (end < line.length && !";\r 	".includes(line[end])) end++;
  return line.slice(0, end);
}

// src/http/head.ts
var WANTED = Object.freeze([
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
  "location",
  "retry-after",
  "transfer-encoding",
  "x-crc16"
]);
var LINE_MAX = URL_MAX + 256;
var HEAD_GIVE_UP = 32 * HTTP_HEAD_MAX;
var LF2 = 10;
var CR2 = 13;
var COLON = 58;
var SPACE = 32;
var TAB = 9;
var HeadReader = class {
  /** "malformed" is final: what follows cannot be told apart. */
  state = "reading";
  status = 0;
  /** The x of HTTP/1.x. */
  minor = 0;
  /** No byte was read yet. */
  pristine = true;
  #fields = /* @__PURE__ */ new Map();
  /** The field that a folded line would continue. */
  #last;
  #statusSeen = false;
  #kept = 0;
  #total = 0;
  /** What came of a line whose end has not. */
  #partial = "";
  #skipping = false;
  /** Ready for the next response. */
  reset() {
    this.state = "reading";
    this.pristine = true;
    this.#total = 0;
    this.begin();
  }
  /** The fields have been looked at: they need not stay in memory while the body comes. */
  forget() {
    this.#fields.clear();
  }
  /** The field's value without surrounding blanks; values of repeated fields joined with ", " (RFC 9110 section 5.3). */
  field(name) {
    return this.#fields.get(name);
  }
  /** Takes bytes from `start` to `end`; returns the index behind the last one it used. */
  push(bytes, start, end) {
    let at = start;
    if (at < end) this.pristine = false;
    while (at < end && this.state === "reading") {
      const newline = bytes.indexOf(LF2, at);
      const complete = newline >= 0 && newline < end;
      const stop = complete ? newline : end;
      const next = complete ? stop + 1 : stop;
      this.#total += next - at;
      if (this.#total > HEAD_GIVE_UP) this.state = "malformed";
      else if (!complete) this.keepPartial(bytes, at, stop);
      else if (this.#partial !== "" || this.#skipping) this.endPartial(bytes, at, stop);
      else this.line(bytes, at, stop);
      at = next;
    }
    return at;
  }
  begin() {
    this.status = 0;
    this.minor = 0;
    this.#fields.clear();
    this.#last = void 0;
    this.#statusSeen = false;
    this.#kept = 0;
    this.#partial = "";
    this.#skipping = false;
  }
  keepPartial(bytes, start, end) {
    if (this.#skipping) return;
    if (this.#partial.length + end - start <= LINE_MAX) this.#partial += latin1(bytes, start, end);
    else {
      this.#partial = "";
      this.#skipping = true;
      if (!this.#statusSeen) this.state = "malformed";
    }
  }
  endPartial(bytes, start, end) {
    this.keepPartial(bytes, start, end);
    const line = this.#partial;
    const skipped = this.#skipping;
    this.#partial = "";
    this.#skipping = false;
    if (skipped) this.#last = void 0;
    else this.take(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
  /** A whole line in the bytes: only a field that is wanted becomes text, and of it the value alone is kept. */
  line(bytes, start, newline) {
    const end = newline > start && bytes[newline - 1] === CR2 ? newline - 1 : newline;
    const first = bytes[start];
    if (!this.#statusSeen || end === start || first === SPACE || first === TAB) {
      this.take(latin1(bytes, start, end));
      return;
    }
    const name = candidate(bytes, start);
    const colon = start + (name?.length ?? 0);
    const wanted = name !== void 0 && end - start <= LINE_MAX && latin1(bytes, start, colon).toLowerCase() === name;
    this.#last = wanted ? name : void 0;
    if (wanted) this.keep(name, latin1(bytes, bytes[colon + 1] === SPACE ? colon + 2 : colon + 1, end), ", ");
  }
  take(line) {
    if (!this.#statusSeen) {
      if (line !== "") this.statusLine(line);
    } else if (line === "") this.endOfHead();
    else if (line.startsWith(" ") || line.startsWith("	")) this.keep(this.#last, line, " ");
    else {
      const colon = line.indexOf(":");
      const name = colon > 0 ? line.slice(0, colon).toLowerCase() : "";
      this.#last = WANTED.find((wanted) => wanted === name);
      this.keep(this.#last, line.slice(colon + 1), ", ");
    }
  }
  keep(name, text3, joint) {
    if (!name) return;
    this.#kept += text3.length;
    if (this.#kept > HTTP_HEAD_MAX) {
      this.state = "malformed";
      return;
    }
    const before = this.#fields.get(name);
    const value = text3.trim();
    this.#fields.set(name, before === void 0 ? value : before + joint + value);
  }
  /** HTTP/1.x SP 3DIGIT [SP reason] (RFC 9112 section 4). */
  statusLine(line) {
    let at = 8;
    while (line.charCodeAt(at) === SPACE) at++;
    const minor = decimal(line, 7, 8);
    const status = at > 8 && at + 3 <= line.length ? decimal(line, at, at + 3) : -1;
    const ends = line.length === at + 3 || line.charCodeAt(at + 3) === SPACE;
    if (!line.startsWith("HTTP/1.") || minor < 0 || status < 0 || !ends) {
      this.state = "malformed";
      return;
    }
    this.#statusSeen = true;
    this.minor = minor === 0 ? 0 : 1;
    this.status = status;
  }
  endOfHead() {
    if (this.status < 100 || this.status === 101) this.state = "malformed";
    else if (this.status < 200) this.begin();
    else this.state = "done";
  }
};
function candidate(bytes, start) {
  switch (bytes[start] | 32) {
    case 99:
      if (bytes[start + 13] === COLON) return "content-range";
      if (bytes[start + 14] === COLON) return "content-length";
      if (bytes[start + 12] === COLON) return "content-type";
      if (bytes[start + 10] === COLON) return "connection";
      return bytes[start + 16] === COLON ? "content-encoding" : void 0;
    case 101:
      return bytes[start + 4] === COLON ? "etag" : void 0;
    case 108:
      if (bytes[start + 8] === COLON) return "location";
      return bytes[start + 13] === COLON ? "last-modified" : void 0;
    case 114:
      return bytes[start + 11] === COLON ? "retry-after" : void 0;
    case 116:
      return bytes[start + 17] === COLON ? "transfer-encoding" : void 0;
    case 120:
      return bytes[start + 7] === COLON ? "x-crc16" : void 0;
    default:
      return void 0;
  }
}

// src/download/intake.ts
var SCRATCH2 = 512;
var NOTHING = new Uint8Array(0);
var AFTER_HEAD = Object.freeze({ reading: "more", done: "head", malformed: "malformed" });
var Intake = class {
  head = new HeadReader();
  #body = new BodyReader();
  #buffer;
  #scratch = new Uint8Array(SCRATCH2);
  /** Unread bytes of the scratch buffer. */
  #at = 0;
  #end = 0;
  #inBody = false;
  #fill = 0;
  #skip = 0;
  #take = 0;
  #toEnd = false;
  #unproven = false;
  /** Set by bytes that went straight into the sector buffer, or by the body's end: looked at by `next`. */
  #fresh = false;
  constructor(buffer) {
    this.#buffer = buffer;
  }
  /**
   * A new connection: an unfinished head is dropped, and so is an unfinished sector unless it is to be kept and more of it is sure
   * to come.
   */
  reset(keep2) {
    this.#at = 0;
    this.#end = 0;
    if (!keep2 || this.#inBody && (this.#take === 0 || this.#unproven)) this.#fill = 0;
    this.expectHead();
  }
  /** The next response of this connection; what was read of it already stays, and so does an unfinished sector. */
  expectHead() {
    this.#inBody = false;
    this.#fresh = false;
    this.head.reset();
  }
  accept({ framing, skip, take, toEnd, unproven }) {
    this.head.forget();
    this.#body.begin(framing);
    this.#skip = skip;
    this.#take = take;
    this.#toEnd = toEnd;
    this.#unproven = unproven;
    this.#inBody = true;
    this.#fresh = true;
  }
  /** Bytes in the sector buffer. */
  get fill() {
    return this.#fill;
  }
  /** Bytes still to be taken from this response. */
  get take() {
    return this.#take;
  }
  /** No byte of the awaited response has come. */
  get pristine() {
    return !this.#inBody && this.head.pristine;
  }
  /** The body will end with the connection. */
  get endsWithConnection() {
    return this.#inBody && this.#body.endsWithConnection;
  }
  sector() {
    return this.#buffer.subarray(0, this.#fill);
  }
  /** The sector was delivered, or its bytes are not to be trusted. */
  delivered() {
    this.#fill = 0;
  }
  /** The place for the next read. */
  target() {
    if (this.#at < this.#end) return NOTHING;
    const room = SECTOR - this.#fill;
    const payload = this.payload();
    if (payload > 0) return this.#buffer.subarray(this.#fill, this.#fill + Math.min(room, payload));
    return this.#scratch.subarray(0, Math.min(room || SCRATCH2, SCRATCH2));
  }
  /** `count` bytes were read into `target()`. */
  fed(count) {
    if (this.payload() > 0) this.took(count);
    else {
      this.#at = 0;
      this.#end = count;
    }
  }
  /** Call until it says "more", or until the connection is given up. */
  next() {
    for (; ; ) {
      if (!this.#inBody) {
        if (this.#at >= this.#end) return "more";
        this.#at = this.head.push(this.#scratch, this.#at, this.#end);
        return AFTER_HEAD[this.head.state];
      }
      if (this.#fresh) {
        this.#fresh = false;
        const event = this.progress();
        if (event !== "more") return event;
      }
      if (this.#at >= this.#end) return "more";
      if (this.#body.direct > 0 && this.payload() === 0) return "surplus";
      this.readScratch();
    }
  }
  /** The connection ended where only that could end the body. */
  connectionEnded() {
    if (this.#take > 0) return "short";
    this.#unproven = false;
    return this.sectorReady() ? "sector" : "end";
  }
  /** Payload bytes that may be read straight into the sector buffer. */
  payload() {
    return this.#inBody ? Math.min(this.#body.direct, this.#skip || this.#take) : 0;
  }
  took(count) {
    this.#body.take(count);
    if (this.#skip > 0) this.#skip -= count;
    else {
      this.#fill += count;
      this.#take -= count;
    }
    this.#fresh = this.#fill === SECTOR || this.#take === 0 || this.#body.direct === 0;
  }
  readScratch() {
    if (this.#body.direct === 0) {
      this.#at = this.#body.frame(this.#scratch, this.#at, this.#end);
      this.#fresh = true;
      return;
    }
    const count = Math.min(this.payload(), this.#end - this.#at);
    if (this.#skip === 0) this.#buffer.set(this.#scratch.subarray(this.#at, this.#at + count), this.#fill);
    this.#at += count;
    this.took(count);
  }
  /** What the last bytes amount to. */
  progress() {
    if (this.#body.broken) return "malformed";
    if (this.#body.done && this.#take === 0) this.#unproven = false;
    if (this.sectorReady()) {
      this.#fresh = true;
      return "sector";
    }
    if (this.#body.done) return this.#take > 0 ? "short" : "end";
    if (this.#take > 0 || this.#body.direct === 0) return "more";
    if (this.#body.endsWithConnection) return this.#unproven ? "more" : "end";
    return "surplus";
  }
  sectorReady() {
    if (this.#fill === 0) return false;
    const last = this.#toEnd && this.#take === 0;
    return last ? !this.#unproven : this.#fill === SECTOR;
  }
};

// src/download/patience.ts
var Patience = class {
  #backoff;
  #random;
  #refusals = 0;
  #firstRefusal = 0;
  #progressAt = 0;
  constructor(random) {
    this.#random = random;
    this.#backoff = new Backoff(random, BACKOFF_FIRST, BACKOFF_CAP);
  }
  /** A new sector, or a new reason for hope (the start, a fresh URL that was asked for). */
  hope(now) {
    this.#backoff.reset();
    this.#refusals = 0;
    this.#progressAt = now;
  }
  /** A fresh URL that was not asked for: its refusals are counted anew, the stall budget runs on. */
  pardon() {
    this.#refusals = 0;
  }
  /** When the stall budget ends. */
  get stallsAt() {
    return this.#progressAt + STALL_BUDGET;
  }
  /**
   * The wait before the next attempt, ms. What a server asks for by Retry-After, in seconds, is granted up to the cap; the
   * jitter comes on top of it, or a fleet that was told the same number would come back as one.
   */
  pause(retryAfter = 0) {
    return Math.min(BACKOFF_CAP, retryAfter * 1e3) + this.#backoff.next();
  }
  /** The wait after a connection broke that had brought a sector, ms. What follows it doubles from the start. */
  promptPause() {
    return Math.floor(this.#random() * BACKOFF_PROMPT);
  }
  /** Counts a refusal; true when it is to be believed. */
  refused(now) {
    if (this.#refusals === 0) this.#firstRefusal = now;
    this.#refusals++;
    return this.#refusals >= REFUSAL_TRIES || now - this.#firstRefusal >= REFUSAL_WINDOW;
  }
};

// src/download/pace.ts
var FAST_SECTOR = 125;
var MARGIN = 1.25;
var SEGMENT = 1460;
var Pace = class {
  #askedAt;
  /** From the first request to the head of its answer, ms. */
  #latency;
  #markedAt = 0;
  /** The last two sectors, ms each: the gap before an answer lengthens one of them at most. */
  #last = Infinity;
  #before = Infinity;
  /** A new connection. */
  reset() {
    this.#askedAt = void 0;
    this.#latency = void 0;
    this.#last = Infinity;
    this.#before = Infinity;
  }
  asked(now) {
    this.#askedAt ??= now;
  }
  headSeen(now) {
    if (this.#latency !== void 0 || this.#askedAt === void 0) return;
    this.#latency = now - this.#askedAt;
    this.#markedAt = now;
  }
  sectorDone(now) {
    this.#before = this.#last;
    this.#last = now - this.#markedAt;
    this.#markedAt = now;
  }
  get fast() {
    return this.#last <= FAST_SECTOR;
  }
  /** Bytes that arrive while an answer is on its way to begin: with fewer left to come, the line would fall silent. */
  get lead() {
    return (this.#latency ?? 0) * MARGIN * SECTOR / Math.max(1, Math.min(this.#last, this.#before)) + SEGMENT;
  }
};

// src/download/ranges.ts
var RANGE_LEAST = 3 * SECTOR;
var RangePlan = class {
  #range;
  #single;
  /** Ends (exclusive) of the ranges asked for on this connection and not answered. */
  #ends = [];
  #answered = 0;
  #proven = false;
  /** Answers and requests once got out of step: one at a time from then on. */
  #inStep = true;
  /** The server closes after each answer: large ranges, one at a time, until a connection outlives two answers. */
  #careful = false;
  #pace = new Pace();
  /** `single`: one sector per request, so that each can be checked before it is stored. */
  constructor(range, single) {
    const wished = Math.floor((range ?? RANGE) / SECTOR) * SECTOR;
    this.#range = single ? SECTOR : Math.min(RANGE_MAX, Math.max(SECTOR, wished));
    this.#single = single;
  }
  /** A new connection. */
  connected() {
    this.#ends.length = 0;
    this.#answered = 0;
    this.#proven = false;
    this.#pace.reset();
  }
  /**
   * End of the next range to ask for, or 0 for nothing now. `from`: first byte not asked for, `wanted`: first byte not
   * received, `delivered`: bytes in sectors. `size` 0: unknown.
   */
  next(from, wanted, delivered, size) {
    const ahead = this.#ends.length > 0;
    if (size > 0 && from >= size) return 0;
    if (ahead && !(size > 0 && this.mayRunAhead)) return 0;
    if (ahead && !this.#pace.fast && from - wanted > this.#pace.lead) return 0;
    const length = this.#careful && !this.#single ? RANGE_MAX : this.#range;
    const full = Math.floor(from / SECTOR) * SECTOR + length;
    const end = size > 0 ? Math.min(full, size) : full;
    if (!ahead || end - delivered <= WINDOW) return end;
    const fitting = delivered + WINDOW;
    return fitting - from < RANGE_LEAST ? 0 : fitting;
  }
  /** End of a range of one byte, which every file but an empty one has; 0 while an answer is awaited. */
  probe(from) {
    return this.#ends.length > 0 ? 0 : from + 1;
  }
  asked(end, now) {
    this.#ends.push(end);
    this.#pace.asked(now);
  }
  /** First byte not asked for on this connection; `wanted` when nothing is under way. */
  from(wanted) {
    return this.#ends[this.#ends.length - 1] ?? wanted;
  }
  /** Responses read to their end on this connection. */
  get answered() {
    return this.#answered;
  }
  /**
   * The head of a good response says whether the connection will stay open, and where its bytes end: there the next request
   * goes on, unless it has left already.
   */
  headSeen(keepAlive, end, now) {
    this.#pace.headSeen(now);
    if (this.#ends.length === 1) this.#ends[0] = end;
    this.#proven = keepAlive;
    if (!keepAlive) this.#careful = true;
  }
  /** A response was read to its end, which took the download to `wanted`. False: the requests under way ask for other bytes than come next. */
  responseDone(wanted) {
    const end = this.#ends.shift();
    this.#answered++;
    if (this.#answered >= 2) this.#careful = false;
    return end === wanted || this.#ends.length === 0;
  }
  sectorDone(now) {
    this.#pace.sectorDone(now);
  }
  /** The right moment for the next request may lie between two sectors. */
  get trickling() {
    return this.mayRunAhead && !this.#pace.fast;
  }
  /** The connection ended by itself: whoever closes at the first answer, whatever its head said, gets no requests ahead. */
  connectionLost() {
    if (this.#answered === 1 || this.#answered === 0 && this.#ends.length > 1) this.#careful = true;
  }
  outOfStep() {
    this.#inStep = false;
  }
  get mayRunAhead() {
    return this.#proven && this.#inStep && (!this.#careful || this.#answered >= 2);
  }
};

// src/download/request.ts
var RANGE_ROOM = 36;
function requestPrefix(url) {
  const text3 = `GET ${url.target} HTTP/1.1\r
Host: ${url.hostHeader}\r
User-Agent: xs-ota\r
Accept-Encoding: identity\r
Connection: keep-alive\r
Range: bytes=`;
  const bytes = new Uint8Array(text3.length);
  writeAscii(text3, bytes, 0);
  return bytes;
}
function rangeRequest(prefix, first, end) {
  const bytes = new Uint8Array(prefix.length + RANGE_ROOM);
  bytes.set(prefix);
  return bytes.subarray(0, writeAscii(`${first}-${end - 1}\r
\r
`, bytes, prefix.length));
}

// src/http/url.ts
var urlText = ({ tls, hostHeader, target }) => `${tls ? "https" : "http"}://${hostHeader}${target}`;
var TOO_LONG = `URL is longer than ${URL_MAX} bytes`;
function splitUrl(url) {
  if (url.length > URL_MAX) return TOO_LONG;
  const scheme = schemeOf(url);
  if (scheme !== "http" && scheme !== "https") return "URL is neither http nor https";
  const start = scheme.length + 3;
  if (url.slice(scheme.length, start) !== "://") return "URL has no host";
  const end = endOfAuthority(url, start);
  const authority = splitAuthority(url.slice(start, end), scheme === "https");
  if (typeof authority === "string") return authority;
  const target = requestTarget(url.slice(end));
  if (target === void 0) return "URL has a space or a control character in it";
  if (end + target.length > URL_MAX) return TOO_LONG;
  return { ...authority, target };
}
function resolveLocation(base, location) {
  const raw = escapeRawBytes(location);
  const scheme = schemeOf(raw);
  if (scheme !== "") return scheme === "http" || scheme === "https" ? splitUrl(raw) : "redirect to another scheme than http and https";
  if (raw.startsWith("//")) return splitUrl((base.tls ? "https:" : "http:") + raw);
  const query = base.target.indexOf("?");
  const path = query < 0 ? base.target : base.target.slice(0, query);
  let next;
  if (raw === "" || raw.startsWith("#")) next = base.target;
  else if (raw.startsWith("/")) next = withoutDots(raw);
  else if (raw.startsWith("?")) next = path + raw;
  else next = withoutDots(path.slice(0, path.lastIndexOf("/") + 1) + raw);
  return splitUrl((base.tls ? "https://" : "http://") + base.hostHeader + next);
}
function schemeOf(url) {
  const colon = url.indexOf(":");
  if (colon <= 0 || colon > 16) return "";
  const scheme = url.slice(0, colon).toLowerCase();
  return /^[a-z][a-z0-9+.-]*$/.test(scheme) ? scheme : "";
}
function endOfAuthority(url, start) {
  for (let at = start; at < url.length; at++) {
    const character = url[at];
    if (character === "/" || character === "?" || character === "#") return at;
  }
  return url.length;
}
function splitAuthority(authority, tls) {
  if (authority.includes("@")) return "URL carries a user name";
  const bracketed = authority.startsWith("[");
  const hostEnd = bracketed ? authority.indexOf("]") + 1 : authority.indexOf(":");
  const bare = (hostEnd < 0 ? authority : authority.slice(0, hostEnd)).toLowerCase();
  const host = bracketed ? bare.slice(1, -1) : bare;
  const valid = bracketed ? /^[0-9a-f:.]{2,45}$/ : /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/;
  if (host.length > 253 || !valid.test(host) || bracketed && !host.includes(":")) return "URL has no usable host name";
  const rest = hostEnd < 0 ? "" : authority.slice(hostEnd);
  const standard = tls ? 443 : 80;
  let port = standard;
  if (rest.length > 1) port = rest.startsWith(":") ? decimal(rest, 1) : -1;
  else if (rest !== "" && rest !== ":") port = -1;
  if (port < 1 || port > 65535) return "URL has an impossible port";
  return { tls, host, port, hostHeader: port === standard ? bare : `${bare}:${port}` };
}
function requestTarget(rest) {
  const hash = rest.indexOf("#");
  let target = hash < 0 ? rest : rest.slice(0, hash);
  if (!target.startsWith("/")) target = `/${target}`;
  let escaped = "";
  let plain2 = 0;
  for (let at = 0; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code <= 32 || code === 127) return void 0;
    if (code < 128) continue;
    const pair = code >= 55296 && code <= 56319 && at + 1 < target.length && (target.charCodeAt(at + 1) & 64512) === 56320;
    if (code >= 55296 && code <= 57343 && !pair) return void 0;
    escaped += target.slice(plain2, at) + encodeURIComponent(target.slice(at, pair ? at + 2 : at + 1));
    if (pair) at++;
    plain2 = at + 1;
  }
  return plain2 === 0 ? target : escaped + target.slice(plain2);
}
function escapeRawBytes(location) {
  return location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
function withoutDots(reference) {
  let end = reference.length;
  for (const mark of ["?", "#"]) {
    const at = reference.indexOf(mark);
    if (at >= 0 && at < end) end = at;
  }
  const path = reference.slice(0, end);
  if (!path.includes("/.")) return reference;
  const kept = [];
  const segments = path.slice(1).split("/");
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment === "." || segment === "..") {
      if (last) kept.push("");
    } else kept.push(segment);
  });
  return `/${kept.join("/")}${reference.slice(end)}`;
}

// src/download/route.ts
var Route = class {
  #allowHttp;
  /** As offered. URLs are kept as text and split again when a redirect asks for it: their parts would be copies in memory. */
  #origin;
  /** The URL in use, and the server it names. */
  #current;
  #server;
  /** The URL in use is the offered one. */
  #atOrigin = false;
  #prefix = new Uint8Array(0);
  #redirects = 0;
  #firsthand = true;
  #renewed = false;
  constructor(allowHttp) {
    this.#allowHttp = allowHttp;
  }
  /** Takes an offered URL, without turning to it yet. Returns why it is not taken, "plain" for http where that is not allowed. */
  offer(url) {
    const split = splitUrl(url);
    if (typeof split === "string") return { problem: split };
    if (!split.tls && !this.#allowHttp) return "plain";
    this.#origin = url;
    this.#atOrigin = false;
    this.#renewed = true;
    this.#firsthand = false;
    return void 0;
  }
  get server() {
    return this.#server;
  }
  /** The request's bytes up to the range. */
  get prefix() {
    return this.#prefix;
  }
  /** The offered URL may say otherwise than the one in use: ask it before believing a refusal. */
  get secondhand() {
    return !this.#atOrigin && !this.#firsthand;
  }
  /** A URL was offered that was not turned to yet. */
  get renewed() {
    return this.#renewed;
  }
  toOrigin() {
    if (this.#origin !== void 0 && !this.#atOrigin) {
      this.use(this.#origin);
      this.#atOrigin = true;
    }
    this.#redirects = 0;
    this.#renewed = false;
    this.#firsthand = true;
  }
  /** A response with the file's bytes: the redirects so far are forgiven. */
  arrived() {
    this.#redirects = 0;
  }
  delivered() {
    this.#firsthand = false;
  }
  /** Turns to a redirect's target; returns why not. https to http is refused, http to https welcome. */
  follow(location) {
    const from = this.#current === void 0 ? "" : splitUrl(this.#current);
    if (typeof from === "string") return "redirect from nowhere";
    if (++this.#redirects > REDIRECTS) return `more than ${REDIRECTS} redirects`;
    const to = resolveLocation(from, location);
    if (typeof to === "string") return `redirect refused: ${to}`;
    if (!to.tls && (from.tls || !this.#allowHttp)) return "redirect from https to http refused";
    this.use(urlText(to));
    this.#atOrigin = false;
    return void 0;
  }
  /** `text`: split before, without a complaint. */
  use(text3) {
    const url = splitUrl(text3);
    if (typeof url === "string") return;
    const { tls, host, port } = url;
    this.#current = text3;
    this.#server = { tls, host, port };
    this.#prefix = requestPrefix(url);
  }
};

// src/download/verdict.ts
function judge(response, wanted, size) {
  const { status, range } = response;
  switch (status) {
    case 200:
    case 206:
      return judgeBody(response, wanted, size);
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      if (response.location === void 0) return refused("download", `HTTP ${status}: redirect without a Location`);
      return { kind: "redirect", location: response.location };
    case 401:
    case 403:
      return { kind: "expired", message: `HTTP ${status}: the URL has expired or is not allowed` };
    case 404:
    case 410:
      return refused("not-found", `HTTP ${status}: the file does not exist on the server`);
    case 400:
    case 416:
      if (range && range !== "malformed" && range.total >= 0 && size > 0 && range.total !== size) return otherSize(status, range.total, size);
      if (range && range !== "malformed" && range.total === 0) return refused("download", `HTTP ${status}: the file is empty`);
      return size === 0 ? { kind: "probe" } : refused("download", `HTTP ${status}: the server refuses bytes ${wanted} and up`);
    case 408:
    case 425:
    case 429:
      return trouble(response);
    default:
      if (status >= 500) return trouble(response);
      return refused("download", `HTTP ${status}: unexpected answer`);
  }
}
function judgeBody(response, wanted, size) {
  const { status, framing, range } = response;
  if (response.encoded) return refused("download", `HTTP ${status}: the body is encoded although identity was asked for`);
  if (framing === "ambiguous") return { kind: "trouble", message: `HTTP ${status}: contradictory Content-Length`, retryAfter: 0 };
  if (range === "malformed" || range && range.first < 0) return refused("download", `HTTP ${status}: unreadable Content-Range`);
  if (range) {
    if (size > 0 && range.total >= 0 && range.total !== size) return otherSize(status, range.total, size);
    if (range.first !== wanted) return { kind: "other-start", message: `HTTP ${status}: bytes from ${range.first} in place of ${wanted}` };
    if (size === 0 && range.total < 0) return refused("download", `HTTP ${status}: the server does not tell the file's length`);
    if (size > 0 && range.last >= size) return refused("download", `HTTP ${status}: Content-Range goes beyond the file's end`);
    return { kind: "take", framing, skip: 0, take: range.last + 1 - wanted, size: size || range.total, unproven: false };
  }
  if (status === 206) return refused("download", "HTTP 206: no Content-Range");
  return judgeWhole(response.type, framing, wanted, size);
}
function judgeWhole(type, framing, wanted, size) {
  const length = framing.kind === "length" ? framing.length : -1;
  if (size === 0 || length !== size) {
    if (type === "application/json" || type.endsWith("+json")) return refused("not-found", "HTTP 200: a JSON document in place of the file");
    if (type === "text/html" || type.endsWith("/xml") || type.endsWith("+xml")) return refused("download", "HTTP 200: a web page in place of the file");
    if (length >= 0 && size > 0) return otherSize(200, length, size);
    if (length === 0) return refused("download", "HTTP 200: the file is empty");
    if (length < 0 && size === 0) return refused("download", "HTTP 200: the server does not tell the file's length");
  }
  const whole = size || length;
  if (whole <= wanted) return refused("download", `HTTP 200: the file has ${whole} bytes, ${wanted} are stored already`);
  return { kind: "take", framing, skip: wanted, take: whole - wanted, size: whole, unproven: length < 0 };
}
function refused(cause, message) {
  return { kind: "refused", cause, message };
}
function otherSize(status, actual, expected) {
  return { kind: "other-size", message: `HTTP ${status}: the file has ${actual} bytes on the server, not ${expected}` };
}
function trouble(response) {
  return { kind: "trouble", message: `HTTP ${response.status}: the server is busy or broken`, retryAfter: response.retryAfter ?? 0 };
}

// src/download/downloader.ts
var NOTHING2 = new Uint8Array(0);
var Downloader = class {
  #options;
  #intake;
  #plan;
  #patience;
  #route;
  #file;
  #phase = "idle";
  /** End of the wait, or of the patience with a connect. */
  #until = 0;
  /** When the open connection said something last. */
  #heardAt = 0;
  #effects = [];
  #offset;
  /** A sector came over this connection. */
  #delivered = false;
  #probing = false;
  /** The bytes of an unfinished sector may be kept over the next connect. */
  #trusted = true;
  /** The last response, of this connection. */
  #response;
  /** Where the response's bytes begin in the sector buffer; -1: they began in a sector that has left. */
  #responseStart = -1;
  #lastTrouble = "nothing received";
  constructor(options) {
    const { offset, size } = options;
    this.#options = options;
    this.#offset = size > 0 && offset >= size ? size : Math.floor(offset / SECTOR) * SECTOR;
    this.#intake = new Intake(options.buffer);
    this.#plan = new RangePlan(options.range, options.crc16 === true);
    this.#patience = new Patience(options.random);
    this.#route = new Route(options.allowHttp);
    this.#file = new FileIdentity(size, options.validator, options.hasDigest);
  }
  start(now) {
    this.#patience.hope(now);
    if (!this.takeUrl(this.#options.url)) return this.flush();
    if (this.#file.size > 0 && this.#offset === this.#file.size) this.finish();
    else this.connectToOrigin(now);
    return this.flush();
  }
  opened(now) {
    if (this.#phase !== "connecting") return [];
    this.#phase = "open";
    this.#heardAt = now;
    this.ask(now);
    return this.flush();
  }
  closed(error, now) {
    const message = error ? oneLine(error.message) : "connection closed by the server";
    const before = this.#phase;
    if (before !== "connecting" && before !== "open") return [];
    this.#phase = "idle";
    if (before === "open") this.connectionEnded(message, now);
    else if (error?.kind === "certificate") this.refuse("download", message, void 0, now);
    else this.trouble(message, now);
    return this.flush();
  }
  tick(now) {
    const deadline = this.deadline();
    if (deadline === void 0 || now < deadline) return [];
    if (now >= this.#patience.stallsAt) this.stalled();
    else if (this.#phase === "waiting") this.connect(now);
    else if (this.#phase === "connecting") this.trouble(`no connection within ${CONNECT_TIMEOUT / 1e3} s`, now);
    else this.fellSilent(now);
    return this.flush();
  }
  /** Where the driver reads the socket into next; its length bounds the read, 0 = do not read now. */
  readTarget() {
    return this.#phase === "open" ? this.#intake.target() : NOTHING2;
  }
  /** `count` bytes were read into `readTarget()`. */
  received(count, now) {
    if (this.#phase !== "open" || count <= 0) return [];
    this.#heardAt = now;
    this.#intake.fed(count);
    this.digest(now);
    if (this.#phase === "open" && this.#plan.trickling) this.ask(now);
    return this.flush();
  }
  /**
   * A fresh URL for the same image: continue at the current offset. A connection that works, or a wait, is left in peace,
   * and a URL that cannot be used fails the download only where it was asked for.
   */
  renew(url, now) {
    if (this.#phase === "expired") {
      this.#patience.hope(now);
      if (this.takeUrl(url)) this.connectToOrigin(now);
    } else if (this.#phase !== "ended" && this.#route.offer(url) === void 0) {
      this.#patience.pardon();
      if (this.#phase === "waiting") this.#route.toOrigin();
    }
    return this.flush();
  }
  stop() {
    this.hangUp();
    this.#phase = "ended";
    return this.flush();
  }
  /** When `tick` is wanted next, or undefined. */
  deadline() {
    switch (this.#phase) {
      case "waiting":
      case "connecting":
        return Math.min(this.#until, this.#patience.stallsAt);
      case "open":
        return Math.min(this.#heardAt + HTTP_IDLE_TIMEOUT, this.#patience.stallsAt);
      default:
        return void 0;
    }
  }
  /** Bytes delivered as sectors. */
  get offset() {
    return this.#offset;
  }
  /* ---- what came in ---- */
  digest(now) {
    while (this.#phase === "open") {
      const event = this.#intake.next();
      switch (event) {
        case "more":
          return;
        case "head":
          this.headCame(now);
          break;
        case "sector":
          this.sectorCame(now);
          break;
        case "end":
          this.responseEnded(now);
          break;
        case "short":
          this.fault(`${this.httpStatus()}: the body ended early`, now);
          break;
        case "surplus":
          this.surplus(now);
          break;
        case "malformed":
          this.fault("the server's answer is not HTTP/1.1", now);
          break;
      }
    }
  }
  headCame(now) {
    const response = interpret(this.#intake.head);
    this.#response = response;
    const { status } = response;
    const verdict = judge(response, this.wanted, this.#file.size);
    switch (verdict.kind) {
      case "take":
        this.takeBody(response, verdict, now);
        break;
      case "redirect": {
        const problem = this.#route.follow(verdict.location);
        if (problem === void 0) this.connect(now);
        else this.refuse("download", `HTTP ${status}: ${problem}`, status, now);
        break;
      }
      case "expired":
        this.expired(verdict.message, status, now);
        break;
      case "trouble":
        this.trouble(verdict.message, now, this.#patience.pause(verdict.retryAfter));
        break;
      case "refused":
        this.refuse(verdict.cause, verdict.message, status, now);
        break;
      case "other-size":
        if (this.#file.learntSize && this.#file.unguarded) this.startAgain(verdict.message, now);
        else this.refuse("download", verdict.message, status, now);
        break;
      case "other-start":
        if (this.#plan.answered > 0) this.outOfStep(verdict.message, now);
        else this.refuse("download", verdict.message, status, now);
        break;
      case "probe":
        if (this.#probing) this.refuse("download", `HTTP ${status}: the server refuses every range`, status, now);
        else {
          this.#probing = true;
          this.connect(now);
        }
        break;
    }
  }
  takeBody(response, verdict, now) {
    const file = this.#file;
    const wanted = this.wanted;
    if (file.contradicts(response.validator) && wanted > 0) {
      if (file.unguarded) {
        this.startAgain("ETag or Last-Modified changed", now);
        return;
      }
      this.#effects.push({ type: "changed" });
    }
    file.size = verdict.size;
    if (!file.announced) {
      file.announced = true;
      this.#effects.push({ type: "total", size: file.size, validator: file.validator });
    }
    this.#probing = false;
    this.#route.arrived();
    this.#responseStart = this.#intake.fill;
    const { framing, skip, take, unproven } = verdict;
    this.#intake.accept({ framing, skip, take, toEnd: wanted + take === file.size, unproven });
    this.#plan.headSeen(response.keepAlive, wanted + take, now);
    this.ask(now);
  }
  sectorCame(now) {
    const bytes = this.#intake.sector();
    if (!this.crcHolds(bytes)) {
      this.fault(`${this.httpStatus()}: X-CRC16 does not fit the bytes`, now);
      return;
    }
    this.#effects.push({ type: "sector", offset: this.#offset, bytes });
    this.#intake.delivered();
    this.#offset += bytes.length;
    this.#responseStart = -1;
    this.#delivered = true;
    this.#route.delivered();
    this.#patience.hope(now);
    this.#plan.sectorDone(now);
    if (this.#offset === this.#file.size) this.finish();
    else this.ask(now);
  }
  /** The field covers one ranged response: checked where that lies in the buffer from end to end, which the plan sees to. */
  crcHolds(sector2) {
    const response = this.#response;
    const checkable = this.#options.crc16 === true && this.#responseStart >= 0 && this.#intake.take === 0;
    if (!checkable || !response?.range || response.crc16 === void 0) return true;
    return crc16(sector2.subarray(this.#responseStart)) === response.crc16;
  }
  responseEnded(now) {
    if (!this.#plan.responseDone(this.wanted)) this.outOfStep("the server gives other ranges than asked for", now);
    else if (this.#response?.keepAlive === true) {
      this.#intake.expectHead();
      this.ask(now);
    } else this.reconnect("the server closes after each answer", now);
  }
  surplus(now) {
    const status = this.#response?.status;
    if (this.#response?.range === void 0) this.refuse("download", `HTTP ${status}: the file is longer on the server`, status, now);
    else this.fault(`HTTP ${status}: the body is longer than Content-Range says`, now);
  }
  connectionEnded(message, now) {
    if (this.closingSector(now)) return;
    this.#plan.connectionLost();
    if (this.#intake.pristine && this.#plan.answered > 0) this.reconnect(message, now);
    else this.trouble(message, now, this.#delivered ? this.#patience.promptPause() : void 0);
  }
  fellSilent(now) {
    if (!this.closingSector(now)) this.trouble(`nothing received for ${HTTP_IDLE_TIMEOUT / 1e3} s`, now);
  }
  /** The end of a body that has no other end than this: true when it was complete. */
  closingSector(now) {
    if (!this.#intake.endsWithConnection || this.#intake.connectionEnded() !== "sector") return false;
    this.sectorCame(now);
    return true;
  }
  /* ---- what goes out ---- */
  /** The next byte of the file that is wanted. */
  get wanted() {
    return this.#offset + this.#intake.fill;
  }
  /** Sends as many requests as the plan allows. */
  ask(now) {
    for (; ; ) {
      const wanted = this.wanted;
      const from = this.#plan.from(wanted);
      const end = this.#probing ? this.#plan.probe(from) : this.#plan.next(from, wanted, this.#offset, this.#file.size);
      if (end === 0) return;
      this.#plan.asked(end, now);
      this.#effects.push({ type: "send", bytes: rangeRequest(this.#route.prefix, from, end) });
    }
  }
  connect(now) {
    this.hangUp();
    const server = this.#route.server;
    if (!server) return;
    this.#intake.reset(this.#trusted && this.#options.crc16 !== true);
    this.#trusted = true;
    this.#plan.connected();
    this.#delivered = false;
    this.#phase = "connecting";
    this.#until = now + CONNECT_TIMEOUT;
    this.#effects.push({ type: "connect", ...server });
  }
  connectToOrigin(now) {
    this.#route.toOrigin();
    this.connect(now);
  }
  hangUp() {
    if (this.#phase === "open" || this.#phase === "connecting") this.#effects.push({ type: "close" });
    this.#phase = "idle";
  }
  /* ---- what to do about trouble ---- */
  /** Nobody's fault: at once, as long as connections bring sectors. */
  reconnect(reason, now) {
    if (!this.#delivered) this.trouble(reason, now);
    else if (this.#route.renewed) this.connectToOrigin(now);
    else this.connect(now);
  }
  /** An answer broke the rules: nothing that came with it is kept. */
  fault(message, now) {
    this.#trusted = false;
    this.trouble(message, now);
  }
  /** Answers do not fit the requests under way: one at a time from now on. */
  outOfStep(message, now) {
    this.#plan.outOfStep();
    this.#trusted = false;
    this.reconnect(message, now);
  }
  trouble(message, now, pause) {
    this.hangUp();
    this.#lastTrouble = message;
    if (now >= this.#patience.stallsAt) this.stalled();
    else this.wait(message, now, pause ?? this.#patience.pause());
  }
  refuse(cause, message, status, now) {
    if (this.#route.secondhand) {
      this.connectToOrigin(now);
      return;
    }
    this.hangUp();
    this.#lastTrouble = message;
    if (this.#patience.refused(now)) this.fail(cause, message, status);
    else this.wait(message, now, this.#patience.pause());
  }
  expired(message, status, now) {
    if (this.#route.secondhand) {
      this.connectToOrigin(now);
      return;
    }
    this.hangUp();
    this.#phase = "expired";
    this.#effects.push({ type: "expired", message, status });
  }
  wait(reason, now, milliseconds) {
    if (!this.#delivered || this.#route.renewed) this.#route.toOrigin();
    this.#phase = "waiting";
    this.#until = now + milliseconds;
    this.#effects.push({ type: "waiting", milliseconds, reason });
  }
  /** Another file under the same URL, and no digest to decide which is meant. */
  startAgain(reason, now) {
    this.hangUp();
    if (!this.#file.restart()) {
      this.fail("download", `the file keeps changing on the server: ${reason}`, this.#response?.status);
      return;
    }
    this.#offset = 0;
    this.#trusted = false;
    this.#effects.push({ type: "restart", reason });
    this.connect(now);
  }
  stalled() {
    this.hangUp();
    this.fail("download-timeout", `no new data for ${STALL_BUDGET / 6e4} min: ${this.#lastTrouble}`, void 0);
  }
  finish() {
    this.hangUp();
    this.#phase = "ended";
    this.#effects.push({ type: "finished" });
  }
  fail(cause, message, status) {
    this.#phase = "ended";
    this.#effects.push(status === void 0 ? { type: "failed", cause, message } : { type: "failed", cause, message, status });
  }
  /** Takes the offered URL; false: that failed the download. */
  takeUrl(url) {
    const refusal = this.#route.offer(url);
    if (refusal === void 0) return true;
    this.hangUp();
    if (refusal === "plain") this.fail("rejected", 'plain http is refused: offer an https URL, or set "allowHttp"', void 0);
    else this.fail("download", refusal.problem, void 0);
    return false;
  }
  httpStatus() {
    return `HTTP ${this.#response?.status ?? 0}`;
  }
  flush() {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
};
function oneLine(message) {
  return message.replace(/[^ -~]+/g, " ").slice(0, 100);
}

// src/agent/file-link.ts
var BYTES_PER_TURN = 8192;
var FileLink = class {
  #options;
  #downloader;
  #connection;
  constructor(options) {
    this.#options = options;
  }
  start(download2) {
    this.stop();
    const { url, offset, size, validator, hasDigest } = download2;
    const { settings, buffer, random } = this.#options;
    this.#downloader = new Downloader({ ...settings, url, offset, size, hasDigest, buffer, random, ...validator === void 0 ? {} : { validator } });
    this.run(this.#downloader.start(this.now()));
  }
  renew(url) {
    if (this.#downloader !== void 0) this.run(this.#downloader.renew(url, this.now()));
  }
  stop() {
    this.#downloader?.stop();
    this.#downloader = void 0;
    this.close();
  }
  tick() {
    if (this.#downloader !== void 0) this.run(this.#downloader.tick(this.now()));
  }
  deadline() {
    return this.#downloader?.deadline();
  }
  /* ---- told by the connection ---- */
  enter(callback) {
    this.#options.enter(callback);
  }
  opened() {
    if (this.#downloader !== void 0) this.run(this.#downloader.opened(this.now()));
  }
  readable() {
    const connection = this.#connection;
    let turn = 0;
    for (let count = this.read(connection); count > 0; count = this.read(connection)) {
      turn += count;
      if (turn < BYTES_PER_TURN) continue;
      this.#options.clock.set(() => this.enter(() => connection === this.#connection && this.readable()), 0);
      return;
    }
  }
  /** Bytes of the last turns may still wait: they count. */
  ended(error) {
    const connection = this.#connection;
    while (this.read(connection) > 0) ;
    if (connection === this.#connection) this.lost(error);
  }
  /** Takes what waits, as far as the downloader has room for it. 0: nothing more now, or not from this connection any more. */
  read(connection) {
    const downloader = this.#downloader;
    if (connection === void 0 || connection !== this.#connection || downloader === void 0) return 0;
    const target = downloader.readTarget();
    const count = target.length === 0 ? 0 : connection.read(target);
    if (count > 0) this.run(downloader.received(count, this.now()));
    return count;
  }
  /* ---- the downloader's effects ---- */
  now() {
    return this.#options.clock.now();
  }
  /** Takes them out of the array: a request that was sent need not stay in memory while a sector is stored. */
  run(effects) {
    const owner = this.#downloader;
    for (let effect = effects.shift(); effect !== void 0; effect = effects.shift()) {
      if (owner !== this.#downloader) return;
      this.execute(effect);
    }
  }
  execute(effect) {
    const { dispatch } = this.#options;
    switch (effect.type) {
      case "connect": {
        this.close();
        const { host, port, tls } = effect;
        const { network, clock } = this.#options;
        this.#connection = new Connection(this, network, clock, { host, port, ...tls ? { tls: "https" } : {} });
        return;
      }
      case "send":
        if (this.#connection?.send(effect.bytes) === false) this.lost({ kind: "other", message: "the server takes no bytes" });
        return;
      case "close":
        return this.close();
      case "total":
        return dispatch({ type: "total", size: effect.size, validator: effect.validator });
      case "sector":
        return dispatch({ type: "sector", offset: effect.offset, bytes: effect.bytes });
      case "restart":
        return dispatch({ type: "start-over", reason: effect.reason });
      case "changed":
        return dispatch({ type: "changed" });
      case "waiting":
        return this.#options.log(`download: ${effect.reason}; again in ${effect.milliseconds} ms`);
      case "finished":
        this.stop();
        return dispatch({ type: "finished" });
      case "expired":
        return dispatch({ type: "expired", message: effect.message });
      case "failed":
        this.stop();
        return dispatch({ type: "download-failed", cause: effect.cause, message: effect.message });
    }
  }
  lost(error) {
    this.close();
    if (this.#downloader !== void 0) this.run(this.#downloader.closed(error, this.now()));
  }
  close() {
    this.#connection?.close();
    this.#connection = void 0;
  }
};

// src/agent/agent.ts
var OtaAgent = class {
  #options;
  #policy;
  /** Points of the trusted keys; empty: no signature is asked for. */
  #keys;
  #job;
  #installers;
  #executor;
  #file;
  #link;
  /** Set where the connection is our own: its deadlines are ours to keep. */
  #broker;
  #events = [];
  #dispatching = false;
  #running = false;
  #timer;
  #asked = 0;
  constructor(options) {
    const { ports, platform } = options;
    this.#policy = { ...DEFAULT_POLICY, ...options.policy };
    this.#keys = this.#policy.signingKeys.map(readPublicKey);
    const buffer = new Uint8Array(SECTOR);
    const shared = { network: ports.network, clock: ports.clock, random: () => ports.crypto.random(), enter: (callback) => this.enter(callback) };
    this.#options = options;
    this.#installers = new Map(Object.entries(options.modules ?? {}));
    this.#executor = new Executor(ports, buffer, this.#installers);
    this.#file = new FileLink({ ...shared, settings: { ...options.download, allowHttp: this.#policy.allowHttp }, buffer, dispatch: (event) => this.dispatch(event), log: (line) => this.log(line) });
    this.#broker = options.broker === void 0 ? void 0 : new BrokerLink({ ...shared, broker: options.broker, identity: () => platform.identity() });
    const link = options.link ?? this.#broker;
    if (link === void 0) throw new Error("OtaAgent: broker or link required");
    this.#link = link;
  }
  /** Name of the job's state, for a screen or a test. */
  get state() {
    return this.#job?.state ?? "off";
  }
  /** Judges this boot, goes on with the job in hand and connects. Once. */
  start() {
    if (this.#running) return;
    this.#running = true;
    const { boot, flash, crypto } = this.#options.ports;
    this.enter(() => {
      const facts = {
        running: boot.running(),
        target: boot.target(),
        slotSize: flash.size,
        resetReason: boot.resetReason(),
        lastInvalid: boot.lastInvalid(),
        lastFault: this.#options.lastFault,
        stored: this.#executor.snapshot()
      };
      const { platform } = this.#options;
      const capacityOf = (part) => this.#installers.get(part)?.capacity;
      const trust = this.#keys.length === 0 ? {} : { refusalOfSignature: (hash, trailer) => refusalOfSignature(hash, trailer, this.#keys, crypto) };
      this.#job = new UpdateJob({ platform, policy: this.#policy, capacityOf, digest: (algorithm) => crypto.digest(algorithm), ...trust }, facts);
      this.dispatch({ type: "boot" });
      this.#link.start(platform.subscriptions, {
        up: () => this.enter(() => this.dispatch({ type: "link", up: true })),
        down: (reason) => this.enter(() => this.down(reason)),
        message: (topic, payload) => this.enter(() => this.incoming(this.#options.platform.parse(topic, payload))),
        acked: (token) => this.enter(() => this.dispatch({ type: "acked", token })),
        warning: (message) => this.notify({ event: "warning", message })
      });
    });
  }
  /** Closes both connections and forgets the timer. What is stored stays. */
  stop() {
    this.#running = false;
    this.#file.stop();
    this.#link.stop();
    if (this.#timer !== void 0) this.#options.ports.clock.clear(this.#timer.handle);
    this.#timer = void 0;
  }
  /* ---- entries from the outside ---- */
  enter(callback) {
    if (!this.#running) return;
    try {
      callback();
    } catch (error) {
      this.notify({ event: "warning", message: `internal error: ${error.message}` });
    }
    this.arm();
  }
  incoming(incoming) {
    switch (incoming.kind) {
      case "offer":
        return this.dispatch({ type: "offer", offer: incoming.offer });
      case "refused":
        return this.dispatch({ type: "refused", task: incoming.task, outcome: incoming.outcome });
      case "version-answer":
        if (!incoming.accepted) this.notify({ event: "warning", message: `version report refused: ${incoming.message}` });
        return;
      case "ignored":
        return this.log(`message ignored: ${incoming.reason}`);
    }
  }
  down(reason) {
    this.log(`mqtt: ${reason}`);
    this.dispatch({ type: "link", up: false });
  }
  /* ---- the job ---- */
  /** One event after the other: what happens while one is handled waits. Returns when all are done. */
  dispatch(event) {
    this.#events.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#events.shift(); next !== void 0; next = this.#events.shift()) this.carryOut(this.#job?.handle(next, this.now()) ?? []);
    } finally {
      this.#dispatching = false;
      this.#events.length = 0;
    }
  }
  carryOut(effects) {
    for (let index = 0; index < effects.length; index++) {
      const effect = effects[index];
      try {
        const answer = this.execute(effect);
        if (answer !== void 0) this.#events.push(answer);
      } catch (error) {
        this.#events.push({ type: "effect-failed", effect: effect.type, message: error.message });
        return;
      }
    }
  }
  execute(effect) {
    switch (effect.type) {
      case "download":
        this.#file.start(effect);
        return void 0;
      case "renew":
        this.#file.renew(effect.url);
        return void 0;
      case "stop-download":
        this.#file.stop();
        return void 0;
      case "report": {
        const message = this.#options.platform.encode(effect.report);
        if (message !== void 0) this.#link.publish(message, effect.token);
        return void 0;
      }
      case "ask":
        this.ask(effect.question, effect.task);
        return void 0;
      case "notify":
        this.notify(effect.notice);
        return void 0;
      case "yield":
        this.#options.ports.clock.set(() => this.enter(() => this.dispatch({ type: "turn" })), 0);
        return void 0;
      default:
        return this.#executor.execute(effect);
    }
  }
  /** Only the latest question of all may still be answered, and only once. */
  ask(question, task) {
    const number = ++this.#asked;
    const answer = (event) => {
      if (number !== this.#asked) return;
      this.#asked++;
      this.enter(() => this.dispatch(event));
    };
    const { onOffer, onRestart, onHealthCheck } = this.#options;
    switch (question) {
      case "consent":
        if (onOffer === void 0) return answer({ type: "consent", decision: "accept" });
        return onOffer.call(this.#options, task, (decision) => answer({ type: "consent", decision }));
      case "restart":
        if (onRestart === void 0) return answer({ type: "restart" });
        return onRestart.call(this.#options, task, () => answer({ type: "restart" }));
      case "health":
        if (onHealthCheck === void 0) return answer({ type: "health", ok: true, message: "" });
        return onHealthCheck.call(this.#options, (ok, message) => answer({ type: "health", ok, message: message ?? "no reason given" }));
      case "install":
        try {
          return this.#executor.installer.finish((error) => answer({ type: "install", ok: error === void 0, message: error?.message ?? "" }));
        } catch (error) {
          return answer({ type: "install", ok: false, message: error.message });
        }
    }
  }
  notify(notice) {
    try {
      this.#options.onNotice?.(notice);
    } catch (error) {
      this.log(`onNotice: ${error.message}`);
    }
  }
  log(line) {
    this.#options.ports.log?.(line);
  }
  /* ---- time ---- */
  now() {
    return this.#options.ports.clock.now();
  }
  /** One timer for all deadlines. A later one is left to fire early: the download's moves with every byte. */
  arm() {
    if (!this.#running) return;
    const at = earlier(this.#file.deadline(), earlier(this.#job?.deadline(), this.#broker?.deadline()));
    if (at === void 0 || this.#timer !== void 0 && this.#timer.at <= at) return;
    const { clock } = this.#options.ports;
    if (this.#timer !== void 0) clock.clear(this.#timer.handle);
    const handle = clock.set(() => this.tick(), Math.max(0, at - this.now()));
    this.#timer = { handle, at };
  }
  tick() {
    this.#timer = void 0;
    this.enter(() => {
      this.#broker?.tick();
      this.#file.tick();
      this.dispatch({ type: "tick" });
    });
  }
};

// src/util/json.ts
var JsonError = class extends Error {
  name = "JsonError";
};
var QUOTE = 34;
var BACKSLASH = 92;
function depth(bytes) {
  let open2 = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if ((byte | 32) === 123) deepest = Math.max(deepest, ++open2);
    else if ((byte | 32) === 125) open2--;
  }
  return deepest;
}
function parseJson(input, maxDepth) {
  const text3 = typeof input === "string" ? input : decodeUtf8(input);
  if (depth(typeof input === "string" ? encodeUtf8(input) : input) > maxDepth) throw new JsonError(`nested deeper than ${maxDepth}`);
  try {
    return JSON.parse(text3);
  } catch {
    throw new JsonError("not JSON");
  }
}
function asObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : void 0;
}
function member(object, key) {
  return Object.prototype.hasOwnProperty.call(object, key) ? object[key] : void 0;
}
function stringMember(object, key) {
  const value = member(object, key);
  return typeof value === "string" ? value : void 0;
}
function integerMember(object, key) {
  const value = member(object, key);
  const number = typeof value === "string" && /^-?[0-9]{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : void 0;
}

// src/platforms/incoming.ts
function readObject(payload) {
  try {
    return asObject(parseJson(payload, JSON_DEPTH)) ?? "not a JSON object";
  } catch (error) {
    return error.message;
  }
}
function ignored(reason) {
  return { kind: "ignored", reason };
}
function badOffer(task, field) {
  const outcome = { kind: "fail", cause: "rejected", message: `bad offer, ${field}` };
  return { kind: "refused", task, outcome };
}

// src/util/hmac.ts
var BLOCK = 64;
function digest(crypto, algorithm, ...parts) {
  const hash = crypto.digest(algorithm);
  for (const part of parts) hash.write(part);
  return hash.close();
}
function pad(key, byte) {
  const block = new Uint8Array(BLOCK).fill(byte);
  for (let i = 0; i < key.length; i++) block[i] ^= key[i];
  return block;
}
function hmac(crypto, algorithm, key, message) {
  const short = key.length > BLOCK ? digest(crypto, algorithm, key) : key;
  const [inside, outside] = [pad(short, 54), pad(short, 92)];
  if (short !== key) short.fill(0);
  const result = digest(crypto, algorithm, outside, digest(crypto, algorithm, inside, message));
  inside.fill(0);
  outside.fill(0);
  return result;
}

// src/platforms/tencent/auth.ts
var SDK_APP_ID = "21010406";
var EXPIRY = 2147483647;
var CONNECTION_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
var CONNECTION_ID_LENGTH = 5;
function clientIdOf(productId, deviceName) {
  return productId + deviceName;
}
function connectionId(crypto) {
  let id = "";
  for (let i = 0; i < CONNECTION_ID_LENGTH; i++) id += CONNECTION_ID[Math.floor(crypto.random() * CONNECTION_ID.length)];
  return id;
}
function usernameOf(clientId, sdkAppId, connection, expiry = EXPIRY) {
  return `${clientId};${sdkAppId};${connection};${expiry}`;
}
function passwordOf(crypto, algorithm, key, username) {
  return `${toHex(hmac(crypto, algorithm, key, encodeUtf8(username)))};hmac${algorithm.toLowerCase()}`;
}
function secretKey(deviceSecret) {
  const text3 = typeof deviceSecret === "function" ? deviceSecret() : deviceSecret;
  if (!text3) throw new Error("deviceSecret: needed in KEY mode");
  try {
    return decodeBase64(text3);
  } catch (error) {
    throw new Error(`deviceSecret: ${error.message}`, { cause: error });
  }
}

// src/platforms/tencent/dialect.ts
var KEEPALIVE_MAX = 900;
var VERSION_MAX = 32;
var RESULT_CODES = Object.freeze({
  "download-timeout": -1,
  "not-found": -2,
  "url-expired": -3,
  "digest-mismatch": -4,
  download: -5,
  rejected: -5,
  signature: -5,
  flash: -5,
  "rolled-back": -5
});
var TencentPlatform = class {
  name = "tencent";
  subscriptions;
  rules = {
    versionReport: true,
    versionWhileBusy: true,
    renewable: true,
    resumeDelay: RESUME_DELAY
  };
  #config;
  #crypto;
  #updateTopic;
  #reportTopic;
  /** Throws with one line that names the setting if the configuration can not work. */
  constructor(config, crypto) {
    const { productId, deviceName, authMode, deviceSecret, hmac: hmac2, keepAlive = MQTT_KEEPALIVE } = config;
    checkName("productId", productId);
    checkName("deviceName", deviceName);
    if (authMode !== "KEY" && authMode !== "CERT") throw new Error('authMode: "KEY" or "CERT"');
    if (hmac2 !== void 0 && hmac2 !== "SHA256" && hmac2 !== "SHA1") throw new Error('hmac: "SHA256" or "SHA1"');
    if (!Number.isInteger(keepAlive) || keepAlive < 0 || keepAlive > KEEPALIVE_MAX) throw new Error(`keepAlive: whole seconds from 0 to ${KEEPALIVE_MAX}`);
    this.#config = config;
    this.#crypto = crypto;
    if (authMode === "KEY") secretKey(deviceSecret).fill(0);
    this.#updateTopic = `$ota/update/${productId}/${deviceName}`;
    this.#reportTopic = `$ota/report/${productId}/${deviceName}`;
    this.subscriptions = [this.#updateTopic];
  }
  identity() {
    const { productId, deviceName, authMode, deviceSecret, hmac: hmac2 = "SHA256", sdkAppId = SDK_APP_ID, keepAlive = MQTT_KEEPALIVE } = this.#config;
    const clientId = clientIdOf(productId, deviceName);
    const username = usernameOf(clientId, sdkAppId, connectionId(this.#crypto));
    if (authMode === "CERT") return { clientId, username, keepAlive };
    const key = secretKey(deviceSecret);
    const password = passwordOf(this.#crypto, hmac2, key, username);
    key.fill(0);
    return { clientId, username, password, keepAlive };
  }
  parse(topic, payload) {
    if (topic !== this.#updateTopic) return ignored("another topic");
    const message = readObject(payload);
    if (typeof message === "string") return ignored(message);
    switch (member(message, "type")) {
      case "report_version_rsp":
        return versionAnswer(message);
      case "update_firmware":
        return offer(message);
      default:
        return ignored("a message of another type");
    }
  }
  encode(report) {
    switch (report.kind) {
      case "version":
        return this.message(1, { type: "report_version", report: { version: report.version } });
      case "progress":
        return this.progress(0, report.task, { state: "downloading", percent: String(report.percent) });
      case "burning":
        return this.progress(1, report.task, { state: "burning" });
      case "outcome":
        return report.outcome.kind === "done" ? this.progress(1, report.task, { state: "done" }) : this.progress(1, report.task, { state: "fail" }, RESULT_CODES[report.outcome.cause], truncateUtf8(report.outcome.message, MESSAGE_MAX));
    }
  }
  /** Every value of `progress` is a string, numbers too. */
  progress(qos, task, state, code = 0, text3 = "") {
    return this.message(qos, { type: "report_progress", report: { progress: { ...state, result_code: String(code), result_msg: text3 }, version: task.version } });
  }
  message(qos, content) {
    return { topic: this.#reportTopic, payload: JSON.stringify(content), qos };
  }
};
function checkName(setting, value) {
  if (typeof value !== "string" || value === "") throw new Error(`${setting}: missing`);
  if (/[\0-\x20\x7f/+#;]/.test(value)) throw new Error(`${setting}: has a character that no topic or user name can carry`);
}
function versionAnswer(message) {
  const code = integerMember(message, "result_code");
  const text3 = stringMember(message, "result_msg") ?? "";
  return { kind: "version-answer", accepted: code === 0, message: truncateUtf8(text3 || `result_code ${code ?? "missing"}`, MESSAGE_MAX) };
}
function offer(message) {
  const version = stringMember(message, "version");
  if (!version || version.length > VERSION_MAX) return ignored(`an offer without a version of 1 to ${VERSION_MAX} characters`);
  const url = stringMember(message, "url");
  const md5 = stringMember(message, "md5sum");
  const size = integerMember(message, "file_size");
  if (!url) return badOffer({ version }, "url: missing");
  if (utf8Length(url) > URL_MAX) return badOffer({ version }, `url: longer than ${URL_MAX} bytes`);
  if (!/^https?:\/\/[^/]/i.test(url) || /[\0-\x20\x7f]/.test(url)) return badOffer({ version }, "url: not an http or https URL");
  if (!md5 || !/^[0-9a-f]{32}$/i.test(md5)) return badOffer({ version }, "md5sum: not 32 hex digits");
  if (size === void 0 || size <= 0) return badOffer({ version }, "file_size: not a whole number above 0");
  return { kind: "offer", offer: { version, size, url, digest: { algorithm: "MD5", hex: md5.toLowerCase() } } };
}
export {
  OtaAgent,
  TencentPlatform
};
