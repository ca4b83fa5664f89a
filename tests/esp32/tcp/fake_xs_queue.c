#include "fake_xs_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_lwip.h"
#include "xsHost.h"

#define PLACES 10

struct entry {
	xsMachine *the;
	modMessageDeliver callback;
};

static struct {
	pthread_mutex_t lock;
	struct entry entries[PLACES];
	unsigned first, count;
	int pipe[2];
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .pipe = {-1, -1}};

static int post(struct entry entry)
{
	char byte = 0;
	pthread_mutex_lock(&queue.lock);
	int result = queue.count < PLACES ? 0 : -1;
	if (result == 0) {
		queue.entries[(queue.first + queue.count++) % PLACES] = entry;
		if ((queue.pipe[1] >= 0) && (write(queue.pipe[1], &byte, 1) < 0))
			abort();
	}
	pthread_mutex_unlock(&queue.lock);
	return result;
}

int modMessagePostToMachineFromISR(xsMachine *the, modMessageDeliver callback, void *refcon)
{
	(void)refcon;
	return fakeFails(FAULT_QUEUE) ? -1 : post((struct entry){the, callback});
}

void fakeQueueOther(void)
{
	post((struct entry){NULL, NULL});
}

bool fakeQueueService(void)
{
	struct entry entry = {0};
	pthread_mutex_lock(&queue.lock);
	bool found = queue.count > 0;
	if (found) {
		entry = queue.entries[queue.first];
		queue.first = (queue.first + 1) % PLACES;
		queue.count--;
	}
	pthread_mutex_unlock(&queue.lock);
	if (entry.callback)
		entry.callback(entry.the, NULL, NULL, 0);
	return found;
}

int fakeQueueDescriptor(void)
{
	if ((queue.pipe[0] < 0) && pipe(queue.pipe))
		abort();
	return queue.pipe[0];
}
