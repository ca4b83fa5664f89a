/** A dump of a real board's flash: what it has, and whether it could be updated. */
import { chipName } from "../../hal/model-chip/chips";
import { describeDump } from "../dump/describe-dump";
import type { DumpDescription } from "../dump/describe-dump";
import { note, wrong } from "./finding";
import type { Finding, Verdict } from "./finding";
import { tableFindings } from "./table-rules";

const REFLASH = "one serial flash of bootloader and partition table (docs/guide/3-factory.md)";
const READ_AGAIN = "esptool read-flash 0 ALL flash.bin";
/** The agent does not start without them. */
const NEEDED = ["platform"] as const;

export function examineDump(bytes: Uint8Array): Verdict {
  let dump: DumpDescription;
  try {
    dump = describeDump(bytes);
  } catch (error) {
    return {
      facts: [],
      findings: [
        wrong(
          (error as Error).message,
          "what the device has can not be told",
          `${READ_AGAIN}, of a board without flash encryption`,
        ),
      ],
    };
  }
  const slots = dump.slots.map(({ label, version, bootable }) => `${label} ${bootable ? version : "no firmware"}`);
  return {
    facts: [
      `${dump.chip === undefined ? "chip not known" : chipName(dump.chip)}, ${dump.image?.flashSize === undefined ? "flash size not named" : `${dump.image.flashSize >> 20} MB`}`,
      ...(slots.length === 0 ? [] : [slots.join(", ")]),
      `bootloader: ${dump.bootloader}`,
    ],
    findings: [
      ...wholeness(dump),
      ...tableFindings(dump.partitions, dump.image?.flashSize),
      ...bootFindings(dump),
      ...recordFindings(dump),
    ],
  };
}

function wholeness({ notes, image, given }: DumpDescription): Finding[] {
  const found: Finding[] = [];
  const cut = notes.find((each) => each.startsWith("the dump is cut off"));
  if (cut !== undefined) found.push(wrong(cut, "the rest of the device can not be told", READ_AGAIN));
  const nvs = notes.find((each) => each.startsWith("nvs can not be read") || each.includes("pages of nvs"));
  if (nvs !== undefined)
    found.push(
      wrong(
        nvs,
        "checkpoints and settings are lost, or not for us to see",
        "erase nvs and give the settings again, where it is not encrypted",
      ),
    );
  if (image === undefined && given > 0)
    found.push(wrong("no bootloader in the dump", "a chip does not start without one", REFLASH));
  if (image?.problem !== undefined)
    found.push(wrong(`the bootloader is damaged: ${image.problem}`, "the next start may be the last", REFLASH));
  return found;
}

function bootFindings({ bootloader, boot, slots, chip, image, lastRun }: DumpDescription): Finding[] {
  const found: Finding[] = [];
  if (bootloader === "no rollback")
    found.push(
      wrong(
        "the bootloader does not roll back",
        "the start-up of the firmware stands in for it, but firmware that dies before that is never given up",
        REFLASH,
      ),
    );
  if (slots.length > 0 && !slots.some(({ bootable }) => bootable))
    found.push(wrong("no slot has firmware that boots", "the device is dead until it is flashed", REFLASH));
  for (const slot of slots) {
    if (slot.bootable && image !== undefined && slot.chip !== undefined && slot.chip !== chip)
      found.push(
        wrong(
          `${slot.label} has firmware for ${chipName(slot.chip)}`,
          "it never starts",
          "install an image for this chip",
        ),
      );
    const entry = boot.find((each) => each?.slot === slot.label);
    if (entry !== undefined && (entry.state === "aborted" || entry.state === "invalid"))
      found.push(
        note(
          `${slot.label}${slot.version === undefined ? "" : ` (${slot.version})`} was rolled back (${entry.state})`,
          "the firmware did not prove itself in its trial",
          "the cloud was told the cause; inspect shows what this device remembers of it",
        ),
      );
  }
  const deciding = boot.find((each) => each?.decides);
  const running = slots.find(({ label }) => label === deciding?.slot);
  if (deciding !== undefined && running?.bootable === false)
    found.push(
      wrong(
        `${deciding.slot} is to start, and does not boot: ${running.problem}`,
        "the bootloader takes the other slot, if that is whole",
        "push the update again",
      ),
    );
  if (lastRun.fault !== undefined)
    found.push(
      note(`the last run died: ${lastRun.fault}`, "it restarted", "mend the firmware, if that is its own fault"),
    );
  return found;
}

function recordFindings({ settings, notes }: DumpDescription): Finding[] {
  if (notes.some((each) => each.startsWith("nvs"))) return [];
  const keys = settings.map(({ key }) => key);
  if (keys.includes("device.json")) return [];
  return NEEDED.some((key) => keys.includes(key))
    ? []
    : [
        note(
          "no platform among the settings in NVS",
          "the firmware must have its cloud and its identity built in, or it reaches none",
          "xs-ota provision makes the settings of new boards",
        ),
      ];
}
