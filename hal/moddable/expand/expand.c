/*
 * See expand.h. An operation is a number (length * 2, plus 1 for a copy), of a copy the change of its distance (4 n for n,
 * 4 n - 2 for -n, plus 1 where it adds words), and `length` bytes.
 */
#include <string.h>

#include "expand.h"

void expand_begin(expand_t *expand, uint32_t offset, uint32_t length, uint32_t start, uint32_t size)
{
	expand->inputAt = offset;
	expand->inputEnd = offset + length;
	expand->at = start;
	expand->end = start + size;
	expand->left = 0;
	expand->distance = 0;
	expand->done = 0;
	expand->inputUsed = expand->inputCount = 0;
	expand->readyAt = expand->readyCount = 0;
	tinfl_init(&expand->inflater);
}

static int fillInput(expand_t *expand)
{
	uint32_t left = expand->inputEnd - expand->inputAt;
	uint32_t count = (left < EXPAND_INPUT) ? left : EXPAND_INPUT;
	int error = count ? expand->readBlock(expand->context, expand->inputAt, expand->input, count) : EXPAND_OK;
	expand->inputAt += count;
	expand->inputUsed = 0;
	expand->inputCount = (uint16_t)count;
	return error;
}

/* More inflated bytes; none where the stream has ended. Called when all that were ready are used, so the window may move. */
static int inflateMore(expand_t *expand)
{
	while (!expand->readyCount && !expand->done) {
		if (expand->inputUsed == expand->inputCount) {
			int error = fillInput(expand);
			if (error)
				return error;
		}
		uint32_t begin = (expand->readyAt) & (EXPAND_WINDOW - 1);
		size_t taken = expand->inputCount - expand->inputUsed;
		size_t made = EXPAND_WINDOW - begin;
		/* The flag is set at the end of the block too: without it tinfl reads zeros behind the end, and takes a stream that is cut short. */
		tinfl_status status = tinfl_decompress(&expand->inflater, expand->input + expand->inputUsed, &taken,
			expand->window, expand->window + begin, &made, TINFL_FLAG_HAS_MORE_INPUT);
		if ((status < TINFL_STATUS_DONE) || ((status != TINFL_STATUS_DONE) && !taken && !made))
			return EXPAND_STREAM;
		expand->inputUsed += (uint16_t)taken;
		expand->readyAt = (uint16_t)begin;
		expand->readyCount = (uint16_t)made;
		expand->done = TINFL_STATUS_DONE == status;
	}
	return EXPAND_OK;
}

/* LEB128, below 2^28. */
static int readNumber(expand_t *expand, uint32_t *number)
{
	*number = 0;
	for (uint32_t shift = 0; shift < 28; shift += 7) {
		int error = inflateMore(expand);
		if (error)
			return error;
		if (!expand->readyCount)
			return EXPAND_STREAM;
		uint8_t byte = expand->window[expand->readyAt++];
		expand->readyCount--;
		*number |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return EXPAND_OK;
	}
	return EXPAND_OPERATION;
}

static int beginOperation(expand_t *expand)
{
	uint32_t kind, change;
	int error = readNumber(expand, &kind);
	if (error)
		return error;
	expand->left = kind >> 1;
	expand->copies = kind & 1;
	if (!expand->left || (expand->left > expand->end - expand->at))
		return EXPAND_OPERATION;
	if (!expand->copies)
		return EXPAND_OK;
	error = readNumber(expand, &change);
	if (error)
		return error;
	expand->word = (change & 1) ? 3 : 0;
	expand->carry = 0;
	change >>= 1;
	/* Both are below 2^28, and at most 65,536 operations follow each other: no overflow of 64 bits. */
	int64_t distance = (int64_t)expand->distance + ((change & 1) ? -(int64_t)((change + 1) >> 1) : (int64_t)(change >> 1));
	int64_t from = (int64_t)expand->at + distance;
	if ((from < 0) || (from + expand->left > expand->oldLength))
		return EXPAND_RANGE;
	expand->distance = (int32_t)distance;
	return EXPAND_OK;
}

/* The bytes of an operation that are ready, at most `length`. */
static int makeSome(expand_t *expand, uint8_t *into, uint32_t length, uint32_t *made)
{
	int error = inflateMore(expand);
	if (error)
		return error;
	if (!expand->readyCount)
		return EXPAND_STREAM;
	uint32_t count = (length < expand->left) ? length : expand->left;
	if (count > expand->readyCount)
		count = expand->readyCount;
	const uint8_t *ready = expand->window + expand->readyAt;
	if (expand->copies) {
		error = expand->readOld(expand->context, (uint32_t)((int32_t)expand->at + expand->distance), into, count);
		if (error)
			return error;
		for (uint32_t index = 0; index < count; index++) {
			uint32_t sum = into[index] + ready[index] + (((expand->at + index) & expand->word) ? expand->carry : 0);
			into[index] = (uint8_t)sum;
			expand->carry = (uint8_t)(sum >> 8);
		}
	}
	else
		memcpy(into, ready, count);
	expand->readyAt += (uint16_t)count;
	expand->readyCount -= (uint16_t)count;
	expand->left -= count;
	expand->at += count;
	*made = count;
	return EXPAND_OK;
}

int expand_next(expand_t *expand, uint8_t *into, uint32_t length)
{
	if (length > expand->end - expand->at)
		return EXPAND_OPERATION;
	while (length) {
		uint32_t made = 0;
		int error = expand->left ? EXPAND_OK : beginOperation(expand);
		if (!error)
			error = makeSome(expand, into, length, &made);
		if (error)
			return error;
		into += made;
		length -= made;
	}
	if (expand->at < expand->end)
		return EXPAND_OK;
	int error = inflateMore(expand);
	if (error)
		return error;
	return (expand->left || expand->readyCount || (expand->inputAt < expand->inputEnd) || (expand->inputUsed < expand->inputCount)) ? EXPAND_STREAM : EXPAND_OK;
}
