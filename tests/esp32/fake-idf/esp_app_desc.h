/* The port needs nothing of it; ESP-IDF's own esp_ota_ops.h brings it along. */
