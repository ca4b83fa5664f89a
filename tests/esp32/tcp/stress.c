/*
 * The port's TCP and UDP between two tasks: connections that are opened, read in bursts, written to and closed at any
 * moment, against peers that finish, reset, refuse, say nothing and overrun the window, while each allocation and each
 * message may fail. Every byte is compared, every end must come after the last byte that was accepted, and in the end
 * nothing may be left.
 *
 *     stress SEGMENTS [SEED]      one JSON line; status 1 and a line on stderr where something is wrong
 */
#include "stress_client.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_esp_timer.h"
#include "fake_xs_queue.h"
#include "lwip_notify.h"
#include "udp_endpoint.h"

/* Seconds without any event or byte after which the port hangs. */
#define HANGS 60

static _Atomic int blocks;

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
