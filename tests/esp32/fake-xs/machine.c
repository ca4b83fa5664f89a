/*
 * A process that is the chip: it takes calls of the C module's functions from a pipe and answers into another.
 *
 *     machine FLASH NVS SLOT REASON CALLS ANSWERS
 *
 *   call    name, then the number of arguments, then each
 *   answer  one byte (0 returned, 1 threw, 2 the chip restarts: the process ends), the value or message, then the bytes of each buffer given
 *   value   one byte (xsType), then: double | length and bytes | number of properties, each a name and a value
 *
 * Lengths are 32 bits, names and strings as length and bytes; everything in the machine's own byte order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_idf.h"
#include "functions.h"

#define ARGUMENTS_MAX 4
#define VARIABLES_MAX 4

enum { RETURNED, THREW, RESTARTS };

struct machine {
	xsSlot arguments[ARGUMENTS_MAX];
	xsSlot variables[VARIABLES_MAX];
	xsSlot result;
	int count;
	jmp_buf thrown;
	char message[128];
};

static const struct {
	const char *name;
	function_t function;
} functions[] = {
#define ENTRY(NAME) {#NAME, NAME},
	FUNCTIONS(ENTRY) ENTRY(fake_encrypt) ENTRY(fake_lose_slot) ENTRY(fake_fail_next) ENTRY(fake_time) ENTRY(fake_firmware_block)
};

static FILE *calls, *answers;

/* ---- slots ---- */

xsSlot *fxArgument(xsMachine *the, int index)
{
	return &the->arguments[index];
}

xsSlot *fxVariable(xsMachine *the, int index)
{
	return &the->variables[index];
}

xsSlot *fxResult(xsMachine *the)
{
	return &the->result;
}

static void move(xsSlot *slot)
{
	if (!slot->chunk)
		return;
	uint8_t *old = slot->chunk;
	slot->chunk = malloc(slot->length + 1);
	memcpy(slot->chunk, old, slot->length + 1);
	memset(old, 0xdd, slot->length + 1);
	free(old);
}

/* Something was allocated: everything moves. */
static void collect(xsMachine *the)
{
	for (int i = 0; i < ARGUMENTS_MAX; i++)
		move(&the->arguments[i]);
	for (int i = 0; i < VARIABLES_MAX; i++)
		move(&the->variables[i]);
	move(&the->result);
}

static void clear(xsSlot *slot)
{
	free(slot->chunk);
	for (int i = 0; i < slot->properties; i++)
		clear(&slot->values[i]);
	free(slot->values);
	memset(slot, 0, sizeof(*slot));
}

static void setChunk(xsSlot *slot, xsType type, const void *bytes, uint32_t length)
{
	uint8_t *chunk = malloc(length + 1);
	if (bytes)
		memcpy(chunk, bytes, length);
	else
		memset(chunk, 0xdd, length);
	chunk[length] = 0;
	clear(slot);
	slot->type = type;
	slot->chunk = chunk;
	slot->length = length;
}

void fxThrow(xsMachine *the, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vsnprintf(the->message, sizeof(the->message), format, list);
	va_end(list);
	longjmp(the->thrown, 1);
}

xsIntegerValue fxToInteger(xsMachine *the, xsSlot *slot)
{
	(void)the;
	return (xsIntegerValue)slot->number;
}

xsUnsignedValue fxToUnsigned(xsMachine *the, xsSlot *slot)
{
	(void)the;
	return (xsUnsignedValue)slot->number;
}

char *fxToString(xsMachine *the, xsSlot *slot)
{
	if (slot->type != xsStringType)
		fxThrow(the, "no string");
	return (char *)slot->chunk;
}

void fxToStringBuffer(xsMachine *the, xsSlot *slot, char *buffer, uint32_t size)
{
	const char *text = fxToString(the, slot);
	if (strlen(text) >= size)
		fxThrow(the, "string too long for buffer");
	strcpy(buffer, text);
}

void fxGetBuffer(xsMachine *the, xsSlot *slot, void **bytes, xsUnsignedValue *length)
{
	if (slot->type != xsBufferType)
		fxThrow(the, "no buffer");
	*bytes = slot->chunk;
	*length = slot->length;
}

void fxNewBuffer(xsMachine *the, xsSlot *slot, const void *bytes, xsIntegerValue length)
{
	collect(the);
	setChunk(slot, xsBufferType, bytes, length);
}

void fxNewString(xsMachine *the, xsSlot *slot, const char *text)
{
	collect(the);
	setChunk(slot, xsStringType, text, strlen(text));
}

