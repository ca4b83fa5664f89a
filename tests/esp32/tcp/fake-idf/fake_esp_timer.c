/* One timer, in a task of its own. */
#include "fake_esp_timer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_lwip.h"

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
