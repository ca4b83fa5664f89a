/*
 * The chip's decoder on this machine, with miniz in place of the ROM.
 *
 *   expand-host                 reads cases from stdin, writes what they make to stdout
 *   expand-host fuzz N SEED     reads one case and decodes N mutations of it, which must end within their bounds
 *
 * A case: lengths of the older image and of the block, start, size, bytes asked for at a time (u32 each), the older
 * image, the block. The answer: result (i32), bytes made (u32), the bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expand.h"

typedef struct {
	const uint8_t *old, *block;
	uint32_t oldLength, blockLength;
} case_t;

static int copyOut(const uint8_t *from, uint32_t limit, uint32_t offset, void *into, uint32_t length)
{
	if ((offset > limit) || (length > limit - offset))
		abort();
	memcpy(into, from + offset, length);
	return 0;
}

static int readBlock(void *context, uint32_t offset, void *into, uint32_t length)
{
	case_t *with = context;
	return copyOut(with->block, with->blockLength, offset, into, length);
}

static int readOld(void *context, uint32_t offset, void *into, uint32_t length)
{
	case_t *with = context;
	return copyOut(with->old, with->oldLength, offset, into, length);
}

static int decode(case_t *with, uint32_t start, uint32_t size, uint32_t step, uint8_t *into, uint32_t *made)
{
	static expand_t expand;
	int result = EXPAND_OK;
	expand.context = with;
	expand.readBlock = readBlock;
	expand.readOld = readOld;
	expand.oldLength = with->oldLength;
	expand_begin(&expand, 0, with->blockLength, start, size);
	for (*made = 0; !result && (*made < size);) {
		uint32_t count = (step < size - *made) ? step : size - *made;
		result = expand_next(&expand, into + *made, count);
		if (!result)
			*made += count;
	}
	return result;
}

static int take(void *into, size_t length)
{
	return fread(into, 1, length, stdin) == length;
}

static uint32_t seed;
static uint32_t next(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static void fuzz(case_t *with, const uint8_t *original, uint32_t start, uint32_t size, uint8_t *into, uint32_t count)
{
	uint8_t *block = malloc(with->blockLength + 1);
	uint32_t length = with->blockLength, refused = 0, made;
	with->block = block;
	for (uint32_t index = 0; index < count; index++) {
		memcpy(block, original, length);
		with->blockLength = next(8) ? length : next(length + 1);
		for (uint32_t changes = 1 + next(4); changes; changes--) {
			if (with->blockLength)
				block[next(with->blockLength)] ^= (uint8_t)(next(2) ? 1u << next(8) : 1 + next(255));
		}
		refused += EXPAND_OK != decode(with, start, size, 1 + next(4096), into, &made);
	}
	printf("%u inputs, %u refused\n", count, refused);
	free(block);
}

int main(int argc, char **argv)
{
	uint32_t head[5];
	while (take(head, sizeof(head))) {
		/* Exact lengths, so that the sanitizer sees a byte too many. */
		uint8_t *old = malloc(head[0]), *block = malloc(head[1]), *into = malloc(head[3]);
		case_t with = {old, block, head[0], head[1]};
		if (!take(old, head[0]) || !take(block, head[1]))
			return 1;
		if (argc > 3) {
			seed = (uint32_t)strtoul(argv[3], NULL, 10) | 1;
			fuzz(&with, block, head[2], head[3], into, (uint32_t)strtoul(argv[2], NULL, 10));
		}
		else {
			uint32_t answer[2];
			answer[0] = (uint32_t)decode(&with, head[2], head[3], head[4], into, &answer[1]);
			fwrite(answer, 1, sizeof(answer), stdout);
			fwrite(into, 1, answer[1], stdout);
		}
		free(old);
		free(block);
		free(into);
	}
	return 0;
}
