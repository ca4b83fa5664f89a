#ifndef ESP_ROM_SYS_H
#define ESP_ROM_SYS_H

#include "soc/reset_reasons.h"

soc_reset_reason_t esp_rom_get_reset_reason(int cpu);

#endif
