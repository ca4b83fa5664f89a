/* The two kinds of sockets that the stress test uses, as XS's task does. */
#ifndef STRESS_CLIENT_H
#define STRESS_CLIENT_H

#include <time.h>

#include "stress.h"
#include "tcp_connection.h"

#define CLIENTS 10

struct client {
	/* NULL: it has no connection. */
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

struct counts {
	uint64_t bytes, sent, opened, ended, closed, refusedOpens, events, messages, datagrams;
	time_t progress;
};

extern struct client clients[CLIENTS];
extern struct counts counts;
/* Negative: closed. */
extern lwipHandle endpoint;

void equal(const char *what, uint32_t found, uint32_t wanted);
/* One round of a client; `open`: it may connect. */
void act(struct client *client, bool open);
void closeClient(struct client *client);
void happened(struct client *client, const struct lwipHappening *happening);
/* Opens, closes or asks. */
void useEndpoint(void);
void readDatagrams(void);

#endif
