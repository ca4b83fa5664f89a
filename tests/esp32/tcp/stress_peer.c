/* The other ends: what they send, take, and break. Runs in lwIP's task. */
#include "stress.h"

#include <sched.h>
#include <stddef.h>
#include <string.h>

#define SEGMENT 1460
/* Of a network driver's buffers: a segment is a chain of such pieces. */
#define PIECE_MIN 40

struct record records[RECORDS];
_Atomic uint64_t segments;

static void left(struct record *record)
{
	atomic_store_explicit(&record->gone, true, memory_order_release);
}

static void connectTo(struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port)
{
	(void)address;
	pcb->peer = &records[port];
}

/* Checks `count` bytes of what was sent. */
static void takeSent(struct tcp_pcb *pcb, u32_t count)
{
	struct record *record = pcb->peer;
	uint32_t position = atomic_load_explicit(&record->received, memory_order_relaxed);
	sameBytes("sent", pcb->unsent, streamAt(record->seed + 1, position), count);
	atomic_store_explicit(&record->received, position + count, memory_order_relaxed);
	fakeAcknowledge(pcb, count);
}

static void closed(struct tcp_pcb *pcb, bool reset)
{
	if (reset)
		left(pcb->peer);
}

static void linger(struct tcp_pcb *pcb)
{
	struct record *record = pcb->peer;
	u8_t late[64] = {0};
	if (pcb->unsentLength > 0) {
		takeSent(pcb, pcb->unsentLength);
		/* The peer still talks: nobody may be told. */
		fakeDeliver(pcb, fakeChain(late, sizeof(late), sizeof(late)));
		fakeFinish(pcb);
		return;
	}
	uint32_t written = atomic_load_explicit(&record->written, memory_order_relaxed);
	uint32_t received = atomic_load_explicit(&record->received, memory_order_relaxed);
	if (received != written)
		stressFails("bytes sent before the close", received, written);
	if (fakeRandom(2))
		fakeGone(pcb);
	else
		fakeFail(pcb, ERR_RST);
	left(record);
}

static void fail(struct tcp_pcb *pcb, err_t err)
{
	struct record *record = pcb->peer;
	fakeFail(pcb, err);
	left(record);
}

static void greet(struct tcp_pcb *pcb)
{
	struct record *record = pcb->peer;
	if (record->greeting == ACCEPTS)
		fakeConnected(pcb);
	else if (record->greeting == REFUSES)
		fail(pcb, ERR_RST);
	else if ((record->greeting == GIVEN_UP) && !fakeRandom(50))
		fail(pcb, ERR_ABRT);
}

static void sendSegment(struct tcp_pcb *pcb)
{
	struct record *record = pcb->peer;
	uint32_t at = atomic_load_explicit(&record->accepted, memory_order_relaxed);
	bool accepted;
	u32_t length;
	if (pcb->refused) {
		length = pcb->refused->tot_len;
		accepted = fakeOfferAgain(pcb);
	} else {
		u32_t most = record->rude && !fakeRandom(16) ? SEGMENT : pcb->rcv_wnd;
		if (most > record->total - at)
			most = record->total - at;
		if (most > SEGMENT)
			most = SEGMENT;
		if (most == 0)
			return;
		length = fakeRandom(3) ? 1 + fakeRandom(most) : most;
		pcb->rcv_wnd = length > pcb->rcv_wnd ? 0 : pcb->rcv_wnd - length;
		accepted = fakeDeliver(pcb, fakeChain(streamAt(record->seed, at), length, PIECE_MIN + fakeRandom(SEGMENT)));
	}
	if (!accepted)
		return;
	atomic_store_explicit(&record->accepted, at + length, memory_order_release);
	atomic_fetch_add_explicit(&segments, 1, memory_order_relaxed);
}

static void talk(struct tcp_pcb *pcb)
{
	struct record *record = pcb->peer;
	uint32_t accepted = atomic_load_explicit(&record->accepted, memory_order_relaxed);
	if ((record->ending == RESETS) && (accepted >= record->resetAt)) {
		fail(pcb, fakeRandom(8) ? ERR_RST : ERR_ABRT);
		return;
	}
	if ((pcb->unsentLength > 0) && !fakeRandom(3))
		takeSent(pcb, 1 + fakeRandom(pcb->unsentLength));
	if (accepted < record->total)
		sendSegment(pcb);
	else if ((record->ending == FINISHES) && (pcb->state == FAKE_ESTABLISHED))
		fakeFinish(pcb);
	else if ((pcb->state == FAKE_CLOSE_WAIT) && !fakeRandom(200)) /* A reset after the end changes nothing. */
		fail(pcb, ERR_RST);
}

static void step(void)
{
	static u32_t steps;
	uint64_t before = atomic_load_explicit(&segments, memory_order_relaxed);
	for (struct tcp_pcb *pcb = fakeTcpFirst(), *next; pcb; pcb = next) {
		next = pcb->next;
		if (!fakeRandom(3))
			continue;
		if (pcb->state == FAKE_SYN_SENT)
			greet(pcb);
		else if (pcb->state == FAKE_LINGERING)
			linger(pcb);
		else
			talk(pcb);
	}
	if (++steps % 32 == 0)
		fakeSlowTimer();
	if (atomic_load_explicit(&segments, memory_order_relaxed) == before)
		sched_yield();
}

/* Answers at once, some times too long for the ring and some times in pieces. An answer says its own length. */
static void datagram(struct udp_pcb *pcb, const struct pbuf *question, const ip_addr_t *address, u16_t port)
{
	u8_t bytes[1200];
	(void)question;
	for (u32_t count = fakeRandom(4); count > 0; count--) {
		u32_t length = 2 + fakeRandom(fakeRandom(4) ? 510 : 1198);
		bytes[0] = (u8_t)(length >> 8);
		bytes[1] = (u8_t)length;
		memcpy(bytes + 2, streamAt(length, 0), length - 2);
		fakeUdpDeliver(pcb, fakeChain(bytes, length, PIECE_MIN + fakeRandom(SEGMENT)), address, port);
	}
}

const struct fakeLink stressPeers = {.connect = connectTo, .closed = closed, .datagram = datagram, .step = step};
