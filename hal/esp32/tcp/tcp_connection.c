/*
 * lwIP is touched in lwIP's own task only: XS's task has its work done there, by tcpip_api_call, which waits, or by a
 * message that is allocated once. With CONFIG_LWIP_TCPIP_CORE_LOCKING (off in ESP-IDF v6.0 unless set) tcpip_api_call
 * runs in XS's task and holds lwIP's lock; the functions marked "in lwIP" then still never run at the same time, which
 * is all that they need.
 */
#include "tcp_connection.h"

#include <stddef.h>

#include "lwip/priv/tcpip_priv.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"

/* lwIP calls `polled` so often: every second, in its slow timer's ticks of 500 ms. */
#define POLL_TICKS 2
/*
 * lwIP tells the peer of a wider window in steps of a quarter (TCP_WND_UPDATE_THRESHOLD): before that there is no point
 * in asking it to.
 */
#define WINDOW_STEP (TCP_WND / 4)

struct connection {
	struct lwipSocket socket;
	/* The rest up to `unreported` is lwIP's task's. NULL: lwIP has freed it. */
	struct tcp_pcb *pcb;
	struct connection *next;
	/* Position in the ring up to which the peer's window was opened again. */
	uint32_t reopened;
	uint8_t polls;
	bool connected;
	/* The last write took less than it was given. */
	bool blocked;
	/* XS's task: read since the window was last asked to open. */
	uint32_t unreported;
};

/* In lwIP: all that are open. */
static struct connection *connections;
/* The message that has lwIP's task open windows, and whether it is on its way. It is never freed. */
static struct tcpip_callback_msg *opener;
static _Atomic uint32_t opening;

/* ---- in lwIP ---- */

static void openWindow(struct connection *connection)
{
	struct ring *ring = &connection->socket.received;
	uint32_t position = ringRead(ring);
	uint32_t count = ringDistance(ring, connection->reopened, position);
	connection->reopened = position;
	while (count > 0) {
		u16_t step = count > 0xffff ? 0xffff : (u16_t)count;
		tcp_recved(connection->pcb, step);
		count -= step;
	}
}

static void openWindows(void *unused)
{
	(void)unused;
	atomic_exchange_explicit(&opening, 0, memory_order_acq_rel);
	for (struct connection *each = connections; each; each = each->next)
		if (each->pcb)
			openWindow(each);
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *chain, err_t err)
{
	struct connection *connection = arg;
	struct ring *ring = &connection->socket.received;
	uint32_t offset = 0;
	(void)pcb;
	(void)err;
	if (!chain) {
		lwipEnd(&connection->socket, LWIP_PEER_CLOSED);
		return ERR_OK;
	}
	/* More than the window that was given: lwIP keeps it and offers it again. */
	if (ringRoom(ring) < chain->tot_len)
		return ERR_MEM;
	for (const struct pbuf *part = chain; part; part = part->next) {
		ringPut(ring, offset, part->payload, part->len);
		offset += part->len;
	}
	ringPublish(ring, offset);
	pbuf_free(chain);
	lwipArrived(&connection->socket);
	openWindow(connection);
	return ERR_OK;
}

static void tellRoom(struct connection *connection)
{
	if (!connection->blocked || (tcp_sndbuf(connection->pcb) == 0))
		return;
	connection->blocked = false;
	lwipSignal(&connection->socket, LWIP_WRITABLE);
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t length)
{
	(void)pcb;
	(void)length;
	tellRoom(arg);
	return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct connection *connection = arg;
	(void)pcb;
	(void)err;
	connection->connected = true;
	lwipSignal(&connection->socket, LWIP_OPENED);
	return ERR_OK;
}

/* lwIP has freed the control block. */
static void failed(void *arg, err_t err)
{
	struct connection *connection = arg;
	enum lwipCause cause = LWIP_FAILED;
	connection->pcb = NULL;
	if (err == ERR_RST)
		cause = connection->connected ? LWIP_RESET : LWIP_REFUSED;
	else if (err == ERR_ABRT) /* The retransmissions are used up (tcp_slowtmr), or there are too many blocks (tcp_kill_prio). */
		cause = LWIP_TIMED_OUT;
	lwipEnd(&connection->socket, cause);
}

/* After it lwIP calls nothing of ours. */
static void detach(struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
}

static err_t polled(void *arg, struct tcp_pcb *pcb)
{
	struct connection *connection = arg;
	if (connection->connected) {
		/*
		 * The message for it may not have got through, and a write may have failed for want of memory with nothing left
		 * to be sent.
		 */
		openWindow(connection);
		tellRoom(connection);
		return ERR_OK;
	}
	if (++connection->polls < TCP_CONNECT_SECONDS)
		return ERR_OK;
	detach(pcb);
	connection->pcb = NULL;
	tcp_abort(pcb);
	lwipEnd(&connection->socket, LWIP_TIMED_OUT);
	return ERR_ABRT;
}

/* For tcpip_api_call: what is to be done, and with what result. */
struct order {
	struct tcpip_api_call_data call;
	struct connection *connection;
	const ip_addr_t *address;
	const void *bytes;
	uint32_t length;
	uint16_t port;
};

