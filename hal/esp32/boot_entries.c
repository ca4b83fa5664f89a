/* See boot_entries.h. ESP-IDF v6.0. */
#include "boot_entries.h"

#include <stddef.h>
#include <string.h>

#include "app_update/include/esp_ota_ops.h"

#define START_BYTES 4
#define WAKE_BYTES_END 7

bool xsota_read_otadata(otadata_t *otadata)
{
	const esp_partition_t *partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
	otadata->partition = partition;
	if (!partition)
		return false;
	for (int i = 0; i < 2; i++)
		if (ESP_OK != esp_partition_read(partition, i * partition->erase_size, &otadata->entries[i], sizeof(otadata->entries[i])))
			return false;
	otadata->active = bootloader_common_get_active_otadata(otadata->entries);
	return true;
}

static bool is_named(const esp_ota_select_entry_t *entry)
{
	return (UINT32_MAX != entry->ota_seq) && (entry->crc == bootloader_common_ota_select_crc(entry));
}

/* Of two slots. */
bool xsota_names(const esp_ota_select_entry_t *entry, const esp_partition_t *slot)
{
	return slot && is_named(entry) && (((entry->ota_seq - 1) & 1) == (uint32_t)(slot->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN));
}

int xsota_entry_of(const otadata_t *otadata, const esp_partition_t *slot)
{
	for (int i = 0; i < 2; i++)
		if (xsota_names(&otadata->entries[i], slot))
			return i;
	return -1;
}

/* UNDEFINED: written by firmware that was built without rollback, at a board's first update to this one. */
static bool is_trial(const esp_ota_select_entry_t *entry)
{
	return (ESP_OTA_IMG_NEW == entry->ota_state) || (ESP_OTA_IMG_PENDING_VERIFY == entry->ota_state) || (ESP_OTA_IMG_UNDEFINED == entry->ota_state);
}

/* The deciding entry, if it is the running image's and that is on trial. */
int xsota_trial_entry(const otadata_t *otadata)
{
	int active = otadata->active;
	return ((active >= 0) && xsota_names(&otadata->entries[active], esp_ota_get_running_partition()) && is_trial(&otadata->entries[active])) ? active : -1;
}

uint32_t xsota_starts_of(const esp_ota_select_entry_t *entry)
{
	uint32_t starts = 0;
	for (int i = 0; i < START_BYTES; i++)
		starts += 0xff != entry->seq_label[i];
	return starts;
}

uint32_t xsota_wakes_of(const esp_ota_select_entry_t *entry)
{
	uint32_t wakes = 0;
	for (int i = START_BYTES; i < WAKE_BYTES_END; i++)
		wakes += 8 - __builtin_popcount(entry->seq_label[i]);
	return wakes;
}

/* A byte that a power cut left half programmed counts: the next start takes the next one. */
void xsota_mark(const otadata_t *otadata, int index, bool wake)
{
	const uint8_t *label = otadata->entries[index].seq_label;
	int byte = wake ? START_BYTES : 0;
	int end = wake ? WAKE_BYTES_END : START_BYTES;
	while ((byte < end) && (wake ? !label[byte] : (0xff != label[byte])))
		byte++;
	if (byte == end)
		return;
	uint8_t value = wake ? label[byte] & (label[byte] - 1) : 0;
	(void)esp_partition_write(otadata->partition, index * otadata->partition->erase_size + offsetof(esp_ota_select_entry_t, seq_label) + byte, &value, 1);
}

/*
 * A bootloader with rollback makes NEW PENDING, and what is PENDING at a start ABORTED. After a deep sleep it may have
 * taken a way that leaves the entries alone (CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP).
 */
xsota_answer_t xsota_rolls_back(const otadata_t *otadata, bool woken)
{
	bool untouched = false;
	for (int i = 0; i < 2; i++) {
		uint32_t state = otadata->entries[i].ota_state;
		if ((ESP_OTA_IMG_ABORTED == state) || ((ESP_OTA_IMG_PENDING_VERIFY == state) && (i == otadata->active)))
			return XSOTA_YES;
		untouched |= (ESP_OTA_IMG_PENDING_VERIFY == state) || ((ESP_OTA_IMG_NEW == state) && (i == otadata->active));
	}
	return (untouched && !woken) ? XSOTA_NO : XSOTA_UNKNOWN;
}

bool xsota_is_erased(const void *from, size_t length)
{
	const uint8_t *bytes = from;
	while (length && (0xff == bytes[length - 1]))
		length--;
	return !length;
}

/*
 * Before any update the next start tells whether the bootloader has rollback, by an entry that names no slot and never
 * decides: PENDING in the unused sector.
 */
void xsota_plant(const otadata_t *otadata)
{
	const uint32_t state = ESP_OTA_IMG_PENDING_VERIFY;
	int unused = 1 - otadata->active;
	if ((otadata->active >= 0) && xsota_is_erased(&otadata->entries[unused], sizeof(otadata->entries[unused])))
		(void)esp_partition_write(otadata->partition, unused * otadata->partition->erase_size + offsetof(esp_ota_select_entry_t, ota_state), &state, sizeof(state));
}

/*
 * No entry decides, because a power cut has taken the running firmware's: it gets one, as the bootloader writes it at the
 * first start. Without it nothing could be rolled back to.
 */
void xsota_repair(const otadata_t *otadata)
{
	const esp_partition_t *running = esp_ota_get_running_partition();
	uint32_t size = otadata->partition->erase_size;
	int free = !is_named(&otadata->entries[0]) ? 0 : !is_named(&otadata->entries[1]) ? 1 : -1;
	esp_ota_select_entry_t entry;
	if (!running || (free < 0))
		return;
	memset(&entry, 0xff, sizeof(entry));
	entry.ota_seq = running->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN + 1;
	entry.ota_state = ESP_OTA_IMG_VALID;
	entry.crc = bootloader_common_ota_select_crc(&entry);
	if (ESP_OK == esp_partition_erase_range(otadata->partition, free * size, size))
		(void)esp_partition_write(otadata->partition, free * size, &entry, sizeof(entry));
}
