/* What the native functions of ota.c and startup_natives.c share. After xsmc.h. */
#ifndef XSOTA_SLOTS_H
#define XSOTA_SLOTS_H

#include "app_update/include/esp_ota_ops.h"
#include "esp_err.h"
#include "esp_partition.h"

static inline void throwIf(xsMachine *the, esp_err_t err, const char *operation, const esp_partition_t *slot, uint32_t offset)
{
	if (ESP_OK != err)
		xsUnknownError("%s %s 0x%08x: %s", operation, slot->label, (unsigned)(slot->address + offset), esp_err_to_name(err));
}

static inline const esp_partition_t *runningSlot(xsMachine *the)
{
	const esp_partition_t *slot = esp_ota_get_running_partition();
	if (!slot)
		xsUnknownError("no running slot");
	return slot;
}

/* Never the running slot, which is neither erased nor written. */
static inline const esp_partition_t *targetSlot(xsMachine *the)
{
	const esp_partition_t *running = runningSlot(the);
	const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
	if (!slot || (slot->address == running->address))
		xsUnknownError("no inactive slot: the partition table needs ota_0 and ota_1");
	return slot;
}

/* A property of the result, by way of xsVar(0). TYPE: as in xsmcSetInteger. */
#define SET_PROPERTY(ID, TYPE, VALUE) \
	do { \
		xsmcSet##TYPE(xsVar(0), VALUE); \
		xsmcSet(xsResult, ID, xsVar(0)); \
	} while (0)

#endif
