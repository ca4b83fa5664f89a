/*
 * A process that is the chip's network: native-sockets.ts calls the functions of lwip-sockets.c through two pipes, in
 * the protocol of ../fake-xs/machine.c, and reads from a third when XS would be called back. It then takes what has
 * happened, and says xs_lwip_done.
 *
 *     sockets_host EVENTS - - - CALLS ANSWERS
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_netif.h"
#include "fake_xs_queue.h"
#include "loopback.h"
#include "xsHost.h"

#define ARGUMENTS_MAX 4

enum { RETURNED, THREW };

struct machine {
	xsSlot arguments[ARGUMENTS_MAX];
	xsSlot result;
	int count;
	jmp_buf thrown;
	char message[128];
};

#define FUNCTIONS(F) \
	F(xs_lwip_start) F(xs_lwip_next) F(xs_lwip_tcpWindow) F(xs_lwip_tcpOpen) F(xs_lwip_tcpRead) F(xs_lwip_tcpWrite) F(xs_lwip_tcpClose) F(xs_lwip_udpOpen) F(xs_lwip_udpRead) \
	F(xs_lwip_udpWrite) F(xs_lwip_udpClose)

#define DECLARE(NAME) void NAME(xsMachine *the);
FUNCTIONS(DECLARE)

static int calls, answers, events;
static bool busy;

static void xs_lwip_done(xsMachine *the)
{
	(void)the;
	busy = false;
}

static const struct {
	const char *name;
	void (*function)(xsMachine *the);
} functions[] = {
#define ENTRY(NAME) {#NAME, NAME},
	FUNCTIONS(ENTRY) ENTRY(xs_lwip_done)
};

/* ---- what the functions ask of XS ---- */

xsSlot *fxArgument(xsMachine *the, int index)
{
	return &the->arguments[index];
}

xsSlot *fxResult(xsMachine *the)
{
	return &the->result;
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

void fxToStringBuffer(xsMachine *the, xsSlot *slot, char *buffer, uint32_t size)
{
	if ((slot->type != xsStringType) || (slot->length >= size))
		fxThrow(the, "no string, or too long for the buffer");
	memcpy(buffer, slot->chunk, slot->length + 1);
}

void fxGetBuffer(xsMachine *the, xsSlot *slot, void **bytes, xsUnsignedValue *length)
{
	if (slot->type != xsBufferType)
		fxThrow(the, "no buffer");
	*bytes = slot->chunk;
	*length = slot->length;
}

static void setChunk(xsSlot *slot, xsType type, uint32_t length)
{
	free(slot->chunk);
	*slot = (xsSlot){.type = type, .length = length, .chunk = calloc(1, length + 1)};
}

void fxNewBuffer(xsMachine *the, xsSlot *slot, const void *bytes, xsIntegerValue length)
{
	(void)the;
	(void)bytes;
	setChunk(slot, xsBufferType, (uint32_t)length);
}

void fxNumber(xsSlot *slot, double value)
{
	*slot = (xsSlot){.type = xsNumberType, .number = value};
}

void fxCallBack(xsMachine *the)
{
	(void)the;
	busy = true;
	if (write(events, "!", 1) != 1)
		exit(0);
}

esp_netif_t *esp_netif_get_default_netif(void)
{
	return (esp_netif_t *)&loopback;
}

/* ---- pipes ---- */

static void get(void *into, size_t length)
{
	for (ssize_t count; length > 0; length -= (size_t)count, into = (char *)into + count)
		if ((count = read(calls, into, length)) <= 0)
			exit(0); /* The test has gone. */
}

static void put(const void *bytes, size_t length)
{
	for (ssize_t count; length > 0; length -= (size_t)count, bytes = (const char *)bytes + count)
		if ((count = write(answers, bytes, length)) <= 0)
			exit(0);
}

static void putCounted(const void *bytes, uint32_t length)
{
	put(&length, sizeof(length));
	put(bytes, length);
}

static void getArgument(xsSlot *slot)
{
	uint8_t type;
	uint32_t length;
	get(&type, 1);
	if (type == xsNumberType) {
		double number;
		get(&number, sizeof(number));
		fxNumber(slot, number);
	} else if (type != xsUndefinedType) {
		get(&length, sizeof(length));
		setChunk(slot, type, length);
		get(slot->chunk, length);
	}
}

static void call(xsMachine *the, const char *name)
{
	uint8_t status = RETURNED, type;
	if (setjmp(the->thrown) == 0) {
		size_t index = 0;
		while ((index < sizeof(functions) / sizeof(functions[0])) && strcmp(functions[index].name, name))
			index++;
		if (index == sizeof(functions) / sizeof(functions[0]))
			fxThrow(the, "no function %s", name);
		functions[index].function(the);
	} else {
		status = THREW;
	}
	put(&status, 1);
	type = (uint8_t)the->result.type;
	if (status == THREW) {
		putCounted(the->message, (uint32_t)strlen(the->message));
	} else {
		put(&type, 1);
		if (type == xsNumberType)
			put(&the->result.number, sizeof(double));
		else if (type == xsBufferType)
			putCounted(the->result.chunk, the->result.length);
	}
	for (int i = 0; i < the->count; i++)
		if (the->arguments[i].type == xsBufferType)
			putCounted(the->arguments[i].chunk, the->arguments[i].length);
}

static void clear(xsSlot *slot)
{
	free(slot->chunk);
	memset(slot, 0, sizeof(*slot));
}

static void serveCall(xsMachine *the)
{
	char name[32] = "";
	uint32_t length;
	uint8_t count;
	get(&length, sizeof(length));
	if (length >= sizeof(name))
		exit(65);
	get(name, length);
	get(&count, 1);
	if (count > ARGUMENTS_MAX)
		exit(65);
	the->count = count;
	for (int i = 0; i < count; i++)
		getArgument(&the->arguments[i]);
	call(the, name);
	for (int i = 0; i < count; i++)
		clear(&the->arguments[i]);
	clear(&the->result);
}

int main(int argc, char **argv)
{
	static xsMachine machine;
	if (argc != 7)
		return 64;
	signal(SIGPIPE, SIG_IGN);
	calls = open(argv[5], O_RDONLY);
	answers = open(argv[6], O_WRONLY);
	events = open(argv[1], O_WRONLY);
	if ((calls < 0) || (answers < 0) || (events < 0))
		return 66;
	fakeLwipStart(&loopback);
	for (;;) {
		/* While the callback runs, XS takes no other message. */
		struct pollfd ready[] = {{.fd = calls, .events = POLLIN}, {.fd = busy ? -1 : fakeQueueDescriptor(), .events = POLLIN}};
		char byte;
		poll(ready, 2, -1);
		if (ready[0].revents)
			serveCall(&machine);
		else if (ready[1].revents && (read(fakeQueueDescriptor(), &byte, 1) == 1))
			fakeQueueService();
	}
}
