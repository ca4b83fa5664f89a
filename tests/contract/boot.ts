/**
 * What every implementation of the `Boot` port does together with `Flash`: an update from the first byte to its
 * confirmation, and every way in which it can go back. Most cases are rows of what an emulated chip with ESP-IDF's own
 * bootloader did.
 */
import type { Boot, Flash, ResetReason } from "../../src/ports";
import type { Case } from "./cases";
import { casesOn, equal, sameBytes, throws } from "./cases";

export interface BootBench {
  /** Of the running firmware; after `restart` those of the new start. */
  readonly boot: Boot;
  readonly flash: Flash;
  /**
   * A bootable image of this version for this device, larger than one sector. The device starts with version "1.0.0" in
   * its first slot.
   */
  image(version: string): Uint8Array;
  /** Without rollback the start-up of the firmware gives unconfirmed firmware up. Default: with. */
  readonly bootloader?: "rollback" | "stock";
  /** Ends the running firmware and starts the chip. Default: power-on. */
  restart(reason?: ResetReason): void;
  /** The firmware asked for a restart, by `restart()` or `rollback()`, since it was started. */
  wantsRestart(): boolean;
  /** After the case. */
  close?(): void;
}

export function bootContract(make: () => BootBench): Case[] {
  const on = casesOn(make);
  const write = ({ boot, flash }: BootBench, image: Uint8Array): void => {
    boot.invalidateTarget();
    for (let at = 0; at < image.length; at += 4096) {
      flash.erase(at / 4096);
      flash.write(at, image.subarray(at, Math.min(at + 4096, image.length)));
    }
  };
  const update = (bench: BootBench, version: string): void => {
    write(bench, bench.image(version));
    bench.boot.activate();
    bench.restart("software");
  };
  /** Starts that end a trial nobody confirms, each by `reason`. */
  const fail = (bench: BootBench, reason?: ResetReason): void => {
    for (let starts = bench.bootloader === "stock" ? 3 : 1; starts > 0; starts--) bench.restart(reason);
  };
  const onTrial = (bench: BootBench, version: string, slot: string): void =>
    runs(bench, version, slot, bench.bootloader === "stock" ? "new" : "pending");
  const runs = ({ boot }: BootBench, version: string, slot: string, state: string): void => {
    const running = boot.running();
    equal(running.version, version, "running version");
    equal(running.slot, slot, "running slot");
    equal(running.state, state, "state");
  };

  return [
    on("a new device runs its first slot, confirmed", (bench) => {
      runs(bench, "1.0.0", "ota_0", "valid");
      equal(bench.boot.target(), "ota_1", "target");
      equal(bench.boot.lastInvalid(), undefined, "last invalid");
      equal(bench.boot.running().project.length > 0, true, "has a project name");
    }),
    on("an update runs on trial, is confirmed, and stays", (bench) => {
      update(bench, "2.0.0");
      onTrial(bench, "2.0.0", "ota_1");
      equal(bench.boot.target(), "ota_0", "target");
      bench.boot.confirm();
      runs(bench, "2.0.0", "ota_1", "valid");
      bench.boot.confirm();
      bench.restart();
      runs(bench, "2.0.0", "ota_1", "valid");
      equal(bench.boot.lastInvalid(), undefined, "last invalid");
    }),
    on("update after update, the slots in turn", (bench) => {
      for (let round = 1; round <= 5; round++) {
        update(bench, `2.0.${round}`);
        onTrial(bench, `2.0.${round}`, round % 2 === 1 ? "ota_1" : "ota_0");
        bench.boot.confirm();
      }
    }),
    on("verify gives the image's length; bytes after its end do not matter", (bench) => {
      const image = bench.image("2.0.0");
      write(bench, image);
      const length = bench.boot.verifyTarget();
      equal(
        length <= image.length && length > image.length - 16,
        true,
        `length ${length} of a file of ${image.length}`,
      );
      bench.flash.write(length + 16, new Uint8Array([1, 2, 3]));
      equal(bench.boot.verifyTarget(), length, "length with something behind it");
    }),
    on("what is no image is refused, and the choice of slot stays", (bench) => {
      for (let sector = 0; sector < 4; sector++) bench.flash.erase(sector);
      throws(() => bench.boot.verifyTarget(), "verify of an empty slot");
      throws(() => bench.boot.activate(), "activate of an empty slot");
      bench.restart();
      runs(bench, "1.0.0", "ota_0", "valid");
    }),
    on("one changed bit anywhere is refused", (bench) => {
      const image = bench.image("2.0.0");
      write(bench, image);
      const length = bench.boot.verifyTarget();
      for (const place of [0, 1, 24, 40, 4096, Math.floor(length / 2), length - 33, length - 1]) {
        const damaged = image.slice();
        damaged[place]! ^= 0x04;
        write(bench, damaged);
        throws(() => bench.boot.verifyTarget(), `verify with byte ${place} changed`);
        throws(() => bench.boot.activate(), `activate with byte ${place} changed`);
      }
    }),
    on("without its first 16 bytes an image is none, with them it is one", (bench) => {
      const image = bench.image("2.0.0");
      const headless = image.slice();
      headless.fill(0xff, 0, 16);
      write(bench, headless);
      throws(() => bench.boot.verifyTarget(), "verify without head");
      throws(() => bench.boot.activate(), "activate without head");
      bench.flash.write(0, image.subarray(0, 16));
      bench.boot.verifyTarget();
      bench.boot.activate();
      bench.restart("software");
      onTrial(bench, "2.0.0", "ota_1");
    }),
    on("an unconfirmed image is gone at the next start, and known as invalid", (bench) => {
      update(bench, "2.0.0");
      fail(bench, "watchdog");
      runs(bench, "1.0.0", "ota_0", "valid");
      equal(bench.boot.lastInvalid(), "ota_1", "last invalid");
      equal(bench.boot.resetReason(), "watchdog", "reset reason");
    }),
    on("a rolled-back image can be tried again without a download", (bench) => {
      update(bench, "2.0.0");
      fail(bench);
      bench.boot.activate();
      bench.restart("software");
      onTrial(bench, "2.0.0", "ota_1");
      bench.boot.confirm();
      bench.restart();
      runs(bench, "2.0.0", "ota_1", "valid");
    }),
    on("rollback asks for a restart into the old image", (bench) => {
      update(bench, "2.0.0");
      bench.boot.rollback();
      equal(bench.wantsRestart(), true, "wants a restart");
      bench.restart("software");
      runs(bench, "1.0.0", "ota_0", "valid");
      equal(bench.boot.lastInvalid(), "ota_1", "last invalid");
    }),
    on("rollback with nothing to go back to returns, and the device goes on", (bench) => {
      bench.boot.rollback();
      equal(bench.wantsRestart(), false, "wants a restart");
      bench.restart();
      runs(bench, "1.0.0", "ota_0", "valid");
    }),
    on("after an invalidation nothing is known as invalid, and a new update works", (bench) => {
      update(bench, "2.0.0");
      fail(bench);
      equal(bench.boot.lastInvalid(), "ota_1", "before");
      bench.boot.invalidateTarget();
      equal(bench.boot.lastInvalid(), undefined, "after");
      bench.boot.invalidateTarget();
      bench.restart();
      runs(bench, "1.0.0", "ota_0", "valid");
      update(bench, "3.0.0");
      onTrial(bench, "3.0.0", "ota_1");
    }),
    on("the last invalid image is unknown once its slot was touched", (bench) => {
      update(bench, "2.0.0");
      fail(bench);
      bench.flash.erase(0);
      equal(bench.boot.lastInvalid(), undefined, "last invalid");
    }),
    on("activating twice is activating once", (bench) => {
      write(bench, bench.image("2.0.0"));
      bench.boot.activate();
      bench.boot.activate();
      bench.restart("software");
      onTrial(bench, "2.0.0", "ota_1");
      fail(bench);
      runs(bench, "1.0.0", "ota_0", "valid");
    }),
    on("confirm without a trial confirms nothing, not even what was just activated", (bench) => {
      bench.boot.confirm();
      write(bench, bench.image("2.0.0"));
      bench.boot.activate();
      bench.boot.confirm();
      bench.restart("software");
      onTrial(bench, "2.0.0", "ota_1");
    }),
    on("a device that lost power while its target was half written runs the old image", (bench) => {
      const image = bench.image("2.0.0");
      write(bench, image.subarray(0, 8192));
      bench.restart();
      runs(bench, "1.0.0", "ota_0", "valid");
    }),
    on("the running image can be read, and only it", (bench) => {
      const image = bench.image("1.0.0");
      const bytes = new Uint8Array(5000);
      bench.boot.readRunning(100, bytes);
      sameBytes(bytes, image.subarray(100, 5100), "running image");
      throws(() => bench.boot.readRunning(-1, bytes), "read before the slot");
      throws(() => bench.boot.readRunning(bench.flash.size, bytes), "read behind the slot");
      for (let sector = 0; sector < 4; sector++) bench.flash.erase(sector);
      bench.boot.readRunning(100, bytes);
      sameBytes(bytes, image.subarray(100, 5100), "running image after the target was erased");
    }),
    on("the reset reason is told", (bench) => {
      for (const reason of ["power-on", "software", "watchdog"] as const) {
        bench.restart(reason);
        equal(bench.boot.resetReason(), reason, "reset reason");
      }
    }),
    on("the start-up counts starts and wakes of a trial, and nothing else", (bench) => {
      const found = ({ boot }: BootBench): readonly number[] => [boot.startUp().starts, boot.startUp().wakes];
      equal(found(bench).join(), "0,0", "of confirmed firmware");
      update(bench, "2.0.0");
      equal(found(bench).join(), "1,0", "at the first start");
      bench.boot.sleep(60);
      equal(bench.wantsRestart(), true, "wants to sleep");
      bench.restart("deep-sleep");
      onTrial(bench, "2.0.0", "ota_1");
      equal(bench.boot.resetReason(), "deep-sleep", "reset reason");
      equal(found(bench).join(), "1,1", "at the wake");
      bench.boot.confirm();
      bench.restart();
      equal(found(bench).join(), "0,0", "once it is confirmed");
    }),
    on("a trial is over after 20 wakes", (bench) => {
      update(bench, "2.0.0");
      for (let wake = 1; wake <= 20; wake++) {
        bench.boot.sleep(60);
        bench.restart("deep-sleep");
        onTrial(bench, "2.0.0", "ota_1");
        equal(bench.boot.startUp().wakes, wake, "wakes");
      }
      bench.boot.sleep(60);
      bench.restart("deep-sleep");
      runs(bench, "1.0.0", "ota_0", "valid");
      equal(bench.boot.resetReason(), "deep-sleep", "reset reason");
      equal(bench.boot.lastInvalid(), "ota_1", "last invalid");
    }),
    on("whether the target's image has started is known from its activation on", (bench) => {
      equal(bench.boot.targetStarted(), undefined, "without a boot entry");
      write(bench, bench.image("2.0.0"));
      bench.boot.activate();
      equal(bench.boot.targetStarted(), false, "activated");
      bench.restart("software");
      fail(bench);
      equal(bench.boot.targetStarted(), true, "tried");
      bench.boot.activate();
      equal(bench.boot.targetStarted(), false, "activated again");
      bench.restart("software");
      equal(bench.boot.startUp().starts, 1, "starts of the second trial");
    }),
    on("what the bootloader does is found out without an update, and by one", (bench) => {
      const known = bench.bootloader !== "stock";
      equal(bench.boot.startUp().bootloaderRollsBack, undefined, "at the first start");
      bench.restart();
      equal(bench.boot.startUp().bootloaderRollsBack, known, "at the second");
      bench.restart();
      equal(bench.boot.startUp().bootloaderRollsBack, known, "at the third");
      update(bench, "2.0.0");
      equal(bench.boot.startUp().bootloaderRollsBack, known, "on trial");
    }),
    on("restart asks for a restart", (bench) => {
      equal(bench.wantsRestart(), false, "before");
      bench.boot.restart();
      equal(bench.wantsRestart(), true, "after");
    }),
  ];
}