void fxNewObject(xsMachine *the, xsSlot *slot)
{
	collect(the);
	clear(slot);
	slot->type = xsObjectType;
	slot->values = calloc(PROPERTIES_MAX, sizeof(xsSlot));
}

void fxNumber(xsSlot *slot, double value)
{
	clear(slot);
	slot->type = xsNumberType;
	slot->number = value;
}

void fxBoolean(xsSlot *slot, int value)
{
	fxNumber(slot, value);
	slot->type = xsBooleanType;
}

void fxUndefined(xsSlot *slot)
{
	clear(slot);
}

void fxSet(xsMachine *the, xsSlot *object, const char *name, const xsSlot *value)
{
	if ((object->type != xsObjectType) || (object->properties == PROPERTIES_MAX))
		fxThrow(the, "set %s", name);
	collect(the);
	xsSlot *property = &object->values[object->properties];
	object->names[object->properties++] = name;
	*property = *value;
	if (value->chunk) {
		property->chunk = NULL;
		setChunk(property, value->type, value->chunk, value->length);
	}
}

/* ---- pipes ---- */

static void get(void *into, size_t length)
{
	/* The test has gone. */
	if (fread(into, 1, length, calls) != length)
		exit(0);
}

static void put(const void *bytes, size_t length)
{
	fwrite(bytes, 1, length, answers);
}

static void putCounted(const void *bytes, uint32_t length)
{
	put(&length, sizeof(length));
	put(bytes, length);
}

static void putValue(const xsSlot *slot)
{
	uint8_t type = slot->type;
	put(&type, 1);
	switch (slot->type) {
		case xsBooleanType:
		case xsNumberType:
			put(&slot->number, sizeof(slot->number));
			break;
		case xsStringType:
		case xsBufferType:
			putCounted(slot->chunk, slot->length);
			break;
		case xsObjectType: {
			uint32_t count = slot->properties;
			put(&count, sizeof(count));
			for (uint32_t i = 0; i < count; i++) {
				putCounted(slot->names[i], strlen(slot->names[i]));
				putValue(&slot->values[i]);
			}
			break;
		}
		default:
			break;
	}
}

static void getArgument(xsSlot *slot)
{
	uint8_t type;
	get(&type, 1);
	slot->type = type;
	if ((type == xsNumberType) || (type == xsBooleanType)) {
		get(&slot->number, sizeof(slot->number));
	} else if ((type == xsStringType) || (type == xsBufferType)) {
		uint32_t length;
		get(&length, sizeof(length));
		uint8_t *bytes = malloc(length + 1);
		get(bytes, length);
		setChunk(slot, type, bytes, length);
		free(bytes);
	}
}

void fake_restart(void)
{
	uint8_t status = RESTARTS;
	put(&status, 1);
	fflush(answers);
	exit(0);
}

static void call(xsMachine *the, const char *name)
{
	uint8_t status = RETURNED;
	if (setjmp(the->thrown) == 0) {
		function_t function = NULL;
		for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
			if (strcmp(functions[i].name, name) == 0)
				function = functions[i].function;
		if (!function)
			fxThrow(the, "no function %s", name);
		function(the);
		if (fake_nvs_open_handles())
			fxThrow(the, "%s left an NVS handle open", name);
	} else {
		status = THREW;
	}
	put(&status, 1);
	if (status == THREW)
		putCounted(the->message, strlen(the->message));
	else
		putValue(&the->result);
	for (int i = 0; i < the->count; i++)
		if (the->arguments[i].type == xsBufferType)
			putCounted(the->arguments[i].chunk, the->arguments[i].length);
	fflush(answers);
}

int main(int argc, char **argv)
{
	static xsMachine machine;
	if (argc != 7)
		return 64;
	calls = fopen(argv[5], "rb");
	answers = fopen(argv[6], "wb");
	if (!calls || !answers)
		return 66;
	fake_idf_start(argv[1], argv[2], atoi(argv[3]), atoi(argv[4]));
	for (;;) {
		char name[32] = "";
		uint32_t length;
		uint8_t count;
		get(&length, sizeof(length));
		if (length >= sizeof(name))
			return 65;
		get(name, length);
		get(&count, 1);
		if (count > ARGUMENTS_MAX)
			return 65;
		machine.count = count;
		for (int i = 0; i < count; i++)
			getArgument(&machine.arguments[i]);
		call(&machine, name);
		for (int i = 0; i < ARGUMENTS_MAX; i++)
			clear(&machine.arguments[i]);
		for (int i = 0; i < VARIABLES_MAX; i++)
			clear(&machine.variables[i]);
		clear(&machine.result);
	}
}
