/* The table of sockets and their way of telling XS's task that something has happened. */
#include "lwip_socket.h"

#include <stddef.h>
#include <stdlib.h>

#define INDEX_BITS 3
#define GENERATION_MASK 0x1ffffu

_Static_assert(LWIP_SOCKETS_MAX == 1 << INDEX_BITS, "an index fills its bits");

/* XS's task. */
static struct {
	struct lwipSocket *socket;
	uint32_t generation;
} table[LWIP_SOCKETS_MAX];
/* Where lwipNext is: the socket whose events it has taken, those still to be told, and the index after it. */
static lwipHandle current = -1;
static uint32_t pending;
static uint32_t next = LWIP_SOCKETS_MAX;

/*
 * A message is on its way to XS's task: one is enough for all sockets, so lwIP takes one place of XS's queue, whatever
 * happens.
 */
static _Atomic uint32_t posted;

void *lwipAllocate(uint32_t size, uint32_t capacity)
{
	struct lwipSocket *socket = calloc(1, size + capacity + 1);
	if (socket) {
		ringInit(&socket->received, (uint8_t *)socket + size, capacity);
		atomic_init(&socket->events, 0);
		atomic_init(&socket->readerWaits, 1);
		atomic_init(&socket->ended, 0);
	}
	return socket;
}

void lwipFree(struct lwipSocket *socket)
{
	free(socket);
}

static lwipHandle handleOf(uint32_t index)
{
	return (lwipHandle)(index | table[index].generation << INDEX_BITS);
}

lwipHandle lwipAdd(struct lwipSocket *socket)
{
	for (uint32_t index = 0; index < LWIP_SOCKETS_MAX; index++) {
		if (table[index].socket)
			continue;
		table[index].socket = socket;
		table[index].generation = (table[index].generation + 1) & GENERATION_MASK;
		return handleOf(index);
	}
	return -1;
}

struct lwipSocket *lwipFind(lwipHandle handle)
{
	uint32_t index = (uint32_t)handle & (LWIP_SOCKETS_MAX - 1);
	if ((handle < 0) || (table[index].generation != (uint32_t)handle >> INDEX_BITS))
		return NULL;
	return table[index].socket;
}

void lwipRemove(lwipHandle handle)
{
	table[(uint32_t)handle & (LWIP_SOCKETS_MAX - 1)].socket = NULL;
}

void lwipSignal(struct lwipSocket *socket, enum lwipEvent event)
{
	atomic_fetch_or_explicit(&socket->events, event, memory_order_release);
	/*
	 * Whoever finds it set knows that lwipBegin comes after, and that it sees the event: read-modify-writes of one
	 * object are in one order.
	 */
	if (!atomic_exchange_explicit(&posted, 1, memory_order_acq_rel))
		lwipNotify();
}

void lwipArrived(struct lwipSocket *socket)
{
	if (atomic_exchange_explicit(&socket->readerWaits, 0, memory_order_acq_rel))
		lwipSignal(socket, LWIP_READABLE);
}

void lwipEnd(struct lwipSocket *socket, enum lwipCause cause)
{
	if (atomic_load_explicit(&socket->ended, memory_order_relaxed))
		return;
	atomic_store_explicit(&socket->ended, cause, memory_order_release);
	lwipSignal(socket, LWIP_CLOSED);
}

/* Asks to be told of the next byte. False: one has come meanwhile, and is told of. */
static bool awaitByte(struct lwipSocket *socket)
{
	/*
	 * lwIP's task publishes, then looks at `readerWaits`; this sets it, then looks for bytes. So one of the two sees the
	 * other.
	 */
	atomic_exchange_explicit(&socket->readerWaits, 1, memory_order_acq_rel);
	if (ringWaiting(&socket->received) == 0)
		return true;
	lwipArrived(socket);
	return false;
}

void lwipDrained(struct lwipSocket *socket, bool foundEnd)
{
	if (!foundEnd && (ringWaiting(&socket->received) > 0))
		return;
	socket->announced = false;
	if (awaitByte(socket) && atomic_load_explicit(&socket->ended, memory_order_acquire))
		lwipSignal(socket, LWIP_CLOSED);
}

void lwipBegin(void)
{
	atomic_exchange_explicit(&posted, 0, memory_order_acq_rel);
	next = 0;
	pending = 0;
}

/* Whether XS's task is to be told of it now. */
static bool due(struct lwipSocket *socket, enum lwipEvent event)
{
	switch (event) {
		case LWIP_READABLE:
			/* Told already, for a byte that was there before its own signal. */
			if (socket->announced)
				return false;
			/* Read before it was told. */
			if (ringWaiting(&socket->received) == 0) {
				awaitByte(socket);
				return false;
			}
			socket->announced = true;
			return true;
		case LWIP_CLOSED: /* What waits is read first; lwipDrained sets the event anew. */
			return ringWaiting(&socket->received) == 0;
		default:
			return true;
	}
}

/* Each socket is looked at once, whatever comes in meanwhile: for that a message is on its way already. */
bool lwipNext(struct lwipHappening *happening)
{
	for (;;) {
		struct lwipSocket *socket = lwipFind(current);
		while (socket && pending) {
			enum lwipEvent event = pending & -pending;
			pending &= ~(uint32_t)event;
			if (!due(socket, event))
				continue;
			happening->handle = current;
			happening->event = event;
			happening->cause = event == LWIP_CLOSED ? atomic_load_explicit(&socket->ended, memory_order_acquire) : 0;
			return true;
		}
		if (next == LWIP_SOCKETS_MAX)
			return false;
		current = handleOf(next);
		socket = table[next++].socket;
		pending = socket ? atomic_exchange_explicit(&socket->events, 0, memory_order_acq_rel) : 0;
	}
}
