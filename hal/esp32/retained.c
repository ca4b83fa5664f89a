/*
 * What a recorder keeps over a reset, for retained.ts: two halves of RTC memory, written in turn by the runs of the
 * firmware. A run reads the half of the one before while it writes its own. docs/SPEC.md, "Recording", has the bytes.
 *
 * RTC_NOINIT_ATTR memory is kept over every reset and deep sleep. After power-on it holds anything, and so it does where
 * another firmware has its variables elsewhere: magic, length and CRC decide, never the reset reason.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "esp_attr.h"
#include "esp_rom_crc.h"

#define MAGIC 0x52535852u
/* KEPT_MAX of src/recorder/format.ts. */
#define BYTES_MAX 496

typedef struct {
	uint32_t magic;
	/* One more than that of the run before. */
	uint32_t run;
	uint32_t length;
	uint32_t crc;
	uint8_t bytes[BYTES_MAX];
} half_t;

static RTC_NOINIT_ATTR half_t halves[2];

/* The half of this run; it is chosen once. */
static half_t *own;

static uint32_t crcOf(const half_t *half)
{
	uint32_t crc = esp_rom_crc32_le(0, (const uint8_t *)&half->run, offsetof(half_t, crc) - offsetof(half_t, run));
	return esp_rom_crc32_le(crc, half->bytes, half->length);
}

static bool isWhole(const half_t *half)
{
	return (MAGIC == half->magic) && (half->length <= BYTES_MAX) && (crcOf(half) == half->crc);
}

static void choose(void)
{
	if (own)
		return;
	bool first = isWhole(&halves[0]);
	bool second = isWhole(&halves[1]);
	/* The difference is right also where the number has begun again at 0. */
	int latest = second && (!first || ((int32_t)(halves[1].run - halves[0].run) > 0));
	uint32_t run = (first || second) ? halves[latest].run + 1 : 0;
	own = &halves[(first || second) ? 1 - latest : 0];
	memset(own, 0, offsetof(half_t, bytes));
	own->run = run;
}

/* read() -> ArrayBuffer, or undefined */
void xs_retained_read(xsMachine *the)
{
	choose();
	const half_t *before = (own == halves) ? &halves[1] : halves;
	if (isWhole(before) && before->length)
		xsmcSetArrayBuffer(xsResult, (void *)before->bytes, (xsIntegerValue)before->length);
}

/* write(head, tail) */
void xs_retained_write(xsMachine *the)
{
	void *head = NULL, *tail = NULL;
	xsUnsignedValue headLength = 0, tailLength = 0;
	xsmcGetBufferReadable(xsArg(0), &head, &headLength);
	xsmcGetBufferReadable(xsArg(1), &tail, &tailLength);
	if ((headLength > BYTES_MAX) || (tailLength > BYTES_MAX - headLength))
		xsRangeError("retained: %d bytes, at most %d are taken", (int)(headLength + tailLength), BYTES_MAX);
	choose();
	/* A reset in here leaves nothing that counts. */
	own->magic = 0;
	if (headLength)
		memcpy(own->bytes, head, headLength);
	if (tailLength)
		memcpy(own->bytes + headLength, tail, tailLength);
	own->length = headLength + tailLength;
	own->crc = crcOf(own);
	own->magic = MAGIC;
}
