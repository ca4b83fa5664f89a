#ifndef FAKE_LWIP_UDP_H
#define FAKE_LWIP_UDP_H

#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"

struct udp_pcb;

typedef void (*udp_recv_fn)(void *arg, struct udp_pcb *pcb, struct pbuf *chain, const ip_addr_t *address, u16_t port);

struct udp_pcb *udp_new_ip_type(u8_t type);
void udp_recv(struct udp_pcb *pcb, udp_recv_fn function, void *arg);
err_t udp_bind(struct udp_pcb *pcb, const ip_addr_t *address, u16_t port);
err_t udp_sendto(struct udp_pcb *pcb, struct pbuf *datagram, const ip_addr_t *address, u16_t port);
void udp_remove(struct udp_pcb *pcb);

#endif
