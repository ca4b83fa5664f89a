/** `xs-ota doctor APP`: sdkconfig and partition table, each line of them made wrong. */
import { HEAD, SLOTS, namesEach, setting, table } from "./rows";

namesEach([
  [
    "flash of two sizes, of which the last counts",
    "esp32/lamp",
    setting("CONFIG_ESPTOOLPY_FLASHSIZE_2MB=y"),
    /reaches to 0x800000, the flash is 2 MB/,
  ],
  [
    "flash of no size",
    "esp32/lamp",
    setting("CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n"),
    /no CONFIG_ESPTOOLPY_FLASHSIZE_\.\.MB is set/,
  ],
  [
    "flash that is too small for the table",
    "esp32/lamp",
    setting("CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y"),
    /reaches to 0x800000, the flash is 4 MB/,
  ],
  [
    "rollback off",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=n"),
    /ROLLBACK_ENABLE is n \(sdkconfig/,
  ],
  [
    "no check at power-on",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON=y"),
    /ON_POWER_ON is y .*: the bootloader starts an image without checking/,
  ],
  [
    "no check after deep sleep",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP=y"),
    /IN_DEEP_SLEEP is y/,
  ],
  [
    "a bootloader without a watchdog",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_WDT_ENABLE=n"),
    /BOOTLOADER_WDT_ENABLE is n/,
  ],
  [
    "a watchdog that only prints",
    "esp32/lamp",
    setting("CONFIG_ESP_TASK_WDT_PANIC=n"),
    /WDT_PANIC is n .*: firmware that hangs is never reset/,
  ],
  ["a watchdog that is not started", "esp32/lamp", setting("CONFIG_ESP_TASK_WDT_INIT=n"), /WDT_INIT is n/],
  [
    "a watchdog of 2 seconds",
    "esp32/lamp",
    setting("CONFIG_ESP_TASK_WDT_TIMEOUT_S=2"),
    /TIMEOUT_S is 2 .*: the erase of a block/,
  ],
  [
    "a watchdog on idle tasks",
    "esp32/lamp",
    setting("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1=y"),
    /IDLE_TASK_CPU1 is y .*: JavaScript that is busy/,
  ],
  [
    "a debugger after a panic",
    "esp32/lamp",
    setting("CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=y"),
    /GDBSTUB is y .*: a panic ends in a device that waits/,
  ],
  ["a halt after a panic", "esp32/lamp", setting("CONFIG_ESP_SYSTEM_PANIC_PRINT_HALT=y"), /PRINT_HALT is y/],
  [
    "ESP-IDF's own table",
    "esp32/lamp",
    setting("CONFIG_PARTITION_TABLE_CUSTOM=n"),
    /TABLE_CUSTOM is n .*: ESP-IDF builds a table of its own/,
  ],
  ["a table elsewhere", "esp32/lamp", setting("CONFIG_PARTITION_TABLE_OFFSET=0x10000"), /TABLE_OFFSET is 0x10000/],
  [
    "no otadata",
    "esp32/lamp",
    table(HEAD.split("\n")[0]! + "\n" + SLOTS),
    /no otadata partition: the bootloader always starts the same slot/,
  ],
  ["otadata of one sector", "esp32/lamp", table(HEAD.replace("0x2000", "0x1000") + SLOTS), /otadata has 4096 bytes/],
  ["no nvs", "esp32/lamp", table(HEAD.split("\n")[1]! + "\n" + SLOTS), /no nvs partition: no checkpoint/],
  [
    "nvs of two pages",
    "esp32/lamp",
    table(HEAD.replace("0x4000", "0x2000") + SLOTS),
    /nvs has 8192 bytes: NVS needs three pages/,
  ],
  ["one slot", "esp32/lamp", table(HEAD + SLOTS.split("\n")[0]!), /has one app partition \(ota_0 of 4032 KB\)/],
  [
    "a slot out of line",
    "esp32/lamp",
    table(HEAD + SLOTS.replace("0x400000", "0x401000")),
    /ota_1 at 0x401000: an app must begin at a multiple of 0x10000/,
  ],
  [
    "slots that overlap",
    "esp32/lamp",
    table(HEAD + SLOTS.replace("0x400000", "0x3f0000")),
    /ota_1 at 0x3f0000 overlaps ota_0/,
  ],
  ["a line that is no partition", "esp32/lamp", table("nvs;data"), /table\.csv: partition table, line 1/],
]);
