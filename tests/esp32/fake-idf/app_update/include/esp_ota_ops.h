#ifndef ESP_OTA_OPS_H
#define ESP_OTA_OPS_H

#include "esp_err.h"
#include "esp_partition.h"

#define ESP_ERR_OTA_VALIDATE_FAILED 0x1503
#define ESP_ERR_OTA_ROLLBACK_FAILED 0x1505

typedef enum {
	ESP_OTA_IMG_NEW = 0,
	ESP_OTA_IMG_PENDING_VERIFY = 1,
	ESP_OTA_IMG_VALID = 2,
	ESP_OTA_IMG_INVALID = 3,
	ESP_OTA_IMG_ABORTED = 4,
	ESP_OTA_IMG_UNDEFINED = 0xffffffff,
} esp_ota_img_states_t;

const esp_partition_t *esp_ota_get_running_partition(void);
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from);
const esp_partition_t *esp_ota_get_last_invalid_partition(void);
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state);
esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void);
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
esp_err_t esp_ota_mark_app_invalid_rollback(void);
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);

#endif
