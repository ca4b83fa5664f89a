/*
 * The port's TCP and UDP between two tasks: connections that are opened, read in bursts, written to and closed at any moment, against peers that finish, reset, refuse, say
 * nothing and overrun the window, while each allocation and each message may fail. Every byte is compared, every end must come after the
 * last byte that was accepted, and in the end nothing may be left.
 *
 *     stress SEGMENTS [SEED]      one JSON line; status 1 and a line on stderr where something is wrong
 */
#include "stress.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake_xs_queue.h"
#include "lwip_notify.h"
#include "tcp_connection.h"
#include "udp_endpoint.h"

/* Seconds without any event or byte after which the port hangs. */
#ifndef HANGS
#define HANGS 60
#endif
#define CLIENTS 10
#define PORT_OF(RECORD) ((uint16_t)((RECORD)-records))

struct client {
	struct record *record;
	lwipHandle handle;
	uint32_t position;
	/* It is closed after so many bytes; UINT32_MAX: at its end. */
	uint32_t closeAt;
	/* Rounds to do nothing. */
	uint32_t pause;
	bool opened;
	bool readable;
	/* Has read since it was told. */
	bool hasRead;
	bool blocked;
};

uint8_t streams[STREAM_PERIOD + STREAM_PIECE];
static struct client clients[CLIENTS];
static lwipHandle endpoint = -1;
static struct {
	uint64_t bytes, sent, opened, ended, closed, refusedOpens, events, messages, datagrams;
	time_t progress;
} counts;
static _Atomic int blocks;

void stressFails(const char *what, uint32_t found, uint32_t wanted)
{
	fprintf(stderr, "%s: found %u, wanted %u\n", what, found, wanted);
	_Exit(1);
}

void sameBytes(const char *what, const uint8_t *found, const uint8_t *wanted, uint32_t length)
{
	if (memcmp(found, wanted, length) == 0)
		return;
	for (uint32_t i = 0; i < length; i++) {
		if (found[i] == wanted[i])
			continue;
		fprintf(stderr, "byte %u of %u %s: found %u, wanted %u\n", i, length, what, found[i], wanted[i]);
		_Exit(1);
	}
}

static void equal(const char *what, uint32_t found, uint32_t wanted)
{
	if (found != wanted)
		stressFails(what, found, wanted);
}

void *fakeCalloc(size_t count, size_t size)
{
	if (fakeFails(FAULT_ALLOCATION))
		return NULL;
	blocks++;
	return calloc(count, size);
}

void fakeFree(void *block)
{
	blocks--;
	free(block);
}

/* ---- clients ---- */

static struct record *freeRecord(void)
{
	for (uint32_t tries = 0; tries < RECORDS; tries++) {
		struct record *record = &records[fakeRandom(RECORDS)];
		if (!atomic_load_explicit(&record->gone, memory_order_acquire))
			continue;
		for (struct client *client = clients; client < clients + CLIENTS; client++)
			if (client->record == record)
				record = NULL;
		if (record)
			return record;
	}
	return NULL;
}

static void openClient(struct client *client)
{
	static const enum greeting greetings[] = {REFUSES, SILENT, GIVEN_UP};
	struct record *record = freeRecord();
	ip_addr_t address;
	enum lwipCause cause = 0;
	if (!record)
		return;
	record->seed = fakeRandom(1u << 30);
	record->greeting = fakeRandom(8) ? ACCEPTS : greetings[fakeRandom(3)];
	record->ending = (enum ending)fakeRandom(3);
	record->total = fakeRandom(fakeRandom(4) ? 20000 : 300000);
	record->resetAt = record->total ? fakeRandom(record->total) : 0;
	record->rude = fakeRandom(4) == 0;
	record->written = record->accepted = record->received = 0;
	record->gone = false;
	equal("address", ipaddr_aton(fakeRandom(2) ? "192.0.2.1" : "2001:db8::1", &address), 1);
	lwipHandle handle = tcpConnectionOpen(&address, PORT_OF(record), &cause);
	if (handle < 0) {
		if ((cause != LWIP_NO_MEMORY) && (cause != LWIP_NO_ROUTE) && (cause != LWIP_TOO_MANY))
			stressFails("cause of a failed open", cause, LWIP_NO_MEMORY);
		record->gone = true;
		client->pause = 200;
		counts.refusedOpens++;
		return;
	}
	*client = (struct client){.record = record, .handle = handle, .closeAt = UINT32_MAX};
	/* A peer that stalls is closed by us; others at any moment, or never. */
	if ((record->ending == STALLS) || !fakeRandom(3))
		client->closeAt = record->total ? fakeRandom(record->total) : 0;
	counts.opened++;
}

