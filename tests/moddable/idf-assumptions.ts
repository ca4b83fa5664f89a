/** What the project takes for granted about ESP-IDF v6.0. */
import type { Assumption } from "./assumption";
import { bodyOf, inOrder, plain } from "./c-source";

const LOADER = "components/bootloader_support/src/bootloader_common_loader.c";
const BOOTLOADER = "components/bootloader_support/src/bootloader_utility.c";
const IMAGE = "components/bootloader_support/src/esp_image_format.c";
const OTA = "components/app_update/esp_ota_ops.c";
const PAGE = "components/nvs_flash/src/nvs_page.cpp";
const STORAGE = "components/nvs_flash/src/nvs_storage.cpp";
const START = "hal/esp32/startup.c";

export const IDF_ASSUMPTIONS: readonly Assumption[] = [
  {
    sentence: "the CRC of a boot entry covers ota_seq alone, so marks in its label leave it valid",
    reliedOnBy: START,
    file: LOADER,
    holds: (source) =>
      inOrder(
        bodyOf(source, "bootloader_common_ota_select_crc"),
        "esp_rom_crc32_le(UINT32_MAX, (uint8_t*)&s->ota_seq, 4)",
      ),
    breaking: ["&s->ota_seq, 4)", "s, 28)"],
  },
  {
    sentence: "an entry is out where it is erased, INVALID or ABORTED",
    reliedOnBy: "hal/model-chip/otadata.ts",
    file: LOADER,
    holds: (source) =>
      inOrder(
        bodyOf(source, "bootloader_common_ota_select_invalid"),
        "s->ota_seq == UINT32_MAX",
        "ESP_OTA_IMG_INVALID",
        "ESP_OTA_IMG_ABORTED",
      ),
    breaking: ["|| s->ota_state == ESP_OTA_IMG_ABORTED", ""],
  },
  {
    sentence:
      "a bootloader with rollback makes each PENDING_VERIFY entry ABORTED, whatever its number, and keeps its label",
    reliedOnBy: "hal/model-chip/bootloader.ts",
    file: BOOTLOADER,
    holds: (source) =>
      inOrder(
        bodyOf(source, "bootloader_utility_get_selected_boot_partition"),
        "#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE",
        "for (int i = 0; i < 2; ++i) { if (otadata[i].ota_state == ESP_OTA_IMG_PENDING_VERIFY) {",
        "otadata[i].ota_state = ESP_OTA_IMG_ABORTED;",
        "write_otadata(&otadata[i],",
      ),
    breaking: ["otadata[i].ota_state = ESP_OTA_IMG_ABORTED;", ""],
  },
  {
    sentence: "a bootloader with rollback makes the NEW entry that it boots PENDING_VERIFY, after the abort of others",
    reliedOnBy: "hal/model-chip/bootloader.ts",
    file: BOOTLOADER,
    holds: (source) =>
      inOrder(
        bodyOf(source, "bootloader_utility_get_selected_boot_partition"),
        "ESP_OTA_IMG_ABORTED;",
        "#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE if (otadata[active_otadata].ota_state == ESP_OTA_IMG_NEW) {",
        "otadata[active_otadata].ota_state = ESP_OTA_IMG_PENDING_VERIFY; write_otadata(&otadata[active_otadata],",
      ),
    breaking: ["otadata[active_otadata].ota_state = ESP_OTA_IMG_PENDING_VERIFY;", ""],
  },
  {
    sentence: "with blank boot entries the bootloader makes the slot that it boots VALID in entry 0: there is no trial",
    reliedOnBy: "hal/model-chip/bootloader.ts",
    file: BOOTLOADER,
    holds: (source) =>
      inOrder(
        bodyOf(source, "set_actual_ota_seq"),
        "ota_has_initial_contents == true",
        "otadata.ota_seq = index + 1; otadata.ota_state = ESP_OTA_IMG_VALID;",
        "FLASH_SECTOR_SIZE * 0",
      ),
    breaking: ["otadata.ota_state = ESP_OTA_IMG_VALID;", "otadata.ota_state = ESP_OTA_IMG_NEW;"],
  },
  {
    sentence: "esp_ota_set_boot_partition verifies the whole image before it writes a boot entry",
    reliedOnBy: "hal/esp32/ota.c",
    file: OTA,
    holds: (source) =>
      inOrder(
        bodyOf(source, "esp_ota_set_boot_partition"),
        "if (image_validate(partition, ESP_IMAGE_VERIFY) != ESP_OK) { return ESP_ERR_OTA_VALIDATE_FAILED; }",
        "esp_rewrite_ota_data(",
      ),
    breaking: ["if (image_validate(partition, ESP_IMAGE_VERIFY) != ESP_OK)", "if (0)"],
  },
  {
    sentence: "a boot entry is rewritten by an erase and a write of the whole entry, label included",
    reliedOnBy: "hal/model-chip/esp-ota.ts",
    file: OTA,
    holds: (source) =>
      inOrder(
        bodyOf(source, "rewrite_ota_seq"),
        "esp_partition_erase_range(ota_data_partition, sec_id * ota_data_partition->erase_size, ota_data_partition->erase_size)",
        "esp_partition_write(ota_data_partition, ota_data_partition->erase_size * sec_id, &two_otadata[sec_id], sizeof(esp_ota_select_entry_t))",
      ),
    breaking: ["&two_otadata[sec_id], sizeof(esp_ota_select_entry_t)", "&seq, sizeof(seq)"],
  },
  {
    sentence: "esp_ota_mark_app_invalid_rollback makes the running entry INVALID and does not restart by itself",
    reliedOnBy: START,
    file: OTA,
    holds: (source) =>
      inOrder(bodyOf(source, "esp_ota_mark_app_invalid_rollback"), "return esp_ota_current_ota_is_workable(false);") &&
      inOrder(
        bodyOf(source, "esp_ota_current_ota_is_workable"),
        "ota_state = ESP_OTA_IMG_INVALID; esp_err_t err = rewrite_ota_seq(",
      ) &&
      !bodyOf(source, "esp_ota_current_ota_is_workable").includes("esp_restart"),
    breaking: ["otadata[active_otadata].ota_state = ESP_OTA_IMG_INVALID;", "esp_restart();"],
  },
  {
    sentence:
      "esp_ota_get_last_invalid_partition verifies the image, so it names none where the slot was touched since",
    reliedOnBy: "hal/esp32/ota.c",
    file: OTA,
    holds: (source) =>
      inOrder(
        bodyOf(source, "esp_ota_get_last_invalid_partition"),
        "if (image_validate(invalid_partition, ESP_IMAGE_VERIFY_SILENT) != ESP_OK) {",
        "return NULL;",
      ),
    breaking: ["if (image_validate(invalid_partition, ESP_IMAGE_VERIFY_SILENT) != ESP_OK)", "if (0)"],
  },
  {
    sentence: "an image is checked for its magic byte and its chip before any segment",
    reliedOnBy: "hal/model-chip/slots.ts",
    file: IMAGE,
    holds: (source) =>
      inOrder(
        bodyOf(source, "verify_image_header"),
        "image->magic != ESP_IMAGE_HEADER_MAGIC",
        "bootloader_common_check_chip_validity(image,",
        "image->segment_count > ESP_IMAGE_MAX_SEGMENTS",
      ),
    breaking: ["CHECK_ERR(bootloader_common_check_chip_validity(image, image_type));", ""],
  },
  {
    sentence: "only the bootloader leaves the validation out: esp_image_verify in an application never does",
    reliedOnBy: "hal/esp32/ota.c",
    file: IMAGE,
    holds: (source) => {
      const text = plain(source);
      const before = text.slice(0, text.indexOf("CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS"));
      return (
        bodyOf(source, "bootloader_load_image").includes("#if CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS") &&
        before.lastIndexOf("#ifdef BOOTLOADER_BUILD") > before.lastIndexOf("esp_err_t esp_image_verify(")
      );
    },
    breaking: ["#if CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS", "#if CONFIG_OTHER"],
  },
  ...["esp32", "esp32c3", "esp32c6", "esp32s3"].map((chip): Assumption => ({
    sentence: `the firmware block stands right behind the app description in an image for ${chip}`,
    reliedOnBy: "src/image/firmware-block.ts",
    file: `components/esp_system/ld/${chip}/sections.ld.in`,
    holds: (source) =>
      plain(source).includes("*(.rodata_desc .rodata_desc.*) *(.rodata_custom_desc .rodata_custom_desc.*)"),
    breaking: ["*(.rodata_custom_desc .rodata_custom_desc.*)", ""],
  })),
  {
    sentence: "constructors run after the core functions and before the secondary ones",
    reliedOnBy: START,
    file: "components/esp_system/startup.c",
    holds: (source) =>
      inOrder(
        bodyOf(source, "start_cpu0_default"),
        "do_core_init();",
        "__do_global_ctors_1();",
        "do_secondary_init();",
      ),
    breaking: ["do_secondary_init();\n", "\n"],
  },
  {
    sentence: "esp_timer is ready from the secondary function of priority 100 on",
    reliedOnBy: START,
    file: "components/esp_system/system_init_fn.txt",
    holds: (source) => /^SECONDARY: 100: esp_timer_init_os in /m.test(source),
    breaking: ["SECONDARY: 100: esp_timer_init_os", "SECONDARY: 260: esp_timer_init_os"],
  },
  ...["esp32", "esp32c3", "esp32c6", "esp32s3"].map((chip): Assumption => ({
    sentence: `esp_reset_reason() of ${chip} is filled by a constructor, so another constructor must not ask for it`,
    reliedOnBy: START,
    file: `components/esp_system/port/soc/${chip}/reset_reason.c`,
    holds: (source) => /__attribute__\(\(constructor\)\) esp_reset_reason_init/.test(source),
    breaking: ["__attribute__((constructor))", ""],
  })),
  {
    sentence: "NVS writes the new value before it strikes the old one out, and nothing where they are the same",
    reliedOnBy: "hal/model-chip/nvs.ts",
    file: STORAGE,
    holds: (source) =>
      inOrder(
        bodyOf(source, "Storage::writeItem"),
        "findPage->cmpItem(nsIndex, datatype, key, data, dataSize) == ESP_OK) { return ESP_OK; }",
        "err = page.writeItem(nsIndex, datatype, key, data, dataSize);",
        "findPage->eraseEntryAndSpan(itemIndex",
      ),
    breaking: ["findPage->eraseEntryAndSpan(itemIndex)", "ESP_OK"],
  },
  {
    sentence: "an NVS entry is programmed first and marked written after that",
    reliedOnBy: "src/store/ab-record-store.ts",
    file: PAGE,
    holds: (source) =>
      inOrder(
        bodyOf(source, "Page::writeEntry"),
        "mPartition->write(phyAddr, &item, sizeof(item))",
        "alterEntryState(mNextFreeEntry, EntryState::WRITTEN)",
      ),
    breaking: [
      "err = alterEntryState(mNextFreeEntry, EntryState::WRITTEN);\n    if (err != ESP_OK) {\n        return err;\n    }\n\n    if (mFirst",
      "if (mFirst",
    ],
  },
  {
    sentence: "at mount an interrupted NVS entry is known by its first word alone",
    reliedOnBy: "src/store/ab-record-store.ts",
    file: PAGE,
    holds: (source) =>
      inOrder(
        bodyOf(source, "Page::mLoadEntryTable"),
        "read_raw(entryAddress, &header, sizeof(header))",
        "if (header != 0xffffffff)",
        "alterEntryState(mNextFreeEntry, EntryState::ERASED)",
      ),
    breaking: ["if (header != 0xffffffff)", "if (anyBit(header))"],
  },
  {
    sentence: "at mount the last NVS item is compared with older ones without its chunk number, which destroys blobs",
    reliedOnBy: "src/store/cobs.ts",
    file: PAGE,
    holds: (source) =>
      inOrder(
        bodyOf(source, "Page::mLoadEntryTable"),
        "findItem(item.nsIndex, item.datatype, item.key, findItemIndex, dupItem) == ESP_OK",
        "eraseEntryAndSpan(findItemIndex",
      ),
    breaking: ["item.key, findItemIndex, dupItem)", "item.key, findItemIndex, dupItem, item.chunkIndex)"],
  },
  {
    sentence: "the task watchdog ends a hang by a panic only where it is enabled and initialised at start",
    reliedOnBy: "hal/esp32/ota.c",
    file: "components/esp_system/Kconfig",
    holds: (source) =>
      /config ESP_TASK_WDT_PANIC\s+bool "[^"]*"\s+depends on ESP_TASK_WDT_INIT/.test(source) &&
      /config ESP_TASK_WDT_INIT\s+bool "[^"]*"\s+depends on ESP_TASK_WDT_EN/.test(source),
    breaking: ["depends on ESP_TASK_WDT_INIT", ""],
  },
  {
    sentence: "lwIP's core lock is off unless it is set, so calls go through messages to its task",
    reliedOnBy: "hal/esp32/tcp/tcp_connection.c",
    file: "components/lwip/Kconfig",
    holds: (source) => /config LWIP_TCPIP_CORE_LOCKING\s+bool "[^"]*"\s+default n/.test(source),
    breaking: [/(config LWIP_TCPIP_CORE_LOCKING\s+bool "[^"]*"\s+)default n/, "$1default y"],
  },
  {
    sentence: "the partition table lies at 0x8000 unless an sdkconfig says otherwise",
    reliedOnBy: "hal/model-chip/partitions.ts",
    file: "components/partition_table/Kconfig.projbuild",
    holds: (source) => /config PARTITION_TABLE_OFFSET\s+hex "[^"]*"\s+default 0x8000/.test(source),
    breaking: ["default 0x8000", "default 0x9000"],
  },
];
