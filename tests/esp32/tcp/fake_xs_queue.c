#include "fake_xs_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "esp_timer.h"
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

/* ---- timers ---- */

struct esp_timer {
	esp_timer_create_args_t arguments;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool running;
	bool stopping;
};

static struct esp_timer *only;

static void *run(void *arg)
{
	struct esp_timer *timer = arg;
	fakeSeed(99);
	pthread_mutex_lock(&timer->lock);
	while (!timer->stopping) {
		if (!timer->running) {
			pthread_cond_wait(&timer->changed, &timer->lock);
			continue;
		}
		pthread_mutex_unlock(&timer->lock);
		usleep(50);
		pthread_mutex_lock(&timer->lock);
		timer->running = false;
		pthread_mutex_unlock(&timer->lock);
		timer->arguments.callback(timer->arguments.arg);
		pthread_mutex_lock(&timer->lock);
	}
	pthread_mutex_unlock(&timer->lock);
	return NULL;
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *arguments, esp_timer_handle_t *handle)
{
	if (fakeFails(FAULT_MESSAGE))
		return ESP_ERR_NO_MEM;
	struct esp_timer *timer = calloc(1, sizeof(*timer));
	timer->arguments = *arguments;
	pthread_mutex_init(&timer->lock, NULL);
	pthread_cond_init(&timer->changed, NULL);
	if (pthread_create(&timer->thread, NULL, run, timer))
		abort();
	only = *handle = timer;
	return ESP_OK;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t microseconds)
{
	(void)microseconds;
	pthread_mutex_lock(&timer->lock);
	esp_err_t result = timer->running ? ESP_ERR_INVALID_STATE : ESP_OK;
	timer->running = true;
	pthread_cond_signal(&timer->changed);
	pthread_mutex_unlock(&timer->lock);
	return result;
}

void fakeTimersStop(void)
{
	if (!only)
		return;
	pthread_mutex_lock(&only->lock);
	only->stopping = true;
	pthread_cond_signal(&only->changed);
	pthread_mutex_unlock(&only->lock);
	pthread_join(only->thread, NULL);
	free(only);
}
