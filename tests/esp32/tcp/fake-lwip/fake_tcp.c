/* TCP and UDP control blocks. */
#include "fake_lwip.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const struct fakeLink *fakeLinkOf(void);

static struct tcp_pcb *active;

/* ---- TCP, for the application ---- */

struct tcp_pcb *tcp_new_ip_type(u8_t type)
{
	(void)type;
	fakeAssertLwip("tcp_new");
	if (fakeFails(FAULT_TCP_PCB))
		return NULL;
	struct tcp_pcb *pcb = calloc(1, sizeof(*pcb));
	atomic_fetch_add(&fakeLive, 1);
	pcb->rcv_wnd = TCP_WND;
	return pcb;
}

static void release(struct tcp_pcb *pcb)
{
	for (struct tcp_pcb **link = &active; *link; link = &(*link)->next) {
		if (*link == pcb) {
			*link = pcb->next;
			break;
		}
	}
	if (pcb->refused)
		pbuf_free(pcb->refused);
	free(pcb);
	atomic_fetch_sub(&fakeLive, 1);
}

void tcp_arg(struct tcp_pcb *pcb, void *arg)
{
	fakeAssertLwip("tcp_arg");
	pcb->arg = arg;
}

void tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn function)
{
	fakeAssertLwip("tcp_recv");
	pcb->recv = function;
}

void tcp_sent(struct tcp_pcb *pcb, tcp_sent_fn function)
{
	fakeAssertLwip("tcp_sent");
	pcb->sent = function;
}

void tcp_err(struct tcp_pcb *pcb, tcp_err_fn function)
{
	fakeAssertLwip("tcp_err");
	pcb->err = function;
}

void tcp_poll(struct tcp_pcb *pcb, tcp_poll_fn function, u8_t interval)
{
	fakeAssertLwip("tcp_poll");
	pcb->poll = function;
	pcb->interval = interval;
}

void tcp_nagle_disable(struct tcp_pcb *pcb)
{
	(void)pcb;
	fakeAssertLwip("tcp_nagle_disable");
}

err_t tcp_connect(struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port, tcp_connected_fn function)
{
	fakeAssertLwip("tcp_connect");
	if (fakeFails(FAULT_CONNECT_ROUTE))
		return ERR_RTE;
	if (fakeFails(FAULT_CONNECT_MEMORY))
		return ERR_MEM;
	pcb->connected = function;
	pcb->state = FAKE_SYN_SENT;
	pcb->next = active;
	active = pcb;
	fakeLinkOf()->connect(pcb, address, port);
	return ERR_OK;
}

void tcp_recved(struct tcp_pcb *pcb, u16_t length)
{
	fakeAssertLwip("tcp_recved");
	pcb->rcv_wnd += length;
	if (pcb->rcv_wnd > TCP_WND)
		pcb->rcv_wnd = TCP_WND;
}

u32_t tcp_sndbuf(const struct tcp_pcb *pcb)
{
	fakeAssertLwip("tcp_sndbuf");
	return TCP_SND_BUF - pcb->unsentLength;
}

err_t tcp_write(struct tcp_pcb *pcb, const void *bytes, u16_t length, u8_t flags)
{
	(void)flags;
	fakeAssertLwip("tcp_write");
	if ((length > tcp_sndbuf(pcb)) || fakeFails(FAULT_WRITE))
		return ERR_MEM;
	if ((pcb->state != FAKE_ESTABLISHED) && (pcb->state != FAKE_CLOSE_WAIT))
		return ERR_CONN;
	memcpy(pcb->unsent + pcb->unsentLength, bytes, length);
	pcb->unsentLength += length;
	return ERR_OK;
}

err_t tcp_output(struct tcp_pcb *pcb)
{
	(void)pcb;
	fakeAssertLwip("tcp_output");
	return ERR_OK;
}

err_t tcp_close(struct tcp_pcb *pcb)
{
	fakeAssertLwip("tcp_close");
	if (pcb->state == FAKE_CLOSED) {
		release(pcb);
		return ERR_OK;
	}
	bool unread = pcb->refused || (pcb->rcv_wnd != TCP_WND);
	if ((pcb->state == FAKE_SYN_SENT) || unread) {
		fakeLinkOf()->closed(pcb, true);
		release(pcb);
		return ERR_OK;
	}
	if (fakeFails(FAULT_CLOSE))
		return ERR_MEM;
	pcb->state = FAKE_LINGERING;
	fakeLinkOf()->closed(pcb, false);
	return ERR_OK;
}

