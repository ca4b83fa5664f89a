/*
 * A ring of bytes between two tasks: one writes (the producer), one reads (the consumer), and neither waits or takes a
 * lock. The producer's task owns `head`, the consumer's owns `tail`; each publishes its own with release and reads the
 * other's with acquire (C11, 7.17.3), so that a byte is written before it counts as there, and read before its place
 * counts as free. One place stays empty, to tell full from empty.
 */
#ifndef XSOTA_RING_H
#define XSOTA_RING_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

struct ring {
	uint8_t *bytes;
	/* Of `bytes`: one more than the ring holds. */
	uint32_t size;
	/* Positions in `bytes`. */
	_Atomic uint32_t head;
	_Atomic uint32_t tail;
};

/* `bytes`: `capacity` + 1 of them. */
static inline void ringInit(struct ring *ring, uint8_t *bytes, uint32_t capacity)
{
	ring->bytes = bytes;
	ring->size = capacity + 1;
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
}

/* Bytes from position `from` up to position `to`. */
static inline uint32_t ringDistance(const struct ring *ring, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + ring->size - from;
}

static inline uint32_t ringAfter(const struct ring *ring, uint32_t position, uint32_t count)
{
	position += count;
	return position >= ring->size ? position - ring->size : position;
}

/* ---- the producer ---- */

static inline uint32_t ringRoom(struct ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	return ring->size - 1 - ringDistance(ring, atomic_load_explicit(&ring->tail, memory_order_acquire), head);
}

/* Position up to which the consumer has read. */
static inline uint32_t ringRead(struct ring *ring)
{
	return atomic_load_explicit(&ring->tail, memory_order_relaxed);
}

/*
 * Puts bytes `offset` behind the last published one. The consumer does not see them yet. The caller has asked for the
 * room.
 */
static inline void ringPut(struct ring *ring, uint32_t offset, const void *bytes, uint32_t count)
{
	uint32_t at = ringAfter(ring, atomic_load_explicit(&ring->head, memory_order_relaxed), offset);
	uint32_t first = ring->size - at;
	if (first > count)
		first = count;
	memcpy(ring->bytes + at, bytes, first);
	memcpy(ring->bytes, (const uint8_t *)bytes + first, count - first);
}

static inline void ringPublish(struct ring *ring, uint32_t count)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	atomic_store_explicit(&ring->head, ringAfter(ring, head, count), memory_order_release);
}

/* ---- the consumer ---- */

static inline uint32_t ringWaiting(struct ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	return ringDistance(ring, tail, atomic_load_explicit(&ring->head, memory_order_acquire));
}

/* Copies the next `count` bytes. The caller has asked how many wait. */
static inline void ringPeek(struct ring *ring, void *into, uint32_t count)
{
	uint32_t at = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint32_t first = ring->size - at;
	if (first > count)
		first = count;
	memcpy(into, ring->bytes + at, first);
	memcpy((uint8_t *)into + first, ring->bytes, count - first);
}

static inline void ringDrop(struct ring *ring, uint32_t count)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	atomic_store_explicit(&ring->tail, ringAfter(ring, tail, count), memory_order_release);
}

#endif
