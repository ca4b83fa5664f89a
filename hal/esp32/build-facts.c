/*
 * What this firmware was compiled with, and the slots of the partition table that is in flash, for build-facts.ts. An
 * update brings firmware and its settings, but neither bootloader nor table.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <stdio.h>

#include "esp_partition.h"
#include "sdkconfig.h"

#define NUMBER(define) NUMBER_OF(define)
#define NUMBER_OF(value) #value

#if CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define ROLLBACK "rollback"
#else
#define ROLLBACK "NO rollback"
#endif
#if CONFIG_ESP_TASK_WDT_PANIC
#define WATCHDOG "a task watchdog of " NUMBER(CONFIG_ESP_TASK_WDT_TIMEOUT_S) " s"
#else
#define WATCHDOG "NO task watchdog"
#endif

/* KiB of ota_0 or ota_1; 0: there is none. */
static unsigned slotSize(esp_partition_subtype_t subtype)
{
	const esp_partition_t *slot = esp_partition_find_first(ESP_PARTITION_TYPE_APP, subtype, NULL);
	return slot ? slot->size >> 10 : 0;
}

/* buildFacts() -> one line */
void xs_ota_buildFacts(xsMachine *the)
{
	char line[160];
	unsigned first = slotSize(ESP_PARTITION_SUBTYPE_APP_OTA_0);
	unsigned second = slotSize(ESP_PARTITION_SUBTYPE_APP_OTA_1);
	snprintf(line, sizeof(line), "compiled with " ROLLBACK " and " WATCHDOG "; slots of %u and %u KiB%s", first, second,
		(first && second) ? "" : ": the partition table in flash takes no updates");
	xsmcSetString(xsResult, line);
}