static void closeClient(struct client *client)
{
	uint8_t byte = 0;
	tcpConnectionClose(client->handle);
	tcpConnectionClose(client->handle);
	equal("read after close", tcpConnectionRead(client->handle, &byte, 1), 0);
	equal("write after close", tcpConnectionWrite(client->handle, &byte, 1), 0);
	client->record = NULL;
	counts.closed++;
}

static void readClient(struct client *client)
{
	static uint8_t bytes[STREAM_PIECE];
	uint32_t wanted = 1 + fakeRandom(fakeRandom(2) ? sizeof(bytes) : 700);
	uint32_t count = tcpConnectionRead(client->handle, bytes, wanted);
	sameBytes("received", bytes, streamAt(client->record->seed, client->position), count);
	client->position += count;
	client->hasRead = true;
	counts.bytes += count;
	if (count == 0)
		client->readable = false;
	else
		counts.progress = time(NULL);
}

static void writeClient(struct client *client)
{
	uint32_t wanted = 1 + fakeRandom(STREAM_PIECE);
	uint32_t at = client->record->written;
	uint32_t taken = tcpConnectionWrite(client->handle, streamAt(client->record->seed + 1, at), wanted);
	if (taken > wanted)
		stressFails("bytes taken", taken, wanted);
	client->record->written = at + taken;
	client->blocked = taken < wanted;
	counts.sent += taken;
}

static void ended(struct client *client, enum lwipCause cause)
{
	struct record *record = client->record;
	equal("bytes before the end", client->position, atomic_load_explicit(&record->accepted, memory_order_acquire));
	if (record->greeting == REFUSES)
		equal("cause of a refusal", cause, LWIP_REFUSED);
	else if (record->greeting != ACCEPTS)
		equal("cause of a silence", cause, LWIP_TIMED_OUT);
	else if (record->ending == FINISHES)
		equal("cause of a finished stream", cause, LWIP_PEER_CLOSED);
	else if (cause != LWIP_TIMED_OUT)
		equal("cause of a reset", cause, LWIP_RESET);
	if (cause == LWIP_PEER_CLOSED)
		equal("bytes of a finished stream", client->position, record->total);
	counts.ended++;
	closeClient(client);
}

static void happened(struct client *client, const struct lwipHappening *happening)
{
	switch (happening->event) {
		case LWIP_OPENED:
			equal("opened before", client->opened, false);
			client->opened = true;
			break;
		case LWIP_READABLE:
			equal("told before it was read", client->readable && !client->hasRead, false);
			client->readable = true;
			client->hasRead = false;
			break;
		case LWIP_WRITABLE:
			client->blocked = false;
			break;
		case LWIP_CLOSED:
			ended(client, happening->cause);
			break;
	}
}

/* ---- the endpoint ---- */

static void readDatagrams(void)
{
	uint8_t bytes[UDP_RING];
	for (uint32_t length; (length = udpEndpointWaiting(endpoint)) > 0; counts.datagrams++) {
		udpEndpointRead(endpoint, bytes, length);
		equal("length of a datagram", length, (uint32_t)(bytes[0] << 8 | bytes[1]));
		sameBytes("of a datagram", bytes + 2, streamAt(length, 0), length - 2);
	}
}

static void useEndpoint(void)
{
	uint8_t question[100] = {0};
	ip_addr_t address;
	enum lwipCause cause;
	if (endpoint < 0) {
		endpoint = udpEndpointOpen(&cause);
	} else if (fakeRandom(4)) {
		ipaddr_aton("192.0.2.53", &address);
		udpEndpointWrite(endpoint, question, sizeof(question), &address, 53);
	} else {
		udpEndpointClose(endpoint);
		udpEndpointClose(endpoint);
		equal("datagram after close", udpEndpointWaiting(endpoint), 0);
		endpoint = -1;
	}
}

/* ---- XS's task ---- */

static void deliver(void *the, void *refcon, uint8_t *message, uint16_t length)
{
	struct lwipHappening happening;
	(void)the, (void)refcon, (void)message, (void)length;
	counts.messages++;
	lwipBegin();
	while (lwipNext(&happening)) {
		struct client *client = clients;
		counts.events++;
		counts.progress = time(NULL);
		if (happening.handle == endpoint) {
			readDatagrams();
			continue;
		}
		while ((client < clients + CLIENTS) && (!client->record || (client->handle != happening.handle)))
			client++;
		if (client == clients + CLIENTS)
			stressFails("event of a closed handle", (uint32_t)happening.event, 0);
		happened(client, &happening);
		/* What is called back may close another. */
		if (!fakeRandom(64) && clients[0].record && (clients[0].closeAt != UINT32_MAX))
			closeClient(&clients[0]);
	}
}