static err_t openInLwip(struct tcpip_api_call_data *call)
{
	struct order *order = (struct order *)call;
	struct connection *connection = order->connection;
	struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(order->address));
	if (!pcb)
		return ERR_MEM;
	tcp_arg(pcb, connection);
	tcp_recv(pcb, received);
	tcp_sent(pcb, sent);
	tcp_err(pcb, failed);
	tcp_poll(pcb, polled, POLL_TICKS);
	tcp_nagle_disable(pcb);
	err_t err = tcp_connect(pcb, order->address, order->port, connected);
	if (err != ERR_OK) {
		detach(pcb);
		if (tcp_close(pcb) != ERR_OK)
			tcp_abort(pcb);
		return err;
	}
	connection->pcb = pcb;
	connection->next = connections;
	connections = connection;
	return ERR_OK;
}

static err_t writeInLwip(struct tcpip_api_call_data *call)
{
	struct order *order = (struct order *)call;
	struct connection *connection = order->connection;
	struct tcp_pcb *pcb = connection->pcb;
	uint32_t taken = 0;
	if (pcb && connection->connected) {
		uint32_t count = order->length;
		if (count > tcp_sndbuf(pcb))
			count = tcp_sndbuf(pcb);
		if (count > 0xffff)
			count = 0xffff;
		/* Out of memory for so much: less may do. */
		while ((count > 0) && (tcp_write(pcb, order->bytes, (u16_t)count, TCP_WRITE_FLAG_COPY) != ERR_OK))
			count /= 2;
		taken = count;
		connection->blocked = taken < order->length;
		/* What it can not send now, lwIP sends later by itself. */
		tcp_output(pcb);
	}
	order->length = taken;
	return ERR_OK;
}

static err_t closeInLwip(struct tcpip_api_call_data *call)
{
	struct connection *connection = ((struct order *)call)->connection;
	struct tcp_pcb *pcb = connection->pcb;
	struct connection **link = &connections;
	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	if (pcb) {
		/* lwIP resets a connection that is closed while bytes of its window are unread. */
		openWindow(connection);
		detach(pcb);
		if (tcp_close(pcb) != ERR_OK)
			tcp_abort(pcb);
	}
	return ERR_OK;
}

/* ---- XS's task ---- */

static enum lwipCause causeOf(err_t err)
{
	switch (err) {
		case ERR_RTE:
			return LWIP_NO_ROUTE;
		case ERR_MEM:
		case ERR_BUF:
			return LWIP_NO_MEMORY;
		default:
			return LWIP_FAILED;
	}
}

uint32_t tcpConnectionWindow(void)
{
	return TCP_WND;
}

lwipHandle tcpConnectionOpen(const ip_addr_t *address, uint16_t port, enum lwipCause *cause)
{
	if (!opener)
		opener = tcpip_callbackmsg_new(openWindows, NULL);
	struct connection *connection = opener ? lwipAllocate(sizeof(struct connection), TCP_WND) : NULL;
	if (!connection) {
		*cause = LWIP_NO_MEMORY;
		return -1;
	}
	lwipHandle handle = lwipAdd(&connection->socket);
	if (handle < 0) {
		lwipFree(&connection->socket);
		*cause = LWIP_TOO_MANY;
		return -1;
	}
	struct order order = {.connection = connection, .address = address, .port = port};
	err_t err = tcpip_api_call(openInLwip, &order.call);
	if (err != ERR_OK) {
		lwipRemove(handle);
		lwipFree(&connection->socket);
		*cause = causeOf(err);
		return -1;
	}
	return handle;
}

uint32_t tcpConnectionRead(lwipHandle handle, void *into, uint32_t length)
{
	struct connection *connection = (struct connection *)lwipFind(handle);
	if (!connection)
		return 0;
	uint32_t count = ringWaiting(&connection->socket.received);
	bool foundEnd = count < length;
	if (!foundEnd)
		count = length;
	if (count == 0)
		return 0;
	ringPeek(&connection->socket.received, into, count);
	ringDrop(&connection->socket.received, count);
	lwipDrained(&connection->socket, foundEnd);
	connection->unreported += count;
	if (connection->unreported >= WINDOW_STEP) {
		connection->unreported = 0;
		/* Where lwIP's mailbox is full, the next segment or `polled` does it. */
		if (!atomic_exchange_explicit(&opening, 1, memory_order_acq_rel) && (tcpip_callbackmsg_trycallback(opener) != ERR_OK))
			atomic_store_explicit(&opening, 0, memory_order_release);
	}
	return count;
}

uint32_t tcpConnectionWrite(lwipHandle handle, const void *bytes, uint32_t length)
{
	struct order order = {.connection = (struct connection *)lwipFind(handle), .bytes = bytes, .length = length};
	if (!order.connection || (length == 0))
		return 0;
	tcpip_api_call(writeInLwip, &order.call);
	return order.length;
}

void tcpConnectionClose(lwipHandle handle)
{
	struct order order = {.connection = (struct connection *)lwipFind(handle)};
	if (!order.connection)
		return;
	lwipRemove(handle);
	tcpip_api_call(closeInLwip, &order.call);
	/* lwIP refers to it no more, and XS's task has let it go. */
	lwipFree(&order.connection->socket);
}
