/*
 * UDP endpoints over lwIP's raw API, for look-ups of names and for the clock. lwip_socket.h has the rules between the
 * tasks. Datagrams wait in the ring, each behind its length; one that does not fit is dropped, as a network may, so a
 * flood takes no memory.
 */
#ifndef XSOTA_UDP_ENDPOINT_H
#define XSOTA_UDP_ENDPOINT_H

#include "lwip/ip_addr.h"

#include "lwip_socket.h"

/*
 * The ring: two answers of a name server (RFC 1035, section 4.2.1: 512 bytes at most), each behind 2 bytes of length.
 */
#define UDP_RING 1028

/* Takes a port that is free. `cause`, where the result is negative: why not. */
lwipHandle udpEndpointOpen(enum lwipCause *cause);
/* Of the oldest datagram; 0: none waits. */
uint32_t udpEndpointWaiting(lwipHandle handle);
/* Moves the oldest datagram, which has `length` bytes. */
void udpEndpointRead(lwipHandle handle, void *into, uint32_t length);
/* 0, or why it was not sent. */
enum lwipCause udpEndpointWrite(lwipHandle handle, const void *bytes, uint32_t length, const ip_addr_t *address, uint16_t port);
/* Closing twice is harmless. */
void udpEndpointClose(lwipHandle handle);

#endif
