/** The checks that look at the board from outside: each operation, each start, the end of the story. */
import type { FlashOperation } from "../../../hal/model-chip/flash-chip";
import { SLOT_LABELS } from "../../../hal/model-chip/bootloader";
import { KEY_ANSWER, KEY_JOB, KEY_OUTCOME, KEY_STATE, KEY_WAITING } from "../../../src/job/record";
import { KEY_REFUSED } from "../../../src/job/refused";
import type { Device } from "../simulation/device";
import type { Push } from "../simulation/stories";
import type { Watch } from "./watch";
import { isAsOffered, isAtFault } from "../simulation/world";
import type { World } from "../simulation/world";

/** Where an operation may fall: NVS, boot entries and, for the firmware, the slot that does not run. */
export function judgeOperation(
  { board, ledger, truth }: World,
  watch: Watch | undefined,
  { kind, address, length }: FlashOperation,
): void {
  const inside = (at: { readonly address: number; readonly size: number }): boolean =>
    address >= at.address && address + length <= at.address + at.size;
  if (inside(board.table.nvs) || inside(board.table.otadata)) return;
  if (watch !== undefined && inside(truth.slots.partitions[watch.target])) return;
  ledger.violate(
    "running slot untouched",
    `${kind} of ${length} bytes at 0x${address.toString(16)}${watch === undefined ? " before the firmware runs" : ""}`,
  );
}

/** Whatever the boot entries say: a slot that would boot holds a file that was proven, or the factory's. */
export function judgeSlots(world: World): void {
  const { truth, ledger, story } = world;
  for (const index of [0, 1] as const) {
    const stamp = truth.stamp(index);
    if (ledger.judged[index] === stamp) continue;
    ledger.judged[index] = stamp;
    if (truth.bootable(index) === undefined) continue;
    const known = story.factory !== undefined && truth.holds(index, story.factory, 0, story.factory.length);
    const offered = story.pushes.some(
      (push) => isAsOffered(push) && truth.holds(index, push.file, 0, push.file.length),
    );
    ledger.expect(
      "no half-written slot boots",
      known || offered,
      () => `${SLOT_LABELS[index]} would boot and holds nothing that was offered`,
    );
  }
}

/** Nothing is left to happen. */
export function judgeEnd(world: World, watch: Watch, device: Device): void {
  const { ledger, cloud, truth } = world;
  judgeSlots(world);
  for (const complaint of cloud.complaints) ledger.violate("one outcome", complaint);
  ledger.expect("never wedged", device.answers(), () => `the device is ${device.state} and does not answer`);
  if (ledger.worn !== "nowhere") return;
  ledger.expect("never wedged", device.state === "idle", () => `the device ends as ${device.state}`);
  for (const task of cloud.tasks) {
    if (task.open)
      ledger.violate(
        "story's end",
        `${cloud.pushOf(task).offer.version} was sent ${task.deliveries} times and has no outcome`,
      );
  }
  ledger.expect("story's end", cloud.finished, () => "not every push has had its end");
  const last = lastGood(world);
  const wanted = last?.offer.version ?? "0.1.0";
  ledger.expect(
    "story's end",
    watch.running.version === wanted,
    () => `${watch.running.version} runs in the end, not ${wanted}`,
  );
  ledger.expect("story's end", watch.confirmed, () => `${watch.running.version} is unconfirmed in the end`);
  ledger.expect(
    "no half-written slot boots",
    !keepsRefused(world, watch),
    () => `${SLOT_LABELS[watch.target]} would boot in the end, from an image that was refused`,
  );
  const whole = last === undefined || truth.holds(watch.running.index, last.file, 0, last.file.length);
  ledger.expect("story's end", whole, () => "the running slot does not hold the whole file");
  // What a cut left behind without its job means nothing, and goes with the next one.
  for (const key of ledger.cuts > 0 ? [KEY_JOB] : [KEY_JOB, KEY_STATE, KEY_OUTCOME, KEY_WAITING, KEY_ANSWER]) {
    ledger.expect("one outcome", watch.record(key) === undefined, () => `record ${key} is left in the end`);
  }
  if (!world.story.pushes.some((push) => isAtFault(world, push)))
    ledger.expect("blame", watch.record(KEY_REFUSED) === undefined, () => "an image is remembered as refused");
}

/** The slot that does not run would boot, and not by a file that was offered and is an image by itself. */
function keepsRefused({ truth, story }: World, { target }: Watch): boolean {
  const image = truth.bootable(target);
  if (image === undefined || truth.holds(target, story.factory, 0, story.factory.length)) return false;
  return !story.pushes.some(
    (push) =>
      isAsOffered(push) && image.length <= push.file.length && truth.holds(target, push.file, 0, push.file.length),
  );
}

/** The image that runs when all is over. */
function lastGood({ story, cloud }: World): Push | undefined {
  return story.pushes.findLast(
    (push) => push.ends === "done" && push.supersededAt === undefined && !cloud.usedUp(push),
  );
}
