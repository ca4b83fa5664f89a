#ifndef RESET_REASONS_H
#define RESET_REASONS_H

typedef enum { RESET_REASON_CHIP_POWER_ON = 1, RESET_REASON_CORE_SW = 3, RESET_REASON_CORE_DEEP_SLEEP = 5 } soc_reset_reason_t;

#endif
