/**
 * The agent's limits and times, by the phase they belong to. Times are milliseconds, lengths bytes, unless a comment
 * says otherwise. Each names its source: a standard, a vendor's document, a measurement (docs/), or the requirement
 * that it meets ("chosen").
 */

/* ---- flash ---- */

/** Erase unit of every ESP32 (ESP-IDF, spi_flash: SPI_FLASH_SEC_SIZE), and the step of the checkpoint. */
export const SECTOR = 4096;
/**
 * Bytes held back until the image is proven: without the magic 0xE9 at the start no bootloader takes the slot for an
 * image (ESP-IDF, esp_image_header_t). 16 is the unit of writes to encrypted flash (ESP-IDF, "Flash Encryption").
 */
export const HEAD = 16;
/**
 * Repairs (erase and program again) of one sector whose readback differs. Chosen: a third failure is a worn cell, not a
 * disturbed write.
 */
export const SECTOR_REPAIRS = 2;
/** KiB that are erased with one command where that pays; 4: sector by sector, for an app that may not stop for 150 ms. */
export const ERASE_BLOCK = 64;
/**
 * Longest time without serving sockets, ms: the erase of a block by the slowest chip (Winbond W25Q32JV, tBE2; a sector:
 * 400 ms). Watchdog and keep-alive are longer; between two erases the sockets have their turn.
 */
export const ERASE_BLOCK_WORST = 2_000;
/** Sectors still to be written that make the erase of a block pay: 150 ms against 37 ms each (`Flash.eraseBlock`). */
export const ERASE_BLOCK_LEAST = 5;

/* ---- connecting, to broker and file server ---- */

/** Connect and TLS handshake. Three SYN retransmissions, after 1, 3 and 7 s (RFC 6298, section 2), fit. */
export const CONNECT_TIMEOUT = 10_000;
/**
 * First wait after a failed attempt; doubles, with full jitter (AWS Architecture Blog, "Exponential Backoff And
 * Jitter").
 */
export const BACKOFF_FIRST = 1_000;
/**
 * Longest wait between attempts. Chosen: a device is back within a minute of its network, and a fleet of 10,000 asks
 * 333 times a second on average.
 */
export const BACKOFF_CAP = 60_000;

/* ---- download: requests ---- */

/** Longest URL accepted. Tencent's pre-signed URLs have about 400 bytes. */
export const URL_MAX = 2_048;
/** Redirects followed for one request: the limit of RFC 2068, section 10.3. */
export const REDIRECTS = 5;
/**
 * What a power cut may cost in flight: the largest range of one request, and the widest receive window behind which one
 * request asks for more.
 */
export const RANGE_MAX = 16_384;
/** One range where no other request is unanswered: the response head of some 440 bytes is 3 % of it (docs/BENCH.md). */
export const RANGE = RANGE_MAX;
/**
 * Bytes asked for beyond the checkpoint, at most: one sector plus RANGE_MAX in flight is all that a power cut may cost.
 */
export const WINDOW = SECTOR + RANGE_MAX;

/**
 * What the sector buffer takes beyond a sector, bytes: one segment (CONFIG_LWIP_TCP_MSS). Without it the rest of the
 * segment that completes a sector is read, and acknowledged, after the sector was stored: 1 MiB at 256 KiB/s takes 8.0 s
 * in place of 7.3 s. As much again changes nothing (docs/BENCH.md).
 */
export const SECTOR_SURPLUS = 1_440;

/* ---- download: responses ---- */

/**
 * Nothing received for this long while a response is due: the connection is dead. Chosen; vendor SDKs give up the whole
 * update after 1 s.
 */
export const HTTP_IDLE_TIMEOUT = 15_000;
/**
 * Longest silence before the first byte of a connection's answer, once one took longer than HTTP_IDLE_TIMEOUT. Stores
 * that wake up and slow proxies take up to 50 s; the usual limit of proxies is 60 s (nginx, proxy_read_timeout).
 */
