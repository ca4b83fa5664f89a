/*
 * A small lwIP: its task with the mailbox, and the raw API with the rules that a caller can break. Only its own task
 * may call it; a control block is freed before its error callback runs; data that a callback refuses is offered again;
 * a close resets what was not read. What is at the other end of the wire is a `struct fakeLink`.
 */
#ifndef FAKE_LWIP_H
#define FAKE_LWIP_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/tcp.h"
#include "lwip/udp.h"

enum fakeState { FAKE_CLOSED, FAKE_SYN_SENT, FAKE_ESTABLISHED, FAKE_CLOSE_WAIT, FAKE_LINGERING };

struct tcp_pcb {
	struct tcp_pcb *next;
	void *arg;
	tcp_recv_fn recv;
	tcp_sent_fn sent;
	tcp_err_fn err;
	tcp_poll_fn poll;
	tcp_connected_fn connected;
	u8_t interval;
	u8_t ticks;
	enum fakeState state;
	u32_t rcv_wnd;
	struct pbuf *refused;
	u8_t unsent[TCP_SND_BUF];
	u32_t unsentLength;
	/* The link's. */
	void *peer;
};

/* Called in lwIP's task. */
struct fakeLink {
	void (*connect)(struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port);
	/*
	 * The application has let it go. With `reset` it is freed right after; else the link calls fakeGone when all is
	 * sent.
	 */
	void (*closed)(struct tcp_pcb *pcb, bool reset);
	void (*datagram)(struct udp_pcb *pcb, const struct pbuf *datagram, const ip_addr_t *address, u16_t port);
	/* Between two messages: whatever the other ends do. It may wait as long as nothing is in the mailbox. */
	void (*step)(void);
};

void fakeLwipStart(const struct fakeLink *link);
/* Waits until lwIP's task has ended. What is left is freed. */
void fakeLwipStop(void);
/* Aborts the process where it is not lwIP's task that calls. */
void fakeAssertLwip(const char *what);
/* Readable once something is in the mailbox, for a `step` that waits. */
int fakeMailboxDescriptor(void);

/* ---- what links make happen ---- */

struct tcp_pcb *fakeTcpFirst(void);
void fakeConnected(struct tcp_pcb *pcb);
/* Freed, then told. */
void fakeFail(struct tcp_pcb *pcb, err_t err);
/* False: refused for now, or the control block is gone. `beyond`: also more than the window. */
bool fakeDeliver(struct tcp_pcb *pcb, struct pbuf *chain);
bool fakeOfferAgain(struct tcp_pcb *pcb);
void fakeFinish(struct tcp_pcb *pcb);
/* Takes `count` bytes of what is unsent. */
void fakeAcknowledge(struct tcp_pcb *pcb, u32_t count);
void fakeGone(struct tcp_pcb *pcb);
void fakeSlowTimer(void);
void fakeUdpDeliver(struct udp_pcb *pcb, struct pbuf *chain, const ip_addr_t *address, u16_t port);
/* A chain of pieces of at most `piece` bytes. */
struct pbuf *fakeChain(const void *bytes, u32_t length, u32_t piece);

/* ---- faults ---- */

enum fakeFault {
	FAULT_ALLOCATION,
	FAULT_MESSAGE,
	FAULT_MAILBOX,
	FAULT_TCP_PCB,
	FAULT_CONNECT_MEMORY,
	FAULT_CONNECT_ROUTE,
	FAULT_WRITE,
	FAULT_CLOSE,
	FAULT_UDP_PCB,
	FAULT_UDP_BIND,
	FAULT_PBUF,
	FAULT_SEND_ROUTE,
	FAULT_QUEUE,
	FAULTS
};

/* One in so many; 0: never. */
extern u32_t fakeFaultRate[FAULTS];
extern _Atomic u32_t fakeFaultCount[FAULTS];
bool fakeFails(enum fakeFault fault);
/* 0 to `limit` - 1; each task has numbers of its own. */
u32_t fakeRandom(u32_t limit);
void fakeSeed(u32_t seed);

/* Control blocks and pbufs that are allocated. */
extern _Atomic int fakeLive;

#endif
