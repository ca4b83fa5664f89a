/** Trials, and what the device refuses by its own rules. */
import type { Row } from "./row";

/** Trials. How one ended comes before what it waited for. */
export const TRIAL: readonly Row[] = [
  [
    "trial-power",
    /trial cut short by power loss/,
    "the power failed in every trial of the new firmware: mend the supply, and push the image again",
  ],
  [
    "trial-health",
    /health check failed/,
    "the new firmware's own health check failed, for the reason in the text: mend that in the firmware or at the device",
  ],
  [
    "trial-mute",
    /health check did not answer/,
    "the new firmware's health check gave no answer in time: let it answer before the trial ends",
  ],
  [
    "trial-slept",
    /slept before it was confirmed/,
    "the new firmware slept before it was confirmed: let it sleep by the agent",
  ],
  [
    "trial-memory",
    /memory or stack exhausted/,
    "the new firmware probably ran out of memory or stack: give it more, or let it use less",
  ],
  [
    "trial-watchdog",
    /watchdog reset/,
    "the new firmware stood still until the watchdog bit: look for a loop or a blocking call",
  ],
  [
    "trial-crash",
    /panic reset/,
    "the new firmware crashed in native code: read the panic on the serial port of such a board",
  ],
  ["trial-app", /start of the app/, "the new firmware's own code ended its start, for the reason in the text: mend it"],
  [
    "trial-start",
    /did not come to powerOn|failed in its trial/,
    "the new firmware ended early in its trial: try it on a board with its log in view",
  ],
  [
    "trial-never",
    /did not start in \d+ tries/,
    "the new firmware never ran: read the bootloader's log on such a board",
  ],
  [
    "trial-no-agent",
    /no agent was constructed|no powerOn;|agent was stopped/,
    "the new firmware did not start the agent, or stopped it: mend that in its code",
  ],
  ["trial-exception", /unhandled (exception|rejection)/, "the new firmware threw, with the error in the text: mend it"],
  [
    "trial-clock",
    /^trial: clock not set/,
    "the new firmware's clock was never set, so TLS could not verify anything: look at its time server",
  ],
  [
    "trial-address",
    /^trial: no (interface|address)/,
    "the new firmware had no network: look at its Wi-Fi settings and drivers",
  ],
  [
    "trial-offline",
    /reached it after the rollback|cloud not reached/,
    "the new firmware did not reach the cloud, and the old one does: look at its network settings and certificates",
  ],
];

/** What the device's own rules refuse, and what flash holds. */
export const DEVICE: readonly Row[] = [
  [
    "digest",
    /of what is in flash is/,
    "the file has another digest than the task says, or changes on the way: compare the digest of the file on the server with the task's",
  ],
  [
    "flash",
    /flash at 0x|head of the image is lost/,
    "the flash chip does not hold what is written: replace the board if it happens again",
  ],
  [
    "store",
    /^store: /,
    "the device cannot store its records in NVS: look at the size of that partition, and replace the board if it is worn",
  ],
  ["bad-offer", /^bad offer/, "the cloud's task is malformed, in the field that the text names: correct the task"],
  ["no-digest", /offer has no digest/, "the task has no digest: give it one"],
  [
    "plain-http",
    /plain http download refused/,
    "the URL is plain http: offer https, or permit allowHttp on the device",
  ],
  [
    "downgrade",
    /is older than the running/,
    "the task's version is older than the running one: offer a newer one, or permit allowDowngrade on the device",
  ],
  [
    "same-version",
    /runs already/,
    "the running version was offered with another file: give the new file a new version",
  ],
  [
    "too-big",
    /does not fit|do not fit/,
    "the image does not fit the device's slot: make it smaller, or give the device larger slots",
  ],
  ["chip", /image is for chip/, "the image is for another chip: build it for the device's one"],
  [
    "product",
    /image is of product|no firmware block/,
    "the image is of another product: offer the right one, or permit allowForeign on the device",
  ],
  [
    "version",
    /version in the image is/,
    "the version in the image is not the task's: correct the task, or build the image with that version",
  ],
  ["floor", /security floor/, "the image's security version is lower than one that ran here: offer a newer image"],
  [
    "before",
    /was (refused|rolled back) before/,
    "this image failed on this device before: offer a corrected one, or reset the device's denylist",
  ],
  [
    "budget",
    /not tried again|next (trial|install|one) in/,
    "the device has tried or installed too often: wait for the minutes in the text, and look why it is pushed again",
  ],
  [
    "unsigned",
    /signature|signed/,
    "no key that the device trusts has signed the file: sign it with `xs-ota sign`, or give the device the right key",
  ],
  ["declined", /declined by the application/, "the device's application declined the update: look at its rule"],
  [
    "no-image",
    /not an ESP image|ESP image: |^verify|longer than the file/,
    "the file is no whole firmware image: upload the application's .bin of the build",
  ],
  [
    "container",
    /container/,
    "the container does not suit this device, for the reason in the text: make it anew from the image that runs there",
  ],
];

/** Of a trial, where nothing above says more. */
export const LAST: readonly Row[] = [
  ["trial", /^trial: |rolled back/, "the new firmware did not prove itself: try it on a board with its log in view"],
];
