/* otadata and the calls of app_update that the port makes (esp_ota_ops.c, ESP-IDF v6.0), for two slots. */
#include <stdio.h>
#include <string.h>

#include "app_update/include/esp_ota_ops.h"
#include "bootloader_common.h"
#include "esp_image_format.h"
#include "esp_system.h"
#include "fake_idf.h"

#define SECTOR 4096

typedef esp_ota_select_entry_t entry_t;

static int runningSlot;
static int resetReason;

int fake_reset_reason(void)
{
	return resetReason;
}

void fake_idf_open(const char *flash, const char *nvs, int slot, int reason)
{
	flash_open(flash);
	nvs_start(nvs);
	runningSlot = slot;
	resetReason = reason;
	fake_rtc_start(nvs, reason);
}

void fake_idf_start(const char *flash, const char *nvs, int slot, int reason)
{
	fake_idf_open(flash, nvs, slot, reason);
	xsota_count();
	fake_init_xsota_arm();
}

static uint32_t crcOf(uint32_t seq)
{
	/* esp_rom_crc32_le(UINT32_MAX, seq, 4) */
	uint32_t crc = 0;
	for (int i = 0; i < 32; i++) {
		uint32_t bit = (crc ^ (seq >> i)) & 1;
		crc = (crc >> 1) ^ (bit ? 0xedb88320u : 0);
	}
	return ~crc;
}

static const esp_partition_t *otadata(entry_t entries[2])
{
	const esp_partition_t *partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
	flash_read(partition->address, &entries[0], sizeof(entry_t));
	flash_read(partition->address + SECTOR, &entries[1], sizeof(entry_t));
	return partition;
}

static void rewrite(const esp_partition_t *partition, int index, uint32_t seq, uint32_t state)
{
	entry_t entry;
	/* The label stays. */
	flash_read(partition->address + index * SECTOR, &entry, sizeof(entry));
	entry.ota_seq = seq;
	entry.ota_state = state;
	entry.crc = crcOf(seq);
	flash_erase_sector(partition->address + index * SECTOR);
	flash_program(partition->address + index * SECTOR, &entry, sizeof(entry));
}

static bool whole(const entry_t *entry)
{
	return (entry->ota_seq != UINT32_MAX) && (entry->crc == crcOf(entry->ota_seq));
}

static bool out(const entry_t *entry)
{
	return (entry->ota_state == ESP_OTA_IMG_INVALID) || (entry->ota_state == ESP_OTA_IMG_ABORTED);
}

/* Of the entries that fit, the one with the higher (or lower) number; -1 for none. */
static int selected(const entry_t entries[2], bool first, bool second, bool higher)
{
	/* Of equal ones the first, as in bootloader_common_select_otadata. */
	if (first && second)
		return ((entries[0].ota_seq == entries[1].ota_seq) || ((entries[0].ota_seq > entries[1].ota_seq) == higher)) ? 0 : 1;
	return first ? 0 : second ? 1 : -1;
}

static int active(const entry_t entries[2])
{
	return selected(entries, whole(&entries[0]) && !out(&entries[0]), whole(&entries[1]) && !out(&entries[1]), true);
}

static const esp_partition_t *slot(uint32_t index)
{
	return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_0 + (index & 1), NULL);
}

static bool boots(const esp_partition_t *partition)
{
	const esp_partition_pos_t position = {partition->address, partition->size};
	esp_image_metadata_t metadata;
	return esp_image_verify(ESP_IMAGE_VERIFY, &position, &metadata) == ESP_OK;
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
	return slot(runningSlot);
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from)
{
	(void)start_from;
	const esp_partition_t *next = slot(runningSlot + 1);
	return next ? next : slot(runningSlot);
}