void tcp_abort(struct tcp_pcb *pcb)
{
	fakeAssertLwip("tcp_abort");
	tcp_err_fn function = pcb->err;
	void *arg = pcb->arg;
	fakeLinkOf()->closed(pcb, true);
	release(pcb);
	if (function)
		function(arg, ERR_ABRT);
}

/* ---- TCP, for the link ---- */

struct tcp_pcb *fakeTcpFirst(void)
{
	return active;
}

void fakeConnected(struct tcp_pcb *pcb)
{
	pcb->state = FAKE_ESTABLISHED;
	pcb->connected(pcb->arg, pcb, ERR_OK);
}

void fakeFail(struct tcp_pcb *pcb, err_t err)
{
	tcp_err_fn function = pcb->err;
	void *arg = pcb->arg;
	release(pcb);
	if (function)
		function(arg, err);
}

bool fakeOfferAgain(struct tcp_pcb *pcb)
{
	struct pbuf *chain = pcb->refused;
	pcb->refused = NULL;
	return fakeDeliver(pcb, chain);
}

bool fakeDeliver(struct tcp_pcb *pcb, struct pbuf *chain)
{
	if (!pcb->recv) { /* tcp_recv_null */
		pbuf_free(chain);
		return true;
	}
	switch (pcb->recv(pcb->arg, pcb, chain, ERR_OK)) {
		case ERR_OK:
			return true;
		case ERR_ABRT:
			return false;
		default:
			pcb->refused = chain;
			return false;
	}
}

void fakeFinish(struct tcp_pcb *pcb)
{
	if (pcb->state == FAKE_ESTABLISHED)
		pcb->state = FAKE_CLOSE_WAIT;
	if (pcb->recv)
		pcb->recv(pcb->arg, pcb, NULL, ERR_OK);
}

void fakeAcknowledge(struct tcp_pcb *pcb, u32_t count)
{
	pcb->unsentLength -= count;
	memmove(pcb->unsent, pcb->unsent + count, pcb->unsentLength);
	if (pcb->sent)
		pcb->sent(pcb->arg, pcb, (u16_t)count);
}

void fakeGone(struct tcp_pcb *pcb)
{
	release(pcb);
}

void fakeSlowTimer(void)
{
	for (struct tcp_pcb *pcb = active, *next; pcb; pcb = next) {
		next = pcb->next;
		if (!pcb->poll || (++pcb->ticks < pcb->interval))
			continue;
		pcb->ticks = 0;
		pcb->poll(pcb->arg, pcb);
	}
}

/* ---- UDP ---- */

struct udp_pcb {
	udp_recv_fn recv;
	void *arg;
};

struct udp_pcb *udp_new_ip_type(u8_t type)
{
	(void)type;
	fakeAssertLwip("udp_new");
	if (fakeFails(FAULT_UDP_PCB))
		return NULL;
	atomic_fetch_add(&fakeLive, 1);
	return calloc(1, sizeof(struct udp_pcb));
}

void udp_recv(struct udp_pcb *pcb, udp_recv_fn function, void *arg)
{
	fakeAssertLwip("udp_recv");
	pcb->recv = function;
	pcb->arg = arg;
}

err_t udp_bind(struct udp_pcb *pcb, const ip_addr_t *address, u16_t port)
{
	(void)pcb;
	(void)address;
	(void)port;
	fakeAssertLwip("udp_bind");
	return fakeFails(FAULT_UDP_BIND) ? ERR_BUF : ERR_OK;
}

err_t udp_sendto(struct udp_pcb *pcb, struct pbuf *datagram, const ip_addr_t *address, u16_t port)
{
	fakeAssertLwip("udp_sendto");
	if (fakeFails(FAULT_SEND_ROUTE))
		return ERR_RTE;
	fakeLinkOf()->datagram(pcb, datagram, address, port);
	return ERR_OK;
}

void udp_remove(struct udp_pcb *pcb)
{
	fakeAssertLwip("udp_remove");
	free(pcb);
	atomic_fetch_sub(&fakeLive, 1);
}

void fakeUdpDeliver(struct udp_pcb *pcb, struct pbuf *chain, const ip_addr_t *address, u16_t port)
{
	pcb->recv(pcb->arg, pcb, chain, address, port);
}
