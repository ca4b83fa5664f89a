/**
 * Where each trap of hawkBit's device API (the last chapter of tests/doubles/hawkbit/hawkbit.md), and each misbehaviour of
 * a client that was reported in public, is tested: what the double does, and what the agent does.
 */
export interface Trap {
  /** Numbers of the traps. */
  readonly traps: readonly number[];
  /** Reports in public, by project and number. */
  readonly reports?: readonly string[];
  readonly what: string;
  /** [file, title]. A title with a variable part ends before that. */
  readonly double: readonly (readonly [file: string, title: string])[];
  readonly agent: readonly (readonly [file: string, title: string])[];
}

const DOUBLE = "tests/doubles/hawkbit";
const MAPPING = "tests/hawkbit/mapping.test.ts";
const FAULTS = "tests/hawkbit/faults.test.ts";
const TRAPS = "tests/hawkbit/traps.test.ts";
const SCENARIOS = "scripts/hawkbit/scenarios.ts";
const BROKEN = "tests/powercut/breakages-of-hawkbit.ts";

export const TRAP_TABLE: readonly Trap[] = [
  {
    traps: [1],
    what: "closed with result none is success",
    double: [[`${DOUBLE}/trap-reports.test.ts`, "trap 1: closed with result none is success"]],
    agent: [
      [MAPPING, "trap 1 and 9: an action is closed with success or failure, by the outcome alone"],
      [BROKEN, "closes an action with result none"],
    ],
  },
  {
    traps: [2],
    reports: ["hawkBit 1085"],
    what: "a GET of a closed action brings it back",
    double: [[`${DOUBLE}/trap-reports.test.ts`, "trap 2: a GET of a closed action flips it back to retrieved"]],
    agent: [[BROKEN, "looks at the document of an action that it has closed (hawkBit 1085)"]],
  },
  {
    traps: [3],
    what: "a timestamp leaves the target pending",
    double: [[`${DOUBLE}/trap-reports.test.ts`, "trap 3: a timestamp of 1970, or of 2040, leaves the target pending"]],
    agent: [[MAPPING, "trap 3: no report has a timestamp"]],
  },
  {
    traps: [4],
    reports: ["hawkBit 1667"],
    what: "rejected, canceled and denied end nothing: a refusal is closed with failure",
    double: [
      [`${DOUBLE}/trap-reports.test.ts`, "trap 4: only closed ends an action"],
      [`${DOUBLE}/trap-reports.test.ts`, "trap 4: consent that is denied is asked for again"],
    ],
    agent: [
      [MAPPING, "what cannot be carried out is refused for its action, with the reason"],
      [FAULTS, "an application that declines closes the action with failure"],
      [
        SCENARIOS,
        "consent that is refused leaves the action waiting, and the device does nothing; given later, it begins",
      ],
    ],
  },
  {
    traps: [5],
    reports: ["sdk-nrf 890"],
    what: "the 100th answer closes the connection, and what was asked behind it is dropped",
    double: [
      [`${DOUBLE}/connection.test.ts`, "trap 5: the 100th answer closes, and what was pipelined behind it is dropped"],
    ],
    agent: [[TRAPS, "trap 5: connections end after every second request"]],
  },
  {
    traps: [6],
    reports: ["rauc-hawkbit-updater 158"],
    what: "404 in mid-download is a cancellation, and no reason to ask for ever",
    double: [[`${DOUBLE}/trap-answers.test.ts`, "trap 6: a download answers 404 from the moment of a cancel"]],
    agent: [
      [TRAPS, "trap 6: an action that is deleted with its target in mid-download leads to polls"],
      [FAULTS, "a file that is missing for good: the server is asked a few times"],
    ],
  },
  {
    traps: [7],
    reports: ["zephyr 71691", "hawkBit 952"],
    what: "a cancellation after the switch is rejected, one before it is kept",
    double: [
      [`${DOUBLE}/trap-reports.test.ts`, "trap 7: a cancel that is answered after burning says canceled"],
      [`${DOUBLE}/trap-reports.test.ts`, "trap 7: rejected brings the action back"],
    ],
    agent: [
      [FAULTS, "trap 7: a cancellation that comes in the trial is rejected"],
      [MAPPING, "traps 7 and 18: a cancel names its action; accepted it ends, rejected the action goes on"],
      [BROKEN, "agrees to every cancellation (zephyr 71691)"],
      [BROKEN, "agrees to a cancellation and goes on"],
    ],
  },
  {
    traps: [8],
    what: "a superseded action that fails leaves the target in error",
    double: [[`${DOUBLE}/trap-reports.test.ts`, "trap 8: a superseded action that fails leaves the target in error"]],
    agent: [[TRAPS, "trap 8: a superseded action whose failure was not taken yet ends as cancelled"]],
  },
  {
    traps: [9],
    reports: ["rauc-hawkbit-updater 161", "rauc-hawkbit-updater 446", "hawkBit 3185"],
    what: "success that is told before the trial",
    double: [
      [`${DOUBLE}/trap-reports.test.ts`, "trap 9: a version that was told to be installed is not offered again"],
    ],
    agent: [
      [TRAPS, "trap 9: nothing but the confirmed firmware tells success"],
      [BROKEN, "tells success when it begins to install (rauc-hawkbit-updater 161)"],
    ],
  },
  {
    traps: [10],
    reports: ["zephyr 71750"],
    what: "success by the id of the action, after a rollback",
    double: [[`${DOUBLE}/trap-reports.test.ts`, "trap 10: an open action is offered under the same id"]],
    agent: [[TRAPS, "trap 10: an action that is still offered after a rollback ends with failure"]],
  },
  {
    traps: [11],
    reports: ["zephyr 89530"],
    what: "ids that end with 0, or have 64 bits",
    double: [[`${DOUBLE}/trap-reports.test.ts`, "trap 11: ids are decimal strings"]],
    agent: [[MAPPING, "trap 11: ids are decimal strings of up to 64 bits"]],
  },
  {
    traps: [12],
    what: "documents that are longer than a buffer",
    double: [[`${DOUBLE}/trap-answers.test.ts`, "trap 12: a document of one artifact has about 700 bytes"]],
    agent: [
      [TRAPS, "trap 12: a document with forty artifacts"],
      [MAPPING, "trap 12: a document that is too long is refused for its action"],
    ],
  },
  {
    traps: [13],
    what: "chunked framing for the errors of a download alone",
    double: [[`${DOUBLE}/trap-answers.test.ts`, "trap 13: only the errors of the download path are in chunked form"]],
    agent: [
      [FAULTS, "trap 13: a JSON error in chunked form in mid-download leads to a poll"],
      [SCENARIOS, "a JSON error in chunked form in mid-download"],
    ],
  },
  {
    traps: [14],
    reports: ["hawkBit 618", "hawkBit 879", "rauc-hawkbit-updater 85", "rauc-hawkbit-updater 133"],
    what: "links to another scheme or host, and redirects of a proxy",
    double: [[`${DOUBLE}/trap-answers.test.ts`, "trap 14: links have the Host header's host and port"]],
    agent: [
      [MAPPING, "trap 14: links are rebuilt on the device's own scheme and host"],
      [TRAPS, "trap 14: a server behind a proxy that does not know it"],
      ["tests/poll/poller.test.ts", "redirects, to another host and back to http only where http is allowed"],
      ["tests/poll/poller.test.ts", "a POST follows 307 and 308, with its body, and no other redirect"],
    ],
  },
  {
    traps: [15],
    what: "the version is not asked for after a rollback",
    double: [[`${DOUBLE}/trap-reports.test.ts`, "trap 15: configData is asked for after success"]],
    agent: [
      [MAPPING, "trap 15: the version is sent unasked"],
      [BROKEN, "does not tell its version after a rollback"],
    ],
  },
  {
    traps: [16],
    what: "a blank in a file's name is a plus in its link",
    double: [[`${DOUBLE}/trap-answers.test.ts`, "trap 16: a blank in a file's name is a plus in the link"]],
    agent: [
      [MAPPING, "trap 16: a blank in a file's name is asked for as %20"],
      [TRAPS, "trap 16: a file with a blank in its name"],
    ],
  },
  {
    traps: [17],
    what: "429 of the rate limiter, and of a quota",
    double: [
      [`${DOUBLE}/trap-answers.test.ts`, "traps 17 and 20: 200 reads and 50 writes a second"],
      [`${DOUBLE}/trap-reports.test.ts`, "traps 17 and 20: 1,000 entries of an action"],
    ],
    agent: [
      [TRAPS, "trap 17: with the action's thousand entries used up, progress is dropped"],
      [TRAPS, "trap 17: a rate limiter that takes no report for the whole trial"],
      ["tests/poll/failures.test.ts", "a server that refuses the poll is not asked in a hurry"],
    ],
  },
  {
    traps: [18],
    what: "a maintenance window that went by is a cancellation",
    double: [[`${DOUBLE}/trap-answers.test.ts`, "trap 18: a maintenance window that went by becomes a cancel"]],
    agent: [
      [SCENARIOS, "expired in mid-download: the maintenance window lapses while the device is off"],
      [SCENARIOS, "a maintenance window that lapsed before the device was there"],
    ],
  },
  {
    traps: [19],
    what: "CBOR names links otherwise",
    double: [[`${DOUBLE}/trap-answers.test.ts`, "trap 19: CBOR has a list of links"]],
    agent: [[TRAPS, "trap 19: every document is asked for as JSON"]],
  },
  {
    traps: [20],
    reports: ["hawkBit 1249"],
    what: "entries of an action and requests are counted",
    double: [
      [
        `${DOUBLE}/artifacts.test.ts`,
        "a whole download, a HEAD and a digest are entries of the action, a range is none",
      ],
    ],
    agent: [
      [TRAPS, "traps 5 and 20: a download takes a request for each 12 KiB"],
      [MAPPING, "traps 17 and 20: a whole download changes its report four times"],
    ],
  },
];
