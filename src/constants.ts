/**
 * Every number the agent lives by, in one place, each with its reason. Times are milliseconds, lengths bytes.
 */

/** Flash erase unit of every ESP32, and the step of the checkpoint. */
export const SECTOR = 4096;
/** Bytes held back until the image is proven: magic 0xE9 lies in them; 16 is also the flash-encryption unit (ESP-IDF, "Flash Encryption"). */
export const HEAD = 16;

/* ---- download ---- */
/** Connect and TLS handshake: a weak cell answers a SYN within a few retransmissions (RFC 6298: 1, 3, 7 s). */
export const CONNECT_TIMEOUT = 10_000;
/** Nothing received for this long while a response is due: the connection is dead. Vendor SDKs give up the whole update after 1 s. */
export const HTTP_IDLE_TIMEOUT = 15_000;
/** First wait after a failed attempt; doubles, with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export const BACKOFF_FIRST = 1_000;
/** First wait after a connection broke that had brought a sector, with full jitter: the line works, and a fleet is spread by where each broke. */
export const BACKOFF_PROMPT = 250;
/** Longest wait between attempts. */
export const BACKOFF_CAP = 60_000;
/** Transport trouble: this long without a new sector ends the job. Measured on progress, never on the whole transfer. */
export const STALL_BUDGET = 15 * 60_000;
/** Deterministic refusals (404, JSON body, other total, certificate): tries, and the time they may take together. */
export const REFUSAL_TRIES = 3;
export const REFUSAL_WINDOW = 60_000;
/**
 * Wait before a URL that was answered with 401 or 403 is tried once more; only then is a fresh one asked for. A limiter answers like an expired
 * URL: Apache's mod_evasive blocks for 10 s (DOSBlockingPeriod) and begins anew at each request in that time.
 */
export const DENIED_WAIT = 15_000;
/** Times a fresh URL is asked for in one job before it fails. */
export const URL_RENEWALS = 3;
/** How long a renewal is waited for before it counts as failed. */
export const RENEWAL_TIMEOUT = 60_000;
/** One Range request, where nothing else is under way: its head of some 440 bytes is 3 %. Those that leave early are three sectors long (WINDOW). */
export const RANGE = 16_384;
/** Largest range ever asked for. */
export const RANGE_MAX = 16_384;
/** Bytes asked for beyond the checkpoint, at most: one sector plus 16 KiB in flight is all that a power cut may cost. */
export const WINDOW = SECTOR + 16_384;
/** Bodies fetched again because what followed them was no head, in one download: more is a server's fault, and the digest decides. */
export const REWINDS_MAX = 8;
/** Redirects followed for one request. */
export const REDIRECTS = 5;
/** Longest URL taken; Tencent's pre-signed ones have about 400 bytes. */
export const URL_MAX = 2_048;
/** Response head beyond this is a failure of the server; the surplus is skipped, never stored. */
export const HTTP_HEAD_MAX = 8_192;

/* ---- MQTT ---- */
/** Largest MQTT payload taken; a longer packet is skipped. */
export const MQTT_PAYLOAD_MAX = 8_192;
/** Longest topic of a message taken, bytes; ours have at most 72 (Tencent: "$ota/update/", product 10, device 48), the rest is room for other clouds. */
export const MQTT_TOPIC_MAX = 256;
/** Keep-alive in seconds; the vendor's Python SDK uses 60, the platform allows 0 to 900 (Tencent doc 1105/41824). */
export const MQTT_KEEPALIVE = 60;
/** CONNACK, SUBACK: waited for as long as a connect. */
export const MQTT_REPLY_TIMEOUT = 10_000;
/** An unacknowledged QoS 1 publish is resent on a live connection after this. */
export const MQTT_RESEND = 20_000;
/** QoS 1 publishes kept until acknowledged. The agent itself never has more than three under way. */
export const MQTT_INFLIGHT = 8;
/** A connection that lasted this long resets the reconnect backoff (another client with the same id ends it sooner). */
export const MQTT_STABLE = 30_000;
/** JSON nesting accepted in a message. */
export const JSON_DEPTH = 16;

/* ---- job ---- */
/** Progress reports: at most one in this time (vendor SDKs: 1 s). */
export const REPORT_INTERVAL = 1_000;
/** PUBACK of `burning` is awaited this long before the switch. */
export const BURNING_ACK = 10_000;
/** Trial of new firmware, seconds: default and limits; keep it below the platform's task time-out (Tencent: 120 to 900). */
export const TRIAL_SECONDS = 120;
export const TRIAL_SECONDS_MIN = 30;
export const TRIAL_SECONDS_MAX = 900;
/** Trials of one image cut short by power loss before the job fails. */
export const MAX_ATTEMPTS = 2;
/** Trials of one image that may end without a confirm; then it is not tried again. */
export const TRIALS_MAX = 3;
/** From one such trial to the next, awake seconds: an outage of the cloud that ends gets its second trial soon, and a cloud that pushes without end no fourth. */
export const TRIAL_WAITS: readonly number[] = Object.freeze([2 * 60, 15 * 60]);
/** Installs of images that were confirmed here before: an operator goes back and forth a few times, a cloud with two open tasks without end. */
export const REPEAT_BUDGET = 8;
export const REPEAT_BUDGET_MAX = 255;
/** Awake seconds that give one of them back. */
export const REPEAT_REFILL = 15 * 60;
/** Awake time is stored this often while a wait runs: at most so much of it is lost by a power cut. */
export const AWAKE_STORE_INTERVAL = 60_000;
/** Repairs (erase and program again) of one sector whose readback differs. */
export const SECTOR_REPAIRS = 2;
/** A job found at power-on resumes from its stored URL after this without a fresh push. */
export const RESUME_DELAY = 30_000;
/** An idle device reports its version again this often where that brings a push that was lost: it comes at QoS 0, and no device can know of it. */
export const REREPORT = 10 * 60_000;
/** What a cloud will not say or ask again is stored when it is owed for longer: an answer usually has its PUBACK within a round trip. */
export const OWED_AFTER = 1_000;
/** An installer makes use of a module within this: a second processor that is flashed over a slow line takes minutes. */
export const INSTALL_TIMEOUT = 10 * 60_000;
/** Images remembered as refused. One signature can be written in four ways (docs/SECURITY.md), each of which is another file. */
export const REFUSED_MAX = 16;
/** Result message on the wire, bytes (ThingsPanel: 128; Tencent sets no limit). */
export const MESSAGE_MAX = 128;
