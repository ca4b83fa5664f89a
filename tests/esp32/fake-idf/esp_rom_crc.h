#ifndef ESP_ROM_CRC_H
#define ESP_ROM_CRC_H

#include <stdint.h>

/* CRC-32 of ISO 3309; `crc`: of what is before, 0 at first. */
uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *buf, uint32_t len);

#endif
