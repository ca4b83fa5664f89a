#ifndef ESP_IMAGE_FORMAT_H
#define ESP_IMAGE_FORMAT_H

#include <stdint.h>

#include "esp_err.h"

#define ESP_ERR_IMAGE_INVALID 0x2002

typedef enum { ESP_IMAGE_VERIFY = 0, ESP_IMAGE_VERIFY_SILENT = 1 } esp_image_load_mode_t;

typedef struct {
	uint32_t offset;
	uint32_t size;
} esp_partition_pos_t;

typedef struct {
	uint32_t image_len;
	uint8_t image_digest[32];
} esp_image_metadata_t;

esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part, esp_image_metadata_t *data);

#endif
