/* esp_image_verify: header, segments, XOR checksum, appended SHA-256 (esp_image_format.c). */
#include <string.h>

#include "esp_image_format.h"
#include "fake_idf.h"

#define HEADER 24
#define SEGMENTS_MAX 16

esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part, esp_image_metadata_t *data)
{
	(void)mode;
	uint8_t header[HEADER];
	flash_read(part->offset, header, sizeof(header));
	if ((header[0] != 0xe9) || (header[1] == 0) || (header[1] > SEGMENTS_MAX))
		return ESP_ERR_IMAGE_INVALID;

	sha256_t hash;
	sha256_start(&hash);
	sha256_add(&hash, header, sizeof(header));
	uint8_t sum = 0xef;
	uint32_t at = HEADER;
	for (int segment = 0; segment < header[1]; segment++) {
		uint8_t head[8];
		if (at + sizeof(head) > part->size)
			return ESP_ERR_IMAGE_INVALID;
		flash_read(part->offset + at, head, sizeof(head));
		sha256_add(&hash, head, sizeof(head));
		uint32_t length;
		memcpy(&length, head + 4, 4);
		at += sizeof(head);
		if ((length % 4) || (length > part->size - at))
			return ESP_ERR_IMAGE_INVALID;
		for (uint32_t done = 0; done < length; done += 4) {
			uint8_t word[4];
			flash_read(part->offset + at + done, word, sizeof(word));
			sha256_add(&hash, word, sizeof(word));
			sum ^= word[0] ^ word[1] ^ word[2] ^ word[3];
		}
		at += length;
	}

	uint32_t end = (at + 16) & ~15u;
	if (end + 32 > part->size)
		return ESP_ERR_IMAGE_INVALID;
	uint8_t tail[16];
	flash_read(part->offset + at, tail, end - at);
	sha256_add(&hash, tail, end - at);
	if (tail[end - at - 1] != sum)
		return ESP_ERR_IMAGE_INVALID;
	sha256_end(&hash, data->image_digest);
	uint8_t appended[32];
	if (header[23] == 1) {
		flash_read(part->offset + end, appended, sizeof(appended));
		if (memcmp(appended, data->image_digest, sizeof(appended)) != 0)
			return ESP_ERR_IMAGE_INVALID;
		end += sizeof(appended);
	}
	data->image_len = end;
	return ESP_OK;
}