export const FIRST_BYTE_TIMEOUT = 60_000;
/**
 * Bytes of a response head that are kept; the surplus is skipped, never stored. nginx, as a proxy, takes heads of 4 or
 * 8 KiB (proxy_buffer_size).
 */
export const HTTP_HEAD_MAX = 8_192;
/**
 * Bodies fetched again because no HTTP head followed them, in one download (docs/MODDABLE.md). Chosen: more is the
 * server's fault, and the digest decides.
 */
export const REWINDS_MAX = 8;

/* ---- download: failures ---- */

/**
 * First wait after a connection broke that had brought a sector, with full jitter. Chosen: the link works, and a fleet
 * is spread by where each broke.
 */
export const BACKOFF_PROMPT = 250;
/**
 * Transport failures: this long without a new sector ends the job. Measured on progress, never on the whole transfer.
 * Chosen.
 */
export const STALL_BUDGET = 15 * 60_000;
/**
 * The cloud is told why there is no progress after this without a new sector. Chosen: an operator looks after a minute,
 * and shorter stalls mend themselves.
 */
export const STALL_REPORT = 60_000;
/**
 * Refusals that look final (404, JSON body, other total, certificate): tries, and the time they may take together.
 * Chosen.
 */
export const REFUSAL_TRIES = 3;
export const REFUSAL_WINDOW = 60_000;
/**
 * Wait before a URL that was answered with 401 or 403 is tried once more; only then is a fresh one asked for. A rate
 * limiter answers like an expired URL: Apache's mod_evasive blocks for 10 s (DOSBlockingPeriod) and starts anew at each
 * request in that time.
 */
export const DENIED_WAIT = 15_000;
/**
 * From an answer to the next request once a limiter has refused two in between: the first gap, which doubles with each
 * further refusal, and the longest. 1 s is the unit in which Apache's mod_evasive counts, and the slowest common rate of
 * nginx's limit_req ("rate=1r/s").
 */
export const LIMITER_GAP = 1_000;
export const LIMITER_GAP_MAX = 16_000;
/** Fresh URLs asked for in one job before it fails. Chosen: three that expire at once are a wrong clock or account. */
export const URL_RENEWALS = 3;
/** How long a renewal is awaited before it counts as failed. Chosen: longer than the longest wait for a reconnect. */
export const RENEWAL_TIMEOUT = 60_000;

/* ---- deep sleep ---- */

/** Awake time of one wake, seconds, where the application gives no other. Chosen: 1 MiB at 16 KiB/s takes a minute. */
export const WAKE_SECONDS = 60;
/**
 * No further range is asked for so long before the end of a wake, and in its last fifth where that is less. Chosen: at
 * 16 KiB/s the 20 KiB that may be in flight (WINDOW) arrive in 1.3 s.
 */
export const FETCH_END = 2_000;
/** After the end of a wake the sector in hand is awaited so long. Chosen: 4 KiB at 1 KiB/s take 4 s. */
export const SLEEP_GRACE = 4_000;
/**
 * An idle device listens so long after the cloud was heard last. Chosen: Tencent pushes 20 ms after it has answered a
 * version report (log of the platform).
 */
export const SLEEP_LISTEN = 2_000;
/** From the closing of the connections to the sleep: DISCONNECT leaves the chip. Chosen: two round trips by radio. */
export const SLEEP_CLOSE = 200;
/** Deep-sleep wakes of one trial, and its length with all sleep, ms; then it is rolled back, with no other sleep. Chosen. */
export const TRIAL_WAKES = 20;
export const TRIAL_SPAN = 24 * 3_600_000;
/** Longest sleep in a trial, seconds. Chosen: its 20 wakes then fit into its 24 h. */
export const TRIAL_SLEEP_MAX = 3_600;

/* ---- MQTT ---- */

/**
 * Largest MQTT payload accepted; a longer packet is skipped. Chosen: an offer with the longest URL takes less than half
 * of it.
 */
export const MQTT_PAYLOAD_MAX = 8_192;
/**
 * Longest topic of a message, bytes; Tencent's have at most 72 ("$ota/update/", product 10, device 48), the rest is
 * room for other clouds.
 */
