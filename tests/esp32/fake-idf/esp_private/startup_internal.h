#ifndef STARTUP_INTERNAL_H
#define STARTUP_INTERNAL_H

#include "esp_err.h"

#define BIT(NUMBER) (1u << (NUMBER))
/* The fakes call it. */
#define ESP_SYSTEM_INIT_FN(NAME, STAGE, CORES, PRIORITY) \
	esp_err_t fake_init_##NAME(void); \
	esp_err_t fake_init_##NAME(void)

#endif
