/* What the fakes share, and what the test tells them. */
#ifndef FAKE_IDF_H
#define FAKE_IDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Opens the flash chip, with partitions as its table says, and NVS beside it. `slot`: 0 or 1, which runs; `reason`:
 * esp_reset_reason_t.
 */
void fake_idf_open(const char *flash, const char *nvs, int slot, int reason);
/* The same, and the start-up. */
void fake_idf_start(const char *flash, const char *nvs, int slot, int reason);
/* The next flash operation of this kind ("erase", "write", "read") fails. */
void fake_idf_fail_next(const char *operation);
/* From now on the slots are encrypted. */
void fake_idf_encrypt(void);
void fake_idf_lose_slot(void);
/* NVS handles that are open: none, whenever a call has returned. */
int fake_nvs_open_handles(void);

/* fake_rtc.c */
void fake_rtc_start(const char *nvs, int reason);
void fake_time_passes(uint64_t microseconds);

/* fake_ota.c */
int fake_reset_reason(void);

/* startup.c: the constructor, and its init function. */
void xsota_count(void);
int fake_init_xsota_arm(void);

/* fake_flash.c */
void flash_open(const char *path);
void flash_read(uint32_t address, void *into, size_t size);
void flash_erase_sector(uint32_t address);
void flash_program(uint32_t address, const void *bytes, size_t size);

/* fake_nvs.c */
void nvs_start(const char *path);

/* fake_sha256.c: FIPS 180-4 */
typedef struct {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
} sha256_t;
void sha256_start(sha256_t *hash);
void sha256_add(sha256_t *hash, const uint8_t *bytes, size_t length);
void sha256_end(sha256_t *hash, uint8_t digest[32]);

/* machine.c: the process ends, the test restarts the chip. */
void fake_restart(void) __attribute__((noreturn));

#endif
