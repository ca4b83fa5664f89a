/*
 * Expands one block of a container (docs/SPEC.md, "Container"), a few bytes at a time. It knows neither XS nor ESP-IDF:
 * the caller brings what reads the block and the older image.
 *
 * Whatever the block holds, each call returns after a bounded time, reads only inside of the block and of the older
 * image, and writes only what it was given.
 */
#ifndef XSOTA_EXPAND_H
#define XSOTA_EXPAND_H

#include <stdint.h>

#if defined(ESP_PLATFORM)
	/* tinfl is in the ROM of every ESP32 (esp_rom). */
	#include "miniz.h"
#else
	#define MINIZ_HEADER_FILE_ONLY
	#include "miniz.c"
	#undef MINIZ_HEADER_FILE_ONLY
#endif

/* The deflate window: 2 to the power of WINDOW_BITS (src/container/format.ts). */
#define EXPAND_WINDOW 4096
/* Compressed bytes read from flash at a time. */
#define EXPAND_INPUT 512

/* Fills `into`. Returns 0, or another number that expand_next passes on. */
typedef int (*expand_read_t)(void *context, uint32_t offset, void *into, uint32_t length);

enum {
	EXPAND_OK = 0,
	/* Not a deflate stream, or one that does not end where the block does. */
	EXPAND_STREAM = -1,
	/* An operation that makes no bytes, or more than the block has. */
	EXPAND_OPERATION = -2,
	/* An operation that reads outside of the older image. */
	EXPAND_RANGE = -3,
};

typedef struct {
	void *context;
	expand_read_t readBlock;
	expand_read_t readOld;
	/* Of the compressed block: what is still to be read. */
	uint32_t inputAt, inputEnd;
	uint32_t oldLength;
	/* In the file that is made: the next byte, and the end of the block. */
	uint32_t at, end;
	/* Of the operation under way: bytes left, and where a copy reads, from `at`. */
	uint32_t left;
	int32_t distance;
	uint8_t copies;
	/* Of a copy: 3 where it adds words, 0 where it adds bytes; and what the last sum leaves to the next byte of its word. */
	uint8_t word, carry;
	uint8_t done;
	/* In `input` and in `window`: what is not used yet. */
	uint16_t inputUsed, inputCount;
	uint16_t readyAt, readyCount;
	tinfl_decompressor inflater;
	uint8_t input[EXPAND_INPUT];
	uint8_t window[EXPAND_WINDOW];
} expand_t;

/*
 * Begins a block. `offset`, `length`: of the compressed block, in what `readBlock` reads. `start`, `size`: of the bytes
 * that it makes, in the file.
 */
void expand_begin(expand_t *expand, uint32_t offset, uint32_t length, uint32_t start, uint32_t size);

/*
 * Makes the next `length` bytes, at most what is left of the block. With the last byte the end of the stream is checked.
 * Returns EXPAND_OK, another constant from above, or what a reader returned; after that nothing more can be made.
 */
int expand_next(expand_t *expand, uint8_t *into, uint32_t length);

#endif
