/*
 * The flash chip, as NOR rules have it, in the file that the simulated board's bootloader starts from; and
 * esp_partition over it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_partition.h"
#include "fake_idf.h"

#define SECTOR 4096
#define TABLE 0x8000
#define PARTITIONS_MAX 16

static int flash = -1;
static esp_partition_t partitions[PARTITIONS_MAX];
static int count;
static char failing[8];

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fake flash: %s\n", what);
	exit(70);
}

void flash_read(uint32_t address, void *into, size_t size)
{
	check(pread(flash, into, size, address) == (ssize_t)size, "read");
}

void flash_erase_sector(uint32_t address)
{
	uint8_t erased[SECTOR];
	memset(erased, 0xff, sizeof(erased));
	check(pwrite(flash, erased, sizeof(erased), address) == sizeof(erased), "erase");
}

void flash_program(uint32_t address, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t cell;
		flash_read(address + i, &cell, 1);
		cell &= ((const uint8_t *)bytes)[i];
		check(pwrite(flash, &cell, 1, address + i) == 1, "program");
	}
}

void flash_open(const char *path)
{
	flash = open(path, O_RDWR);
	check(flash >= 0, "open");
	for (uint32_t at = TABLE; count < PARTITIONS_MAX; at += 32) {
		uint8_t entry[32];
		flash_read(at, entry, sizeof(entry));
		if ((entry[0] != 0xaa) || (entry[1] != 0x50))
			break;
		esp_partition_t *partition = &partitions[count++];
		partition->type = entry[2];
		partition->subtype = entry[3];
		memcpy(&partition->address, entry + 4, 4);
		memcpy(&partition->size, entry + 8, 4);
		memcpy(partition->label, entry + 12, 16);
		partition->erase_size = SECTOR;
	}
}

void fake_idf_fail_next(const char *operation)
{
	snprintf(failing, sizeof(failing), "%s", operation);
}

void fake_idf_encrypt(void)
{
	for (int i = 0; i < count; i++)
		partitions[i].encrypted = partitions[i].type == ESP_PARTITION_TYPE_APP;
}

/* As where another partition table was flashed. */
void fake_idf_lose_slot(void)
{
	for (int i = 0; i < count; i++)
		if ((partitions[i].type == ESP_PARTITION_TYPE_APP) && (partitions[i].subtype == ESP_PARTITION_SUBTYPE_APP_OTA_1))
			partitions[i].subtype = ESP_PARTITION_SUBTYPE_ANY - 1;
}

/* In place of AES: what matters here is that it goes by the address, and that erased flash does not read as erased. */
static void cipher(uint32_t address, uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] ^= (uint8_t)(0x5b + 7 * (address + i));
}

static bool fails(const char *operation)
{
	bool now = strcmp(failing, operation) == 0;
	if (now)
		failing[0] = 0;
	return now;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label)
{
	for (int i = 0; i < count; i++) {
		const esp_partition_t *partition = &partitions[i];
		if ((partition->type == type) && ((subtype == ESP_PARTITION_SUBTYPE_ANY) || (partition->subtype == subtype)) && (!label || (strcmp(label, partition->label) == 0)))
			return partition;
	}
	return NULL;
}

static esp_err_t range(const esp_partition_t *partition, size_t offset, size_t size)
{
	if (offset > partition->size)
		return ESP_ERR_INVALID_ARG;
	return (size > partition->size - offset) ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
	esp_err_t err = range(partition, offset, size);
	if (err != ESP_OK)
		return err;
	if ((offset % SECTOR) || (size % SECTOR))
		return ESP_ERR_INVALID_ARG;
	if (fails("erase"))
		return ESP_ERR_FLASH_OP_FAIL;
	for (size_t done = 0; done < size; done += SECTOR)
		flash_erase_sector(partition->address + offset + done);
	return ESP_OK;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t offset, const void *bytes, size_t size)
{
	esp_err_t err = range(partition, offset, size);
	if (err != ESP_OK)
		return err;
	if (partition->encrypted && ((offset % 16) || (size % 16)))
		return ESP_ERR_INVALID_SIZE;
	if (fails("write"))
		return ESP_ERR_FLASH_OP_FAIL;
	uint8_t *copy = malloc(size + 1);
	check(copy != NULL, "memory");
	memcpy(copy, bytes, size);
	if (partition->encrypted)
		cipher(partition->address + offset, copy, size);
	flash_program(partition->address + offset, copy, size);
	free(copy);
	return ESP_OK;
}

esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t offset, void *into, size_t size)
{
	esp_err_t err = range(partition, offset, size);
	if (err != ESP_OK)
		return err;
	if (fails("read"))
		return ESP_ERR_FLASH_OP_FAIL;
	flash_read(partition->address + offset, into, size);
	return ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t offset, void *into, size_t size)
{
	esp_err_t err = esp_partition_read_raw(partition, offset, into, size);
	if ((err == ESP_OK) && partition->encrypted)
		cipher(partition->address + offset, into, size);
	return err;
}
