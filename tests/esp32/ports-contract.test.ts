/**
 * The ESP32 port, its C module included, passes the suites that every implementation passes. Below it: a flash chip in
 * a file, which the simulated board's bootloader starts, so that both agree on every bit of otadata.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tellBuildFacts } from "../../hal/esp32/build-facts";
import { EspBoot, EspFlash } from "../../hal/esp32/ota";
import { RtcRetained } from "../../hal/esp32/retained";
import { NvsStore } from "../../hal/esp32/store";
import type { ResetReason } from "../../src/ports";
import { STOCK_BOOTLOADER } from "../../hal/model-chip/bootloader";
import { encodeFirmwareBlock, readFirmwareBlock } from "../../src/image/firmware-block";
import { bootContract } from "../contract/boot";
import { expanderContract } from "../contract/expander";
import { flashContract } from "../contract/flash";
import { retainedContract } from "../contract/retained";
import { runCases } from "../contract/run-cases";
import { storeContract } from "../contract/store";
import { Bench, workshop } from "./bench";

/** Runs `body` on a chip of its own. */
function on(title: string, body: (bench: Bench) => void): void {
  test(`ESP32 port: ${title}`, () => {
    const bench = new Bench();
    try {
      body(bench);
    } finally {
      bench.close();
    }
  });
}

