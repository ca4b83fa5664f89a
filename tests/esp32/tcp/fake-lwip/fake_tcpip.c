/* lwIP's task, its mailbox, pbufs, and faults. */
#include "fake_lwip.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwip/priv/tcpip_priv.h"

/* CONFIG_LWIP_TCPIP_RECVMBOX_SIZE */
#define MAILBOX 32

struct tcpip_callback_msg {
	tcpip_callback_fn function;
	void *context;
};

struct call {
	tcpip_api_call_fn function;
	struct tcpip_api_call_data *data;
	pthread_cond_t done;
	bool finished;
};

struct message {
	struct call *call;
	struct tcpip_callback_msg *callback;
};

u32_t fakeFaultRate[FAULTS];
_Atomic u32_t fakeFaultCount[FAULTS];
_Atomic int fakeLive;
const ip_addr_t ip_addr_any_type = {.text = "::", .type = IPADDR_TYPE_ANY};

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct message messages[MAILBOX];
	unsigned first, count;
	bool stopping;
	/* A byte is in `wake`. */
	bool woken;
	int wake[2];
	const struct fakeLink *link;
} task = {.lock = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};

static _Thread_local u32_t random32 = 1;
static _Thread_local bool isLwip;

const struct fakeLink *fakeLinkOf(void);

const struct fakeLink *fakeLinkOf(void)
{
	return task.link;
}

void fakeSeed(u32_t seed)
{
	random32 = seed * 2654435761u | 1;
}

u32_t fakeRandom(u32_t limit)
{
	random32 ^= random32 << 13;
	random32 ^= random32 >> 17;
	random32 ^= random32 << 5;
	return random32 % limit;
}

bool fakeFails(enum fakeFault fault)
{
	if (!fakeFaultRate[fault] || fakeRandom(fakeFaultRate[fault]))
		return false;
	atomic_fetch_add(&fakeFaultCount[fault], 1);
	return true;
}

void fakeAssertLwip(const char *what)
{
	if (isLwip)
		return;
	fprintf(stderr, "%s was called outside of lwIP's task\n", what);
	abort();
}

/* ---- mailbox ---- */

static bool post(struct message message, bool wait)
{
	char byte = 0;
	pthread_mutex_lock(&task.lock);
	while (wait && (task.count == MAILBOX))
		pthread_cond_wait(&task.room, &task.lock);
	bool posted = task.count < MAILBOX;
	if (posted)
		task.messages[(task.first + task.count++) % MAILBOX] = message;
	if (posted && !task.woken) {
		task.woken = true;
		if (write(task.wake[1], &byte, 1) < 0)
			abort();
	}
	pthread_mutex_unlock(&task.lock);
	return posted;
}

static bool take(struct message *message)
{
	char byte;
	pthread_mutex_lock(&task.lock);
	bool taken = task.count > 0;
	if (taken) {
		*message = task.messages[task.first];
		task.first = (task.first + 1) % MAILBOX;
		task.count--;
		pthread_cond_signal(&task.room);
	} else if (task.woken) {
		task.woken = false;
		if (read(task.wake[0], &byte, 1) < 0)
			abort();
	}
	pthread_mutex_unlock(&task.lock);
	return taken;
}

static void *run(void *unused)
{
	struct message message;
	(void)unused;
	isLwip = true;
	fakeSeed(4711);
	for (;;) {
		while (take(&message)) {
			if (message.callback) {
				message.callback->function(message.callback->context);
				continue;
			}
			struct call *call = message.call;
			err_t err = call->function(call->data);
			pthread_mutex_lock(&task.lock);
			call->data->err = err;
			call->finished = true;
			pthread_cond_signal(&call->done);
			pthread_mutex_unlock(&task.lock);
		}
		pthread_mutex_lock(&task.lock);
		bool stop = task.stopping && (task.count == 0);
		pthread_mutex_unlock(&task.lock);
		if (stop)
			break;
		task.link->step();
	}
	for (struct tcp_pcb *pcb; (pcb = fakeTcpFirst()) != NULL;)
		fakeGone(pcb);
	return unused;
}

void fakeLwipStart(const struct fakeLink *link)
{
	task.link = link;
	if (pipe(task.wake) || fcntl(task.wake[0], F_SETFL, O_NONBLOCK) || pthread_create(&task.thread, NULL, run, NULL))
		abort();
}

void fakeLwipStop(void)
{
	char byte = 0;
	pthread_mutex_lock(&task.lock);
	task.stopping = true;
	if (write(task.wake[1], &byte, 1) < 0)
		abort();
	pthread_mutex_unlock(&task.lock);
	pthread_join(task.thread, NULL);
}

int fakeMailboxDescriptor(void)
{
	return task.wake[0];
}

struct tcpip_callback_msg *tcpip_callbackmsg_new(tcpip_callback_fn function, void *context)
{
	if (fakeFails(FAULT_MESSAGE))
		return NULL;
	struct tcpip_callback_msg *message = malloc(sizeof(*message));
	message->function = function;
	message->context = context;
	return message;
}

err_t tcpip_callbackmsg_trycallback(struct tcpip_callback_msg *message)
{
	if (fakeFails(FAULT_MAILBOX))
		return ERR_MEM;
	return post((struct message){.callback = message}, false) ? ERR_OK : ERR_MEM;
}

err_t tcpip_api_call(tcpip_api_call_fn function, struct tcpip_api_call_data *data)
{
	struct call call = {.function = function, .data = data, .done = PTHREAD_COND_INITIALIZER};
	post((struct message){.call = &call}, true);
	pthread_mutex_lock(&task.lock);
	while (!call.finished)
		pthread_cond_wait(&call.done, &task.lock);
	pthread_mutex_unlock(&task.lock);
	return data->err;
}

/* ---- addresses and pbufs ---- */

int ipaddr_aton(const char *text, ip_addr_t *address)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF:.");
	if ((digits == 0) || text[digits] || (digits >= sizeof(address->text)))
		return 0;
	strcpy(address->text, text);
	address->type = strchr(text, ':') ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4;
	return 1;
}

static struct pbuf *piece(u16_t length)
{
	struct pbuf *one = malloc(sizeof(*one) + length);
	atomic_fetch_add(&fakeLive, 1);
	*one = (struct pbuf){.payload = one + 1, .len = length, .tot_len = length};
	return one;
}

struct pbuf *fakeChain(const void *bytes, u32_t length, u32_t most)
{
	struct pbuf *first = NULL;
	struct pbuf **link = &first;
	while (length > 0) {
		u16_t count = (u16_t)(length < most ? length : most);
		*link = piece(count);
		memcpy((*link)->payload, bytes, count);
		(*link)->tot_len = (u16_t)length;
		bytes = (const u8_t *)bytes + count;
		length -= count;
		link = &(*link)->next;
	}
	return first;
}

struct pbuf *pbuf_alloc(pbuf_layer layer, u16_t length, pbuf_type type)
{
	(void)layer;
	(void)type;
	fakeAssertLwip("pbuf_alloc");
	return fakeFails(FAULT_PBUF) ? NULL : piece(length);
}

err_t pbuf_take(struct pbuf *chain, const void *bytes, u16_t length)
{
	memcpy(chain->payload, bytes, length);
	return ERR_OK;
}

u8_t pbuf_free(struct pbuf *chain)
{
	u8_t count = 0;
	fakeAssertLwip("pbuf_free");
	for (struct pbuf *next; chain; chain = next, count++) {
		next = chain->next;
		free(chain);
		atomic_fetch_sub(&fakeLive, 1);
	}
	return count;
}
