/*
 * TCP connections over lwIP's raw API, for XS's task. lwip_socket.h has the rules between the tasks.
 *
 * Received bytes are copied from lwIP's pbufs into a ring as large as the receive window (TCP_WND), and the pbuf is
 * freed at once. The window opens as the reader reads, so a peer that keeps to it never finds the ring full. Bytes that
 * lwIP has acknowledged are in the ring: the reader gets them before it hears of the connection's end, a reset
 * included.
 */
#ifndef XSOTA_TCP_CONNECTION_H
#define XSOTA_TCP_CONNECTION_H

#include "lwip/ip_addr.h"

#include "lwip_socket.h"

/*
 * Seconds after which an attempt to connect is given up (LWIP_TIMED_OUT). A bound of last resort: the agent's own is 10
 * s, and lwIP's, with the SDK's TCP_SYNMAXRTX of 6, minutes.
 */
#define TCP_CONNECT_SECONDS 60

/* Bytes that wait to be read, at most. */
uint32_t tcpConnectionWindow(void);
/* Starts to connect. `cause`, where the result is negative: why not. */
lwipHandle tcpConnectionOpen(const ip_addr_t *address, uint16_t port, enum lwipCause *cause);
/* Moves up to `length` waiting bytes; returns how many. */
uint32_t tcpConnectionRead(lwipHandle handle, void *into, uint32_t length);
/*
 * Gives up to `length` bytes to lwIP, which copies them; returns how many. Fewer: LWIP_WRITABLE follows when there is
 * room.
 */
uint32_t tcpConnectionWrite(lwipHandle handle, const void *bytes, uint32_t length);
/* Drops what waits to be read; lwIP goes on sending what was written. Closing twice is harmless. */
void tcpConnectionClose(lwipHandle handle);

#endif