const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
	entry_t entries[2];
	otadata(entries);
	int index = selected(entries, whole(&entries[0]) && out(&entries[0]), whole(&entries[1]) && out(&entries[1]), false);
	if (index < 0)
		return NULL;
	const esp_partition_t *partition = slot(entries[index].ota_seq - 1);
	return boots(partition) ? partition : NULL;
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state)
{
	entry_t entries[2];
	otadata(entries);
	for (int i = 0; i < 2; i++) {
		if ((slot(entries[i].ota_seq - 1) == partition) && (entries[i].crc == crcOf(entries[i].ota_seq))) {
			*state = entries[i].ota_state;
			return ESP_OK;
		}
	}
	return ESP_ERR_NOT_FOUND;
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
	entry_t entries[2];
	const esp_partition_t *partition = otadata(entries);
	int index = active(entries);
	if (index < 0)
		return ESP_FAIL;
	const entry_t *other = &entries[1 - index];
	if (!whole(other) || (((other->ota_seq - 1) & 1) == (uint32_t)runningSlot))
		return ESP_FAIL;
	flash_erase_sector(partition->address + (1 - index) * SECTOR);
	return ESP_OK;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
	if (!boots(partition))
		return ESP_ERR_OTA_VALIDATE_FAILED;
	entry_t entries[2];
	const esp_partition_t *data = otadata(entries);
	uint32_t wanted = partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_0;
	int index = active(entries);
	if (index < 0)
		rewrite(data, 0, wanted + 1, ESP_OTA_IMG_NEW);
	else if (((entries[index].ota_seq - 1) & 1) == wanted)
		rewrite(data, index, entries[index].ota_seq, ESP_OTA_IMG_NEW);
	else
		rewrite(data, 1 - index, entries[index].ota_seq + 1, ESP_OTA_IMG_NEW);
	return ESP_OK;
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
	entry_t entries[2];
	const esp_partition_t *partition = otadata(entries);
	int index = active(entries);
	if (index < 0)
		return ESP_FAIL;
	if (entries[index].ota_state != ESP_OTA_IMG_VALID)
		rewrite(partition, index, entries[index].ota_seq, ESP_OTA_IMG_VALID);
	return ESP_OK;
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
	entry_t entries[2];
	const esp_partition_t *partition = otadata(entries);
	int index = active(entries);
	if (index < 0)
		return ESP_FAIL;
	const entry_t *last = &entries[1 - index];
	if (!whole(last) || out(last) || !boots(slot(last->ota_seq - 1)))
		return ESP_ERR_OTA_ROLLBACK_FAILED;
	rewrite(partition, index, entries[index].ota_seq, ESP_OTA_IMG_INVALID);
	return ESP_OK;
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
	esp_err_t err = esp_ota_mark_app_invalid_rollback();
	if (err == ESP_OK)
		esp_restart();
	return err;
}

uint32_t bootloader_common_ota_select_crc(const entry_t *entry)
{
	return crcOf(entry->ota_seq);
}

int bootloader_common_get_active_otadata(entry_t *entries)
{
	return active(entries);
}

esp_reset_reason_t esp_reset_reason(void)
{
	return (esp_reset_reason_t)resetReason;
}

const char *esp_err_to_name(esp_err_t code)
{
	static char unknown[16];
	switch (code) {
		case ESP_FAIL:
			return "ESP_FAIL";
		case ESP_ERR_INVALID_ARG:
			return "ESP_ERR_INVALID_ARG";
		case ESP_ERR_INVALID_SIZE:
			return "ESP_ERR_INVALID_SIZE";
		case ESP_ERR_FLASH_OP_FAIL:
			return "ESP_ERR_FLASH_OP_FAIL";
		case ESP_ERR_IMAGE_INVALID:
			return "ESP_ERR_IMAGE_INVALID";
		case ESP_ERR_OTA_VALIDATE_FAILED:
			return "ESP_ERR_OTA_VALIDATE_FAILED";
		default:
			snprintf(unknown, sizeof(unknown), "0x%x", (unsigned)code);
			return unknown;
	}
}
