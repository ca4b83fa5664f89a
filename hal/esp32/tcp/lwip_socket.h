/*
 * What TCP connections and UDP endpoints have in common: two tasks, lwIP's own and the one that runs XS.
 *
 * lwIP's task alone touches what belongs to lwIP (control blocks, pbufs). XS's task alone touches the table of sockets.
 * The two share the ring and the atomics of `struct lwipSocket`, and nothing else. XS's task may wait for lwIP's
 * (tcpip_api_call); lwIP's never waits for XS's.
 *
 * A handle is an index and a generation. That of a closed socket finds nothing, also when another one has its place.
 */
#ifndef XSOTA_LWIP_SOCKET_H
#define XSOTA_LWIP_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "ring.h"

/* Sockets open at a time: the agent has two connections, a name look-up and the clock's question. */
#define LWIP_SOCKETS_MAX 8

/* In this order where there are several. */
enum lwipEvent {
	LWIP_OPENED = 1,
	/* Bytes wait. Not told again until they were read down to none. */
	LWIP_READABLE = 2,
	/* There is room again after a write took less than it was given. */
	LWIP_WRITABLE = 4,
	/* The connection has ended and all that had arrived was read. Nothing follows. */
	LWIP_CLOSED = 8,
};

/* Why a connection has ended or can not begin; lwip-sockets.ts has the words. */
enum lwipCause {
	LWIP_PEER_CLOSED = 1,
	LWIP_REFUSED = 2,
	LWIP_RESET = 3,
	LWIP_NO_ROUTE = 4,
	LWIP_TIMED_OUT = 5,
	LWIP_NO_MEMORY = 6,
	LWIP_BAD_ADDRESS = 7,
	LWIP_TOO_MANY = 8,
	LWIP_FAILED = 9,
};

struct lwipSocket {
	struct ring received;
	/* Bits of lwipEvent that XS's task has not taken yet. */
	_Atomic uint32_t events;
	/* The reader found nothing and waits to be told. */
	_Atomic uint32_t readerWaits;
	/* An lwipCause, after the last byte; 0 while the connection lasts. */
	_Atomic uint32_t ended;
	/* XS's task: LWIP_READABLE was told and not all was read since. */
	bool announced;
};

typedef int32_t lwipHandle;

struct lwipHappening {
	lwipHandle handle;
	enum lwipEvent event;
	/* With LWIP_CLOSED. */
	enum lwipCause cause;
};

/* ---- XS's task ---- */

/*
 * Allocates `size` bytes, of which the first are a struct lwipSocket, and a ring behind them. Zeroed. NULL: no memory.
 */
void *lwipAllocate(uint32_t size, uint32_t capacity);
/* Frees what nobody else refers to any more. */
void lwipFree(struct lwipSocket *socket);
/* Negative: the table is full. */
lwipHandle lwipAdd(struct lwipSocket *socket);
/* NULL: it was closed. */
struct lwipSocket *lwipFind(lwipHandle handle);
void lwipRemove(lwipHandle handle);
/*
 * After each read: has a drained socket tell of the next byte, or of its end. `foundEnd`: the reader got less than it
 * asked for, and will not ask again; what has come since is told.
 */
void lwipDrained(struct lwipSocket *socket, bool foundEnd);
/* Called for each message that lwipNotify brings, before lwipNext. */
void lwipBegin(void);
/* The next happening since lwipBegin; false: no more. Sockets may be opened and closed in between. */
bool lwipNext(struct lwipHappening *happening);

/* ---- either task ---- */

void lwipSignal(struct lwipSocket *socket, enum lwipEvent event);

/* ---- lwIP's task ---- */

/* After bytes were published. */
void lwipArrived(struct lwipSocket *socket);
/* After the last byte was published. The first cause counts. */
void lwipEnd(struct lwipSocket *socket, enum lwipCause cause);

/* ---- given by whoever runs XS's task; called from either ---- */

/* Brings XS's task to lwipBegin, soon. Never waits and never fails. */
void lwipNotify(void);

#endif