static void act(struct client *client, bool open)
{
	if (client->pause > 0) {
		client->pause--;
		return;
	}
	if (!client->record) {
		if (open)
			openClient(client);
		return;
	}
	if (!fakeRandom(200))
		client->pause = fakeRandom(2000);
	if ((client->position >= client->closeAt) && !fakeRandom(20)) {
		closeClient(client);
		return;
	}
	if (client->readable)
		readClient(client);
	if (client->opened && !client->blocked && !fakeRandom(8))
		writeClient(client);
}

static void report(time_t start)
{
	static const char *names[] = {"allocation", "message", "mailbox", "tcp_pcb", "connect_memory", "connect_route", "write", "close", "udp_pcb", "udp_bind",
		"pbuf", "send_route", "queue"};
	printf("{\"segments\":%llu,\"bytes\":%llu,\"sent\":%llu,\"opened\":%llu,\"ended\":%llu,\"closed\":%llu,\"refusedOpens\":%llu,\"events\":%llu,\"messages\":%llu,"
		"\"datagrams\":%llu,\"seconds\":%ld,\"faults\":{",
		(unsigned long long)segments, (unsigned long long)counts.bytes, (unsigned long long)counts.sent, (unsigned long long)counts.opened,
		(unsigned long long)counts.ended, (unsigned long long)counts.closed, (unsigned long long)counts.refusedOpens, (unsigned long long)counts.events,
		(unsigned long long)counts.messages, (unsigned long long)counts.datagrams, (long)(time(NULL) - start));
	for (int fault = 0; fault < FAULTS; fault++)
		printf("%s\"%s\":%u", fault ? "," : "", names[fault], (unsigned)fakeFaultCount[fault]);
	printf("}}\n");
}

/* What is allocated once fails at its first attempt; an application tries again. */
static void startFailing(void)
{
	ip_addr_t address;
	enum lwipCause cause = 0;
	ipaddr_aton("192.0.2.1", &address);
	fakeFaultRate[FAULT_MESSAGE] = 1;
	equal("start without memory", lwipNotifyStart(NULL, deliver), false);
	equal("connection without memory", tcpConnectionOpen(&address, 0, &cause) < 0, true);
	equal("its cause", cause, LWIP_NO_MEMORY);
	fakeFaultRate[FAULT_MESSAGE] = 0;
	equal("start", lwipNotifyStart(NULL, deliver), true);
	for (int fault = 0; fault < FAULTS; fault++)
		if (fault != FAULT_MESSAGE)
			fakeFaultRate[fault] = 40;
}

int main(int argc, char **argv)
{
	uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
	time_t start = time(NULL);
	bool open = true;
	uint32_t busy;
	uint64_t moved;
	fakeSeed(argc > 2 ? (u32_t)strtoul(argv[2], NULL, 10) : 1);
	for (uint32_t i = 0; i < STREAM_PERIOD; i++)
		streams[i] = (uint8_t)fakeRandom(256);
	memcpy(streams + STREAM_PERIOD, streams, STREAM_PIECE);
	for (uint32_t i = 0; i < RECORDS; i++)
		records[i].gone = true;
	startFailing();
	fakeLwipStart(&stressPeers);
	counts.progress = start;
	do {
		open = open && (atomic_load(&segments) < wanted);
		while (fakeRandom(4) && fakeQueueService())
			;
		if (!fakeRandom(16))
			fakeQueueOther();
		if (!fakeRandom(4))
			useEndpoint();
		busy = 0;
		moved = counts.bytes + counts.events;
		for (struct client *client = clients; client < clients + CLIENTS; client++) {
			act(client, open);
			busy += client->record != NULL;
			if (!open && client->record && (client->record->ending == STALLS))
				closeClient(client);
		}
		if (counts.bytes + counts.events > moved)
			continue;
		sched_yield();
		if (time(NULL) - counts.progress > HANGS)
			stressFails("connections that hang", busy, 0);
	} while (open || (busy > 0));
	udpEndpointClose(endpoint);
	fakeLwipStop();
	fakeTimersStop();
	equal("control blocks and pbufs left", (uint32_t)fakeLive, 0);
	equal("blocks left", (uint32_t)blocks, 0);
	for (int fault = 0; fault < FAULTS; fault++)
		if (fakeFaultCount[fault] == 0)
			stressFails("a fault that never happened", (uint32_t)fault, FAULTS);
	report(start);
	return 0;
}