export const MQTT_TOPIC_MAX = 256;
/**
 * Keep-alive in seconds; the vendor's Python SDK uses 60, the platform allows 0 to 900 (Tencent, document 1105/41824).
 */
export const MQTT_KEEPALIVE = 60;
/** CONNACK, SUBACK and PINGRESP are awaited as long as a connect. */
export const MQTT_REPLY_TIMEOUT = CONNECT_TIMEOUT;
/** An unacknowledged QoS 1 publish is sent again on a live connection after this. Chosen: twice MQTT_REPLY_TIMEOUT. */
export const MQTT_RESEND = 20_000;
/** QoS 1 publishes kept until acknowledged. The agent itself never has more than three in flight. */
export const MQTT_INFLIGHT = 8;
/**
 * A connection that lasted this long resets the reconnect backoff. Another client with the same id ends it sooner (MQTT
 * 3.1.1, section 3.1.4).
 */
export const MQTT_STABLE = 30_000;
/**
 * Longest wait for a reconnect while an update is in hand. Chosen: with a connect of some seconds the cloud hears of the
 * update within 15 s of a break.
 */
export const RECONNECT_IN_UPDATE = 5_000;
/**
 * Reconnects in a trial begin at most this part of the trial apart: a cloud that is back 35 s before the end of a trial
 * of 120 s gets two attempts.
 */
export const RECONNECTS_PER_TRIAL = 10;
/**
 * ThingsBoard ends a session without telemetry or pings after 10 minutes, whatever chunks are fetched in it
 * (transport.sessions.inactivity_timeout, 600 s).
 */
export const THINGSBOARD_ALIVE = 2 * 60_000;
/**
 * ThingsBoard serves what is assigned at once, and shows it in the attributes 0.2 to 0.5 s later (as run). Chosen: twice
 * that.
 */
export const THINGSBOARD_SETTLE = 1_000;
/**
 * JSON nesting accepted in a message. Chosen: deeper than any offer. The engine's parser is recursive, and a chip's
 * stack has a few hundred slots.
 */
export const JSON_DEPTH = 16;

/* ---- polling ---- */

/** Longest answer to a poll, bytes: a manifest with eight builds and the release before has 4 KiB. */
export const POLL_BODY_MAX = 8_192;
/** One request with its answer and its redirects may take this long. Chosen: 8 KiB at 1 KiB/s, and a slow first byte. */
export const POLL_TIMEOUT = 60_000;
/** Requests that one poll may lead to, one after the other. Chosen: hawkBit needs two. */
export const POLL_FOLLOWS = 3;
/**
 * Longest wait after a failed poll, and longest Retry-After that is granted, where no update is in hand. Chosen: a
 * broken manifest costs a device less than 100 requests a day.
 */
export const POLL_RETRY_CAP = 15 * 60_000;
/** Part of the interval by which a poll comes earlier or later, so that devices that start together drift apart. */
export const POLL_JITTER = 0.1;
/** Seconds between polls: default, and bounds. Chosen: a quarter of a day; no server is asked more than once a minute. */
export const POLL_SECONDS = 21_600;
export const POLL_SECONDS_MIN = 60;
export const POLL_SECONDS_MAX = 604_800;
/** Seconds between polls of hawkBit until it names its own time; that of a stock server. */
export const HAWKBIT_SECONDS = 300;
/** Least that it may ask for; a server of hawkBit takes no smaller setting. */
export const HAWKBIT_SECONDS_MIN = 30;

/* ---- offers and reports ---- */

/** Result message on the wire, bytes (ThingsPanel: 128; Tencent sets no limit). */
export const MESSAGE_MAX = 128;
/** Progress reports: at most one in this time (vendor SDKs: 1 s). */
export const REPORT_INTERVAL = 1_000;
/**
 * A job found at power-on resumes from its stored URL after this without a fresh push. Chosen: the cloud pushes within
 * seconds of a version report.
 */
