/*
 * The decoder of containers for ota_expander.ts (docs/SPEC.md, "Part"): one at a time, in memory of the system's heap while
 * it is open. tinfl is in the ROM of every ESP32.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <stdlib.h>

#include "../moddable/expand/expand.h"
#include "slots.h"

typedef struct {
	/* Compressed, and the older image. */
	const esp_partition_t *target;
	const esp_partition_t *running;
	expand_t expand;
} opened_t;

static opened_t *opened;

static int readBlock(void *context, uint32_t offset, void *into, uint32_t length)
{
	return esp_partition_read(((opened_t *)context)->target, offset, into, length);
}

static int readOld(void *context, uint32_t offset, void *into, uint32_t length)
{
	return esp_partition_read(((opened_t *)context)->running, offset, into, length);
}

static uint32_t numberArgument(xsMachine *the, int index)
{
	xsIntegerValue value = xsmcToInteger(xsArg(index));
	if (value < 0)
		xsRangeError("expand: %d", (int)value);
	return (uint32_t)value;
}

/* open(oldLength) */
void xs_ota_expander_open(xsMachine *the)
{
	const esp_partition_t *target = targetSlot(the);
	const esp_partition_t *running = runningSlot(the);
	uint32_t oldLength = numberArgument(the, 0);
	if (oldLength > running->size)
		xsRangeError("expand: an image of %u bytes", (unsigned)oldLength);
	if (!opened)
		opened = malloc(sizeof(*opened));
	if (!opened)
		xsUnknownError("expand: no memory for %u bytes", (unsigned)sizeof(*opened));
	opened->target = target;
	opened->running = running;
	opened->expand.context = opened;
	opened->expand.readBlock = readBlock;
	opened->expand.readOld = readOld;
	opened->expand.oldLength = oldLength;
	/* No block: there is nothing to make. */
	expand_begin(&opened->expand, 0, 0, 0, 0);
}

/* begin(offset, length, start, size) */
void xs_ota_expander_begin(xsMachine *the)
{
	uint32_t offset = numberArgument(the, 0), length = numberArgument(the, 1);
	uint32_t start = numberArgument(the, 2), size = numberArgument(the, 3);
	if (!opened)
		xsUnknownError("expand: closed");
	expand_begin(&opened->expand, 0, 0, 0, 0);
	if ((offset > opened->target->size) || (length > opened->target->size - offset))
		xsRangeError("expand: %u bytes at %u are outside of %s", (unsigned)length, (unsigned)offset, opened->target->label);
	expand_begin(&opened->expand, offset, length, start, size);
}

/* next(into). Nothing is allocated in XS between fetching the buffer and its last use. */
void xs_ota_expander_next(xsMachine *the)
{
	void *bytes = NULL;
	xsUnsignedValue length = 0;
	if (!opened)
		xsUnknownError("expand: closed");
	xsmcGetBufferWritable(xsArg(0), &bytes, &length);
	uint32_t at = opened->expand.at;
	int error = expand_next(&opened->expand, bytes, length);
	if (error > 0)
		throwIf(the, error, "expand", opened->target, 0);
	if (error)
		xsUnknownError("expand: the block that makes 0x%x is damaged (%d)", (unsigned)at, error);
}

/* close() */
void xs_ota_expander_close(xsMachine *the)
{
	(void)the;
	free(opened);
	opened = NULL;
}
