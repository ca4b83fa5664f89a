/** What updates need of ESP-IDF's settings: the rules behind hal/esp32/sdkconfig. */
import type { Setting } from "../moddable/sdkconfig";
import { note, wrong } from "./finding";
import type { Finding } from "./finding";

/** Kconfig's defaults in ESP-IDF v6.0, of what the rules look at. Anything else is off. */
const DEFAULTS: Readonly<Record<string, string>> = {
  CONFIG_BOOTLOADER_WDT_ENABLE: "y",
  CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT: "y",
  CONFIG_ESP_TASK_WDT_EN: "y",
  CONFIG_ESP_TASK_WDT_INIT: "y",
  CONFIG_ESP_TASK_WDT_TIMEOUT_S: "5",
  CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0: "y",
  CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1: "y",
  CONFIG_PARTITION_TABLE_OFFSET: "0x8000",
};

/** Seconds: an erase of 64 KiB takes 2 s on the slowest flash, a step of a TLS handshake about as long. */
const WATCHDOG_LEAST = 5;
const TWO_CORES: readonly string[] = ["esp32", "esp32s3", "esp32p4"];

interface Rule {
  readonly name: string;
  readonly wanted: "y" | "n";
  readonly consequence: string;
  /** The chips' targets that have it; default all. */
  readonly of?: readonly string[];
}

const HANGS = "firmware that hangs is never reset, and so never rolled back";
const CORRUPT = "the bootloader starts an image without checking it, a damaged one as well";
const DEAD = "a panic ends in a device that waits for somebody, and is never rolled back";
const BUSY = "JavaScript that is busy for a while is taken for a hang and reset, also in mid-update";

export const RULES: readonly Rule[] = [
  {
    name: "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE",
    wanted: "y",
    consequence: "the bootloader does not roll back: firmware that crashes at its start crashes for ever",
  },
  { name: "CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS", wanted: "n", consequence: CORRUPT },
  { name: "CONFIG_BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON", wanted: "n", consequence: CORRUPT },
  { name: "CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP", wanted: "n", consequence: CORRUPT },
  {
    name: "CONFIG_BOOTLOADER_WDT_ENABLE",
    wanted: "y",
    consequence: "a bootloader that hangs while it loads an image stays there until the power goes",
  },
  { name: "CONFIG_ESP_TASK_WDT_EN", wanted: "y", consequence: HANGS },
  { name: "CONFIG_ESP_TASK_WDT_INIT", wanted: "y", consequence: HANGS },
  { name: "CONFIG_ESP_TASK_WDT_PANIC", wanted: "y", consequence: HANGS },
  { name: "CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0", wanted: "n", consequence: BUSY },
  { name: "CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1", wanted: "n", consequence: BUSY, of: TWO_CORES },
  { name: "CONFIG_ESP_SYSTEM_PANIC_GDBSTUB", wanted: "n", consequence: DEAD },
  { name: "CONFIG_ESP_SYSTEM_PANIC_PRINT_HALT", wanted: "n", consequence: DEAD },
  {
    name: "CONFIG_PARTITION_TABLE_CUSTOM",
    wanted: "y",
    consequence: "ESP-IDF builds a table of its own in place of the one with two slots",
  },
];

export function valueOf(values: ReadonlyMap<string, Setting>, name: string): string {
  return values.get(name)?.value ?? DEFAULTS[name] ?? "n";
}

/** Bytes of flash that the settings name: of the values of a choice the last one counts. Undefined where none is on. */
export function flashSizeIn(values: ReadonlyMap<string, Setting>): number | undefined {
  const size = sizesIn(values).at(-1);
  return size === undefined ? undefined : size << 20;
}

function sizesIn(values: ReadonlyMap<string, Setting>): number[] {
  return [...values].flatMap(([name, { value }]) => {
    const megabytes = /^CONFIG_ESPTOOLPY_FLASHSIZE_(\d+)MB$/.exec(name)?.[1];
    return megabytes !== undefined && value === "y" ? [Number(megabytes)] : [];
  });
}

/** Of one kind of build. `where` is the file that has the setting. */
export function settingsFindings(values: ReadonlyMap<string, Setting>, target: string): Finding[] {
  const found: Finding[] = [];
  const off = (name: string, consequence: string, wanted: string): void =>
    void found.push({
      ...wrong(`${name} is ${valueOf(values, name)}`, consequence, fix(name, wanted)),
      where: values.get(name)?.from ?? "by default",
    });
  const fix = (name: string, value: string): string =>
    `${name}=${value} at the end of each file in the folder that SDKCONFIGPATH names (xs-ota adopt writes it)`;
  // Without the watchdog its own settings do not exist.
  const watchdog = valueOf(values, "CONFIG_ESP_TASK_WDT_EN") === "y";
  for (const { name, wanted, consequence, of } of RULES) {
    if (of !== undefined && !of.includes(target)) continue;
    if (!watchdog && name.startsWith("CONFIG_ESP_TASK_WDT_") && name !== "CONFIG_ESP_TASK_WDT_EN") continue;
    if (valueOf(values, name) !== wanted) off(name, consequence, wanted);
  }
  const timeout = "CONFIG_ESP_TASK_WDT_TIMEOUT_S";
  if (watchdog && Number(valueOf(values, timeout)) < WATCHDOG_LEAST)
    off(
      timeout,
      "the erase of a block, or a step of a TLS handshake, takes longer on slow flash: the watchdog resets the device in mid-update",
      "10",
    );
  const offset = "CONFIG_PARTITION_TABLE_OFFSET";
  if (Number(valueOf(values, offset)) !== 0x8000) off(offset, "the layouts begin behind a table at 0x8000", "0x8000");
  return [...found, ...sizeFindings(values), ...securityFindings(values)];
}

function sizeFindings(values: ReadonlyMap<string, Setting>): Finding[] {
  return sizesIn(values).length > 0
    ? []
    : [
        wrong(
          "no CONFIG_ESPTOOLPY_FLASHSIZE_..MB is set",
          "ESP-IDF takes its own default of 2 MB: slots beyond it do not work",
          "the size of the board =y, in each file of the sdkconfig folder",
        ),
      ];
}

function securityFindings(values: ReadonlyMap<string, Setting>): Finding[] {
  return valueOf(values, "CONFIG_SECURE_FLASH_ENC_ENABLED") === "y"
    ? [
        note(
          "CONFIG_SECURE_FLASH_ENC_ENABLED is y",
          "single bytes can not be written to encrypted flash, so the start-up can not count starts: everything depends on the bootloader's rollback",
          "nothing, where rollback is on",
        ),
      ]
    : [];
}
