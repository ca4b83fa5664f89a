#ifndef BOOTLOADER_COMMON_H
#define BOOTLOADER_COMMON_H

#include <stdint.h>

/* esp_flash_partitions.h */
typedef struct {
	uint32_t ota_seq;
	uint8_t seq_label[20];
	uint32_t ota_state;
	uint32_t crc;
} esp_ota_select_entry_t;

uint32_t bootloader_common_ota_select_crc(const esp_ota_select_entry_t *entry);
int bootloader_common_get_active_otadata(esp_ota_select_entry_t *two_otadata);

#endif
