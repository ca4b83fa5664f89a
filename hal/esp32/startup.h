/*
 * The start-up of the firmware in C: what is found, counted and decided before XS runs. startup.c says how.
 */
#ifndef XSOTA_STARTUP_H
#define XSOTA_STARTUP_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_partition.h"
#include "esp_system.h"

typedef enum { XSOTA_UNKNOWN, XSOTA_NO, XSOTA_YES } xsota_answer_t;

/* As StartUp in src/ports.ts. Times in ms. */
typedef struct {
	xsota_answer_t rolls_back;
	bool guarded;
	bool on_trial;
	uint32_t starts;
	uint32_t wakes;
	uint32_t awake;
	uint32_t since;
} xsota_startup_t;

const xsota_startup_t *xsota_startup(void);
/* esp_reset_reason(), or where the guard gave an image up before this start: what had ended that image's run. */
esp_reset_reason_t xsota_reset_reason(void);
/* Whether the image of `slot` has started since it was activated. */
xsota_answer_t xsota_started(const esp_partition_t *slot);
/* Before esp_ota_set_boot_partition(slot): erases the entry that it will write where that bears marks. */
esp_err_t xsota_forget_marks(const esp_partition_t *slot);
/* The running image, by its boot entry. */
bool xsota_on_trial(void);
/* The trial ends in `milliseconds`; 0: there is no deadline. */
void xsota_deadline(uint32_t milliseconds);
/* Returns only where the trial under way can not be re-armed. */
esp_err_t xsota_sleep(uint32_t seconds);

#endif
