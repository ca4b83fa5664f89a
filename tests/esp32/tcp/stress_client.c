/* Clients that compare every byte, and the causes and the order of what they are told. */
#include "stress_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "udp_endpoint.h"

#define PORT_OF(RECORD) ((uint16_t)((RECORD)-records))

uint8_t streams[STREAM_PERIOD + STREAM_PIECE];
struct client clients[CLIENTS];
struct counts counts;
lwipHandle endpoint = -1;

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

void equal(const char *what, uint32_t found, uint32_t wanted)
{
	if (found != wanted)
		stressFails(what, found, wanted);
}

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

void closeClient(struct client *client)
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

void happened(struct client *client, const struct lwipHappening *happening)
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

void readDatagrams(void)
{
	uint8_t bytes[UDP_RING];
	for (uint32_t length; (length = udpEndpointWaiting(endpoint)) > 0; counts.datagrams++) {
		udpEndpointRead(endpoint, bytes, length);
		equal("length of a datagram", length, (uint32_t)(bytes[0] << 8 | bytes[1]));
		sameBytes("of a datagram", bytes + 2, streamAt(length, 0), length - 2);
	}
}

void useEndpoint(void)
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

void act(struct client *client, bool open)
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
