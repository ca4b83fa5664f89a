/**
 * The ESP32 port's C module in the SDK's engine, over fakes of the ESP-IDF calls it makes: the contract suites, one
 * JSON line per case.
 */
import { Directory, File } from "file";
import { FileCells } from "xs-ota/hal/moddable-sim/file-cells";
import { Process } from "xs-ota/hal/moddable-sim/process";
import { makeImage, manufacture } from "xs-ota/hal/moddable-sim/chip";
import { EspBoot, EspFlash } from "xs-ota/hal/esp32/ota";
import { RtcRetained } from "xs-ota/hal/esp32/retained";
import { NvsStore } from "xs-ota/hal/esp32/store";
import { AbRecordStore } from "xs-ota/src/store/ab-record-store";
import type { Store } from "xs-ota";
import type { Case } from "contract/cases";
import { equal, throws } from "contract/cases";
import { expanderContract } from "contract/expander";
import { flashContract } from "contract/flash";
import { storeContract } from "contract/store";
import { FakeChip } from "fake-chip";

const folder = Process.environment("XS_OTA_SIM") ?? "";
const path = `${folder}/esp32.bin`;
const nvs = `${folder}/esp32.nvs`;
const FLASH = 4 << 20;
/** esp_reset_reason_t */
const POWER_ON = 1;

function power(): void {
  FakeChip.start(path, nvs, 0, POWER_ON);
}

function made(): void {
  File.delete(nvs);
  const cells = FileCells.create(path, FLASH);
  manufacture(cells, makeImage("1.0.0", 10_000));
  cells.close();
  power();
}

/** Fails with what was thrown instead. */
function fails(action: () => void, wanted: string): void {
  let message = "nothing";
  try {
    action();
  } catch (error) {
    message = (error as Error).message;
  }
  equal(message, wanted, "message");
}

const own: Case[] = [
  {
    title: "the firmware's block, slots and reset reason",
    run() {
      made();
      const boot = new EspBoot();
      const running = boot.running();
      equal(running.version, "0.1.0", "version");
      equal(running.project, "xs-ota", "project");
      equal(running.slot, "ota_0", "slot");
      equal(running.chip, 0, "chip");
      equal(boot.target(), "ota_1", "target");
      equal(boot.resetReason(), "power-on", "reset reason");
      equal(boot.lastInvalid(), undefined, "last invalid");
    },
  },
  {
    title: "errors name operation, slot, address and cause",
    run() {
      made();
      const flash = new EspFlash();
      FakeChip.failNext("erase");
      fails(() => flash.erase(3), "erase ota_1 0x00203000: ESP_ERR_FLASH_OP_FAIL");
      fails(() => new EspBoot().verifyTarget(), "verify ota_1 0x00200000: ESP_ERR_IMAGE_INVALID");
      fails(() => new EspFlash("nvs"), "partition nvs is the system's own");
      throws(() => new EspFlash("nowhere"), "no such partition");
    },
  },
  {
    title: "an image is written, verified and activated",
    run() {
      made();
      const flash = new EspFlash();
      const boot = new EspBoot();
      const image = makeImage("2.0.0", 50_000);
      boot.invalidateTarget();
      for (let at = 0; at < image.length; at += 4096) {
        flash.erase(at / 4096);
        flash.write(at, image.subarray(at, at + 4096));
        equal(flash.equals(at, image.subarray(at, at + 4096)), true, `sector at ${at}`);
      }
      equal(boot.verifyTarget() <= image.length, true, "length");
      boot.activate();
      FakeChip.start(path, nvs, 1, POWER_ON);
      equal(boot.running().state, "new", "state");
      boot.confirm();
      equal(boot.running().state, "valid", "state");
    },
  },
  {
    // The memory of a new run is that of this process.
    title: "retained memory takes two pieces of 496 bytes together, and holds nothing of a run before",
    run() {
      const retained = new RtcRetained();
      retained.write(new Uint8Array(96).fill(1), new Uint8Array(400));
      throws(() => retained.write(new Uint8Array(97), new Uint8Array(400)), "497 bytes");
      equal(retained.read(), undefined, "read");
    },
  },
  {
    title: "thousands of calls leave nothing behind",
    run() {
      made();
      const flash = new EspFlash();
      const bytes = new Uint8Array(1000).fill(0x5a);
      flash.erase(0);
      for (let round = 0; round < 5000; round++) {
        flash.write(0, bytes);
        if (!flash.equals(0, bytes)) throw new Error(`round ${round}`);
      }
    },
  },
];

const suites: { readonly [name: string]: readonly Case[] } = {
  flash: flashContract(() => {
    made();
    return { flash: new EspFlash() };
  }),
  "data partition": flashContract(() => {
    made();
    return { flash: new EspFlash("assets") };
  }),
  expander: expanderContract(() => {
    made();
    return { flash: new EspFlash(), boot: new EspBoot() };
  }),
  store: storeContract(() => {
    made();
    const store = (): Store => new AbRecordStore(new NvsStore("xs-ota"));
    return {
      get store() {
        return store();
      },
      restart() {
        power();
        return store();
      },
    };
  }),
  own,
};

Directory.create(folder);
for (const [name, cases] of Object.entries(suites)) {
  for (const { title, run } of cases) {
    let error: string | undefined;
    try {
      run();
    } catch (thrown) {
      error = String(thrown);
    }
    trace(`${JSON.stringify({ suite: name, title, error })}\n`);
  }
}
trace(`${JSON.stringify({ done: true })}\n`);