export const RESUME_DELAY = 30_000;
/**
 * An idle device reports its version again this often where that brings a lost push back: pushes come at QoS 0, and no
 * device can notice a lost one.
 */
export const REREPORT = 10 * 60_000;
/**
 * What the cloud will not send again is stored if it is pending for longer than this. A PUBACK usually comes within a
 * round trip, and costs no flash then.
 */
export const PENDING_STORE_AFTER = 1_000;
/**
 * Images on the denylist. One signature can be encoded in four ways (docs/SECURITY.md), each of which is another file.
 */
export const REFUSED_MAX = 16;

/** Why nothing happens is said again after this if it still holds. Chosen: a log of a day stays readable. */
export const REMARK_AGAIN = 30 * 60_000;
/** Causes that are remembered as said; text comes from peers, so there must be a bound. */
export const REMARKS_MAX = 16;

/** Bytes of a recording that are kept over the end of a boot: 17 entries of NVS, or one half of what the port retains. */
export const KEPT_MAX = 496;

/* ---- install and trial ---- */

/** Bytes at the end of a signed file that its signature does not cover (docs/SPEC.md, "Firmware signature"). */
export const TRAILER = 96;
/**
 * An installer has to finish a module within this: a second processor that is flashed over a slow line takes minutes.
 * Chosen.
 */
export const INSTALL_TIMEOUT = 10 * 60_000;
/** PUBACK of `burning` is awaited this long before the switch: as long as any reply. */
export const BURNING_ACK = MQTT_REPLY_TIMEOUT;
/**
 * The proven image waits this long for a cloud that can be reached, by which its trial is judged; then the switch comes
 * all the same, because firmware whose own link is broken is cured by an update. Chosen: as long as STALL_BUDGET.
 */
export const LINK_WAIT = 15 * 60_000;
/**
 * After a trial that did not reach the cloud the old firmware has this long to reach it, from the moment when its
 * interface has an address: if it does, the cloud was there and the new image is to blame. Chosen: a connect and a reply,
 * with a retry.
 */
export const DECIDE_WITHIN = 15_000;
/**
 * Trial of new firmware, seconds: default and limits. Keep it below the platform's task time-out (Tencent: 120 to 900).
 */
export const TRIAL_SECONDS = 120;
export const TRIAL_SECONDS_MIN = 30;
export const TRIAL_SECONDS_MAX = 900;
/**
 * The chip ends a trial by itself so much later, ms, where no JavaScript runs any more: what still runs says why it ends.
 * Chosen.
 */
export const TRIAL_MARGIN = 30_000;
/**
 * Trials of one image cut short by power loss before the job fails. Chosen: a good image may meet two, a bad one that
 * browns the supply out may not go on.
 */
export const MAX_ATTEMPTS = 2;
/** Trials of one image that may end without a confirm; then it is not tried again. Chosen. */
export const TRIALS_MAX = 3;
/**
 * From one such trial to the next, awake seconds. Chosen: an outage of the cloud that ends gets its second trial soon;
 * endless pushes get no fourth.
 */
export const TRIAL_WAITS: readonly number[] = Object.freeze([2 * 60, 15 * 60]);
/**
 * Installs of images that were confirmed here before. Chosen: an operator switches back and forth a few times, a cloud
 * with two open tasks without end.
 */
export const REPEAT_BUDGET = 8;
/** Counters of installs are one byte each of their record (docs/SPEC.md). */
export const REPEAT_BUDGET_MAX = 255;
/** Awake seconds that give one of them back. Chosen: at most 96 installs a day, of 100,000 erase cycles of a sector. */
export const REPEAT_REFILL = 15 * 60;
/**
 * Images that were never confirmed here, whatever becomes of them. Chosen: a day of a developer who tries things; with
 * the refill below at most 204 on the first day and 144 on each further one.
 */
export const NEW_IMAGES = 60;
/** Awake seconds that give one of them back. */
export const NEW_IMAGE_REFILL = 10 * 60;
/** Awake time is stored this often while a wait runs: a power cut loses at most so much of it. */
export const AWAKE_STORE_INTERVAL = 60_000;
