/*
 * The decoder of containers for expander.ts: that of the chips, over the SDK's miniz. The flash is JavaScript's here, so
 * the readers call back; buffers of XS move meanwhile, which is why the bytes are made in memory of their own.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <stdlib.h>
#include <string.h>

#include "expand.h"

#define SECTOR 4096

typedef struct {
	xsMachine *the;
	expand_t expand;
	uint8_t bytes[SECTOR];
} opened_t;

static opened_t *opened;

/* `reader`: an argument of xs_expander_next, which takes offset and length and returns an ArrayBuffer. */
static int readBy(xsMachine *the, int reader, uint32_t offset, void *into, uint32_t length)
{
	void *bytes = NULL;
	xsUnsignedValue count = 0;
	xsResult = xsCallFunction2(xsArg(reader), xsUndefined, xsInteger(offset), xsInteger(length));
	xsmcGetBufferReadable(xsResult, &bytes, &count);
	if (count != length)
		return EXPAND_RANGE;
	memcpy(into, bytes, length);
	return EXPAND_OK;
}

static int readBlock(void *context, uint32_t offset, void *into, uint32_t length)
{
	return readBy(((opened_t *)context)->the, 1, offset, into, length);
}

static int readOld(void *context, uint32_t offset, void *into, uint32_t length)
{
	return readBy(((opened_t *)context)->the, 2, offset, into, length);
}

/* open(oldLength) */
void xs_expander_open(xsMachine *the)
{
	if (!opened)
		opened = malloc(sizeof(*opened));
	if (!opened)
		xsUnknownError("expand: no memory");
	opened->expand.context = opened;
	opened->expand.readBlock = readBlock;
	opened->expand.readOld = readOld;
	opened->expand.oldLength = xsmcToInteger(xsArg(0));
	expand_begin(&opened->expand, 0, 0, 0, 0);
}

/* begin(offset, length, start, size) */
void xs_expander_begin(xsMachine *the)
{
	if (!opened)
		xsUnknownError("expand: closed");
	expand_begin(&opened->expand, xsmcToInteger(xsArg(0)), xsmcToInteger(xsArg(1)), xsmcToInteger(xsArg(2)), xsmcToInteger(xsArg(3)));
}

/* next(into, readBlock, readOld) */
void xs_expander_next(xsMachine *the)
{
	void *into = NULL;
	xsUnsignedValue length = 0, done = 0;
	if (!opened)
		xsUnknownError("expand: closed");
	xsmcGetBufferReadable(xsArg(0), &into, &length);
	opened->the = the;
	while (done < length) {
		xsUnsignedValue count = (length - done < SECTOR) ? length - done : SECTOR;
		uint32_t at = opened->expand.at;
		int error = expand_next(&opened->expand, opened->bytes, count);
		if (error)
			xsUnknownError("expand: the block that makes 0x%x is damaged (%d)", (unsigned)at, error);
		xsmcGetBufferWritable(xsArg(0), &into, &length);
		memcpy((uint8_t *)into + done, opened->bytes, count);
		done += count;
	}
}

/* close() */
void xs_expander_close(xsMachine *the)
{
	(void)the;
	free(opened);
	opened = NULL;
}
