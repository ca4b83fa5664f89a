/*
 * otadata as the start-up reads and marks it. Marks are bytes of seq_label in an image's boot entry: 0..3 one start each,
 * 4..6 one bit a deep-sleep wake.
 */
#ifndef XSOTA_BOOT_ENTRIES_H
#define XSOTA_BOOT_ENTRIES_H

#include "bootloader_common.h"
#include "esp_partition.h"

#include "startup.h"

typedef struct {
	const esp_partition_t *partition;
	esp_ota_select_entry_t entries[2];
	/* The one that decides; -1: none. */
	int active;
} otadata_t;

bool xsota_read_otadata(otadata_t *otadata);
bool xsota_names(const esp_ota_select_entry_t *entry, const esp_partition_t *slot);
int xsota_entry_of(const otadata_t *otadata, const esp_partition_t *slot);
int xsota_trial_entry(const otadata_t *otadata);
uint32_t xsota_starts_of(const esp_ota_select_entry_t *entry);
uint32_t xsota_wakes_of(const esp_ota_select_entry_t *entry);
void xsota_mark(const otadata_t *otadata, int index, bool wake);
xsota_answer_t xsota_rolls_back(const otadata_t *otadata, bool woken);
bool xsota_is_erased(const void *from, size_t length);
void xsota_plant(const otadata_t *otadata);
void xsota_repair(const otadata_t *otadata);

#endif
