/*
 * modMessagePostToMachine waits for room in XS's queue, which has 10 places, and XS's task may be waiting for lwIP's at
 * that moment: then neither would go on. Its twin for interrupts never waits, and ESP-IDF's queues take it from a task
 * as well (v6.0, queue.c: the same critical section). Where the queue is full a timer tries again: starting it takes
 * neither memory nor time, and that it runs already is no error.
 */
#include "lwip_notify.h"

#include "esp_timer.h"

#include "lwip_socket.h"

/* us */
#define AGAIN 10000

static xsMachine *machine;
static modMessageDeliver receiver;
static esp_timer_handle_t again;

void lwipNotify(void)
{
	if (modMessagePostToMachineFromISR(machine, receiver, NULL))
		esp_timer_start_once(again, AGAIN);
}

static void notifyAgain(void *unused)
{
	(void)unused;
	lwipNotify();
}

bool lwipNotifyStart(xsMachine *the, modMessageDeliver deliver)
{
	const esp_timer_create_args_t timer = {.callback = notifyAgain, .name = "xs-ota"};
	machine = the;
	receiver = deliver;
	return again || (esp_timer_create(&timer, &again) == ESP_OK);
}
