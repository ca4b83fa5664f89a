/* As tcp_connection.c: lwIP is touched in its own task only, by tcpip_api_call. */
#include "udp_endpoint.h"

#include <stddef.h>

#include "lwip/pbuf.h"
#include "lwip/priv/tcpip_priv.h"
#include "lwip/udp.h"

#define PREFIX 2

struct endpoint {
	struct lwipSocket socket;
	/* lwIP's task's. */
	struct udp_pcb *pcb;
};

struct order {
	struct tcpip_api_call_data call;
	struct endpoint *endpoint;
	const ip_addr_t *address;
	const void *bytes;
	uint16_t length;
	uint16_t port;
};

/* ---- in lwIP ---- */

static void received(void *arg, struct udp_pcb *pcb, struct pbuf *chain, const ip_addr_t *address, u16_t port)
{
	struct endpoint *endpoint = arg;
	struct ring *ring = &endpoint->socket.received;
	uint16_t length = chain->tot_len;
	uint32_t offset = PREFIX;
	(void)pcb;
	(void)address;
	(void)port;
	if ((length > 0) && (ringRoom(ring) >= PREFIX + (uint32_t)length)) {
		ringPut(ring, 0, &length, PREFIX);
		for (const struct pbuf *part = chain; part; part = part->next) {
			ringPut(ring, offset, part->payload, part->len);
			offset += part->len;
		}
		ringPublish(ring, offset);
		lwipArrived(&endpoint->socket);
	}
	pbuf_free(chain);
}

static err_t openInLwip(struct tcpip_api_call_data *call)
{
	struct endpoint *endpoint = ((struct order *)call)->endpoint;
	struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
	if (!pcb)
		return ERR_MEM;
	udp_recv(pcb, received, endpoint);
	err_t err = udp_bind(pcb, IP_ANY_TYPE, 0);
	if (err != ERR_OK)
		udp_remove(pcb);
	else
		endpoint->pcb = pcb;
	return err;
}

static err_t writeInLwip(struct tcpip_api_call_data *call)
{
	struct order *order = (struct order *)call;
	struct pbuf *datagram = pbuf_alloc(PBUF_TRANSPORT, order->length, PBUF_RAM);
	if (!datagram)
		return ERR_MEM;
	err_t err = pbuf_take(datagram, order->bytes, order->length);
	if (err == ERR_OK)
		err = udp_sendto(order->endpoint->pcb, datagram, order->address, order->port);
	pbuf_free(datagram);
	return err;
}

static err_t closeInLwip(struct tcpip_api_call_data *call)
{
	udp_remove(((struct order *)call)->endpoint->pcb);
	return ERR_OK;
}

/* ---- XS's task ---- */

lwipHandle udpEndpointOpen(enum lwipCause *cause)
{
	struct order order = {.endpoint = lwipAllocate(sizeof(struct endpoint), UDP_RING)};
	if (!order.endpoint) {
		*cause = LWIP_NO_MEMORY;
		return -1;
	}
	lwipHandle handle = lwipAdd(&order.endpoint->socket);
	if (handle < 0)
		*cause = LWIP_TOO_MANY;
	else if (tcpip_api_call(openInLwip, &order.call) != ERR_OK) {
		*cause = LWIP_NO_MEMORY;
		lwipRemove(handle);
		handle = -1;
	}
	if (handle < 0)
		lwipFree(&order.endpoint->socket);
	return handle;
}

uint32_t udpEndpointWaiting(lwipHandle handle)
{
	struct lwipSocket *socket = lwipFind(handle);
	uint16_t length = 0;
	if (socket && (ringWaiting(&socket->received) > 0))
		ringPeek(&socket->received, &length, PREFIX);
	return length;
}

void udpEndpointRead(lwipHandle handle, void *into, uint32_t length)
{
	struct lwipSocket *socket = lwipFind(handle);
	ringDrop(&socket->received, PREFIX);
	ringPeek(&socket->received, into, length);
	ringDrop(&socket->received, length);
	lwipDrained(socket, false);
}

enum lwipCause udpEndpointWrite(lwipHandle handle, const void *bytes, uint32_t length, const ip_addr_t *address, uint16_t port)
{
	struct order order = {
		.endpoint = (struct endpoint *)lwipFind(handle), .address = address, .bytes = bytes, .length = (uint16_t)length, .port = port};
	if (!order.endpoint || (length > 0xffff))
		return LWIP_FAILED;
	switch (tcpip_api_call(writeInLwip, &order.call)) {
		case ERR_OK:
			return 0;
		case ERR_RTE:
			return LWIP_NO_ROUTE;
		case ERR_MEM:
			return LWIP_NO_MEMORY;
		default:
			return LWIP_FAILED;
	}
}

void udpEndpointClose(lwipHandle handle)
{
	struct order order = {.endpoint = (struct endpoint *)lwipFind(handle)};
	if (!order.endpoint)
		return;
	lwipRemove(handle);
	tcpip_api_call(closeInLwip, &order.call);
	lwipFree(&order.endpoint->socket);
}