if (workshop === undefined) {
  test("ESP32 port", { skip: "no C compiler on this machine" }, () => {});
} else {
  runCases(
    "ESP32 port, flash",
    flashContract(() => new Bench()),
  );
  runCases(
    "ESP32 port, boot",
    bootContract(() => new Bench()),
  );
  runCases(
    "ESP32 port with the stock bootloader, boot",
    bootContract(() => new Bench(STOCK_BOOTLOADER)),
  );
  runCases(
    "ESP32 port, expander",
    expanderContract(() => new Bench()),
  );
  runCases(
    "ESP32 port, store",
    storeContract(() => {
      const bench = new Bench();
      return {
        get store() {
          return bench.store;
        },
        restart() {
          bench.restart();
          return bench.store;
        },
        close: () => bench.close(),
      };
    }),
  );
  runCases(
    "ESP32 port, retained memory",
    retainedContract(() => {
      const bench = new Bench();
      return {
        retained: new RtcRetained(),
        restart: (reason) => bench.reset(reason),
        close: () => bench.close(),
      };
    }),
  );
  runCases(
    "ESP32 port, data partition",
    flashContract(() => {
      const bench = new Bench();
      return { flash: new EspFlash("assets"), close: () => bench.close() };
    }),
  );

  on("what this firmware is comes from the block in its own image", ({ boot }) => {
    assert.deepEqual(boot.running(), {
      slot: "ota_0",
      version: "1.0.0",
      project: "xs-ota",
      securityFloor: 7,
      chip: 0,
      state: "valid",
    });
  });

  on("it tells at start what it was compiled with and which slots the partition table has", ({ chip, boot }) => {
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const facts = "compiled with rollback and a task watchdog of 10 s; slots of 64 and";
    tellBuildFacts(boot, log);
    chip!.call("fake_lose_slot", []);
    tellBuildFacts(boot, log);
    assert.deepEqual(lines, [`${facts} 64 KiB`, `${facts} 0 KiB: the partition table in flash takes no updates`]);
  });

  test("ESP32 port: it tells that the bootloader does not roll back", () => {
    const native = (): string => "facts";
    (globalThis as { native?: unknown }).native = () => native;
    const startUp = (): object => ({ bootloaderRollsBack: false });
    const lines: string[] = [];
    tellBuildFacts({ startUp } as unknown as EspBoot, (line) => void lines.push(line));
    assert.deepEqual(lines, ["facts; the bootloader in flash does NOT roll back"]);
  });

  on("the C module's firmware block is the one that src/image reads and writes", ({ chip }) => {
    const block = new Uint8Array(chip!.call("fake_firmware_block", []) as ArrayBuffer);
    const firmware = { product: "xs-ota", version: "1.0.0", securityFloor: 7 };
    assert.deepEqual(readFirmwareBlock(block), firmware);
    assert.deepEqual(block, encodeFirmwareBlock(firmware));
  });

  on(
    "a failed operation is an Error with operation, slot, address and ESP-IDF's name for it",
    ({ chip, flash, boot }) => {
      chip!.call("fake_fail_next", ["erase"]);
      assert.throws(() => flash.erase(3), { message: "erase ota_1 0x00023000: ESP_ERR_FLASH_OP_FAIL" });
      chip!.call("fake_fail_next", ["write"]);
      assert.throws(() => flash.write(16, new Uint8Array(8)), {
        message: "write ota_1 0x00020010: ESP_ERR_FLASH_OP_FAIL",
      });
      chip!.call("fake_fail_next", ["read"]);
      assert.throws(() => boot.readRunning(32, new Uint8Array(8)), {
        message: "read ota_0 0x00010020: ESP_ERR_FLASH_OP_FAIL",
      });
      flash.erase(0);
      assert.throws(() => boot.verifyTarget(), { message: "verify ota_1 0x00020000: ESP_ERR_IMAGE_INVALID" });
      assert.throws(() => boot.activate(), { message: "activate ota_1 0x00020000: ESP_ERR_OTA_VALIDATE_FAILED" });
    },
  );

  on(
    "flash encryption: whole blocks are written, erased flash is found though it does not read so",
    ({ chip, flash }) => {
      const bytes = Uint8Array.from({ length: 4_096 }, (_, index) => index * 7);
      const erased = new Uint8Array(16).fill(0xff);
      chip!.call("fake_encrypt", []);
      flash.erase(0);
      const read = new Uint8Array(16);
      flash.read(0, read);
      assert.notDeepEqual(read, erased);
      // As a download goes: all but the head, a last piece of any length, the head at the end, and once more after a
      // cut.
      flash.write(16, bytes.subarray(16));
      assert.ok(flash.equals(16, bytes.subarray(16)) && flash.equals(0, erased));
      assert.ok(!flash.equals(16, erased));
      for (const length of [1_003, 16, 5]) {
        flash.erase(1);
        flash.write(4_096, bytes.subarray(0, length));
        assert.ok(flash.equals(4_096, bytes.subarray(0, length)), `${length} bytes`);
      }
      for (let n = 0; n < 2; n++) flash.write(0, bytes.subarray(0, 16));
      assert.ok(flash.equals(0, bytes));
      flash.erase(2);
      flash.write(8_192, new Uint8Array(4_096).fill(0xff));
      flash.read(8_192, read);
      assert.deepEqual(read, erased);
      assert.ok(flash.equals(8_192, new Uint8Array(4_096).fill(0xff)));
    },
  );

  on("a read that fails in the middle of a comparison is no difference", ({ chip, flash }) => {
    chip!.call("fake_fail_next", ["read"]);
    assert.throws(() => flash.equals(0, new Uint8Array(600)), /ESP_ERR_FLASH_OP_FAIL/);
  });

  on("partitions of the system, slots and what is not there can not be had as data partitions", () => {
    for (const label of ["nvs", "otadata"])
      assert.throws(() => new EspFlash(label), { message: `partition ${label} is the system's own` });
    for (const label of ["ota_0", "ota_1", "nowhere"])
      assert.throws(() => new EspFlash(label), { message: `no data partition ${label}` });
    assert.throws(() => new EspFlash("a label that is longer than any"));
  });

  on("a data partition can be written without touching the slot", ({ flash }) => {
    flash.erase(0);
    const assets = new EspFlash("assets");
    assert.equal(assets.size, 0x4000);
    assets.erase(0);
    assets.write(0, Uint8Array.of(1, 2, 3));
    assert.ok(flash.equals(0, new Uint8Array(64).fill(0xff)));
    assert.ok(assets.equals(0, Uint8Array.of(1, 2, 3)));
  });

  on("retained memory that is not as it was written counts as absent", (bench) => {
    const retained = new RtcRetained();
    const bytes = new Uint8Array(300).map((_, index) => index * 7);
    const marked = (rtc: Uint8Array): number => Buffer.from(rtc).indexOf(Buffer.from(bytes));
    retained.write(bytes, bytes.subarray(0, 10));
    bench.reset("panic");
    assert.equal(retained.read()?.length, 310);
    // Magic, number, length, CRC and bytes: any bit of them.
    for (const [at, bit] of [
      [-16, 0],
      [-12, 3],
      [-8, 7],
      [-5, 0],
      [-4, 1],
      [0, 2],
      [309, 7],
    ] as const) {
      retained.write(bytes, bytes.subarray(0, 10));
      bench.boot.restart();
      bench.changeRtc((rtc) => {
        const begin = rtc.findLastIndex((_, place) => marked(rtc.subarray(place)) === 0);
        assert.ok(begin > 0);
        // Of both halves.
        for (let place = marked(rtc); place >= 0;) {
          rtc[place + at]! ^= 1 << bit;
          const next = marked(rtc.subarray(place + 1));
          place = next < 0 ? next : place + 1 + next;
        }
      });
      bench.restart("watchdog");
      assert.equal(retained.read(), undefined, `byte ${at}`);
    }
  });

  on("each way to be reset has its word", (bench) => {
    const words: readonly [number, ResetReason][] = [
      [0, "other"],
      [1, "power-on"],
      [2, "other"],
      [3, "software"],
      [4, "panic"],
      [5, "watchdog"],
      [6, "watchdog"],
      [7, "watchdog"],
      [8, "deep-sleep"],
      [9, "brown-out"],
      [14, "brown-out"],
      [15, "panic"],
    ];
    for (const [code, word] of words) {
      bench.restart(code);
      assert.equal(bench.boot.resetReason(), word);
    }
  });

  on("settings: a string as the factory tool leaves it is text, a number is not", ({ chip }) => {
    const settings = new NvsStore("xs-ota-cfg");
    assert.equal(settings.getText("mqttHost"), undefined);
    chip!.call("xs_nvs_setBytes", ["xs-ota-cfg", "mqttHost", Buffer.from("mqtt.example\0")]);
    settings.setNumber("mqttPort", 8883);
    assert.equal(settings.getText("mqttHost"), "mqtt.example");
    assert.equal(settings.getText("mqttPort"), undefined);
    assert.equal(settings.getNumber("mqttPort"), 8883);
    assert.throws(
      () => chip!.call("xs_nvs_setBytes", ["xs-ota-cfg", "k", Buffer.from("no end")]),
      /ESP_ERR_INVALID_ARG/,
    );
    assert.throws(
      () => chip!.call("xs_nvs_setBytes", ["xs-ota-cfg", "k", Buffer.from("a\0b\0")]),
      /ESP_ERR_INVALID_ARG/,
    );
  });
}
