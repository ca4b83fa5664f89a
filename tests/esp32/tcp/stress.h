/* What the two ends of the stress test know of a connection. The port number names the record. */
#ifndef STRESS_H
#define STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fake_lwip.h"

#define RECORDS 64
/* Slow-timer ticks until a peer that says nothing is given up by lwIP itself. */
#define GIVE_UP_TICKS 40

enum greeting { ACCEPTS, REFUSES, SILENT, GIVEN_UP };
enum ending { FINISHES, RESETS, STALLS };

struct record {
	/* Written by XS's task before it connects. */
	uint32_t seed;
	enum greeting greeting;
	enum ending ending;
	/* Bytes of the peer's stream, and after how many of them it resets. */
	uint32_t total;
	uint32_t resetAt;
	/* The peer does not keep to the window. */
	bool rude;
	/* XS's task, before it closes: bytes that tcpConnectionWrite has taken. */
	_Atomic uint32_t written;
	/* The peer's: bytes that lwIP has delivered and the port accepted. */
	_Atomic uint32_t accepted;
	_Atomic uint32_t received;
	/* The peer has gone for good. */
	_Atomic bool gone;
};

extern struct record records[RECORDS];
extern _Atomic uint64_t segments;
extern const struct fakeLink stressPeers;

/* `STREAM_PIECE` bytes of the stream `seed` (the peer's; ours is that of `seed` + 1) at `position`. */
#define STREAM_PERIOD 65521
#define STREAM_PIECE 8192
extern uint8_t streams[STREAM_PERIOD + STREAM_PIECE];
static inline const uint8_t *streamAt(uint32_t seed, uint32_t position)
{
	/* In 64 bits: where a sum of 32 bits wraps, the stream would jump in the middle of a connection. */
	return streams + ((uint64_t)seed * 40503u + position) % STREAM_PERIOD;
}

/* Does not return where they differ. */
void sameBytes(const char *what, const uint8_t *found, const uint8_t *wanted, uint32_t length);
_Noreturn void stressFails(const char *what, uint32_t found, uint32_t wanted);

#endif
