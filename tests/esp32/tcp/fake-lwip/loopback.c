/* The wire is this machine's own TCP: each control block has a real socket at its other side. Runs in lwIP's task. */
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT 1460
#define PIECE 536
#define SOCKETS_MAX 64
/* lwIP's slow timer, ms. */
#define SLOW 500

struct peer {
	int fd;
	bool finished;
};

static void connectTo(struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool six = inet_pton(AF_INET6, address->text, &to6.sin6_addr) == 1;
	inet_pton(AF_INET, address->text, &to4.sin_addr);
	peer->fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	fcntl(peer->fd, F_SETFL, O_NONBLOCK);
	/* How it went is in SO_ERROR. */
	(void)!connect(peer->fd, six ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4, six ? sizeof(to6) : sizeof(to4));
	pcb->peer = peer;
}

static void hangUp(struct tcp_pcb *pcb)
{
	struct peer *peer = pcb->peer;
	close(peer->fd);
	free(peer);
	pcb->peer = NULL;
}

static void closed(struct tcp_pcb *pcb, bool reset)
{
	struct linger abrupt = {.l_onoff = 1};
	if (!reset)
		return;
	setsockopt(((struct peer *)pcb->peer)->fd, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
	hangUp(pcb);
}

static void fail(struct tcp_pcb *pcb, int error)
{
	hangUp(pcb);
	fakeFail(pcb, (error == ETIMEDOUT) || (error == EHOSTUNREACH) ? ERR_ABRT : ERR_RST);
}

static int errorOf(struct tcp_pcb *pcb)
{
	int error = 0;
	socklen_t size = sizeof(error);
	getsockopt(((struct peer *)pcb->peer)->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

/* False: the control block is gone. */
static bool sendMore(struct tcp_pcb *pcb)
{
	ssize_t count = send(((struct peer *)pcb->peer)->fd, pcb->unsent, pcb->unsentLength, 0);
	if (count > 0)
		fakeAcknowledge(pcb, (u32_t)count);
	else if ((count < 0) && (errno != EAGAIN)) {
		fail(pcb, errno);
		return false;
	}
	return true;
}

static void receiveMore(struct tcp_pcb *pcb)
{
	struct peer *peer = pcb->peer;
	u8_t bytes[SEGMENT];
	ssize_t count = recv(peer->fd, bytes, pcb->rcv_wnd < SEGMENT ? pcb->rcv_wnd : SEGMENT, 0);
	if (count > 0) {
		pcb->rcv_wnd -= (u32_t)count;
		fakeDeliver(pcb, fakeChain(bytes, (u32_t)count, PIECE));
	} else if (count == 0) {
		peer->finished = true;
		fakeFinish(pcb);
	} else if (errno != EAGAIN) {
		fail(pcb, errno);
	}
}

static void serve(struct tcp_pcb *pcb, short events)
{
	if (pcb->state == FAKE_SYN_SENT) {
		int error = errorOf(pcb);
		if (error)
			fail(pcb, error);
		else
			fakeConnected(pcb);
		return;
	}
	if ((events & POLLERR) && !(events & POLLIN)) {
		fail(pcb, errorOf(pcb));
		return;
	}
	if ((events & POLLOUT) && (pcb->unsentLength > 0) && !sendMore(pcb))
		return;
	if (pcb->state == FAKE_LINGERING) {
		if (pcb->unsentLength > 0)
			return;
		hangUp(pcb);
		fakeGone(pcb);
	} else if (events & POLLIN) {
		receiveMore(pcb);
	}
}

static long milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static short wanted(const struct tcp_pcb *pcb)
{
	const struct peer *peer = pcb->peer;
	short events = 0;
	if ((pcb->state == FAKE_SYN_SENT) || (pcb->state == FAKE_LINGERING) || (pcb->unsentLength > 0))
		events |= POLLOUT;
	if ((pcb->state == FAKE_ESTABLISHED) && !peer->finished && !pcb->refused && (pcb->rcv_wnd > 0))
		events |= POLLIN;
	return events;
}

static void step(void)
{
	static long ticked;
	struct tcp_pcb *waiting[SOCKETS_MAX];
	struct pollfd entries[SOCKETS_MAX + 1] = {{.fd = fakeMailboxDescriptor(), .events = POLLIN}};
	nfds_t count = 0;
	for (struct tcp_pcb *pcb = fakeTcpFirst(); pcb && (count < SOCKETS_MAX); pcb = pcb->next) {
		waiting[count++] = pcb;
		/* One that is waited for nothing is left out: poll would tell of its end again and again. */
		entries[count] = (struct pollfd){.fd = wanted(pcb) ? ((struct peer *)pcb->peer)->fd : -1, .events = wanted(pcb)};
	}
	poll(entries, count + 1, SLOW);
	for (nfds_t i = 0; i < count; i++)
		if (entries[i + 1].revents)
			serve(waiting[i], entries[i + 1].revents);
	long now = milliseconds();
	if (now - ticked < SLOW)
		return;
	ticked = now;
	for (struct tcp_pcb *pcb = fakeTcpFirst(), *next; pcb; pcb = next) {
		next = pcb->next;
		if (pcb->refused)
			fakeOfferAgain(pcb);
	}
	fakeSlowTimer();
}

static void datagram(struct udp_pcb *pcb, const struct pbuf *sent, const ip_addr_t *address, u16_t port)
{
	/* An echo. */
	fakeUdpDeliver(pcb, fakeChain(sent->payload, sent->len, PIECE), address, port);
}

const struct fakeLink loopback = {.connect = connectTo, .closed = closed, .datagram = datagram, .step = step};
