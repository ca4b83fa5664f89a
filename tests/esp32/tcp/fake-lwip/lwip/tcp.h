/* The part of lwIP's raw API for TCP that the port calls. */
#ifndef FAKE_LWIP_TCP_H
#define FAKE_LWIP_TCP_H

#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"

/* As in the SDK's sdkconfig. */
#define TCP_WND 5744
#define TCP_SND_BUF 5744
#define TCP_WRITE_FLAG_COPY 1

struct tcp_pcb;

typedef err_t (*tcp_recv_fn)(void *arg, struct tcp_pcb *pcb, struct pbuf *chain, err_t err);
typedef err_t (*tcp_sent_fn)(void *arg, struct tcp_pcb *pcb, u16_t length);
typedef err_t (*tcp_poll_fn)(void *arg, struct tcp_pcb *pcb);
typedef err_t (*tcp_connected_fn)(void *arg, struct tcp_pcb *pcb, err_t err);
typedef void (*tcp_err_fn)(void *arg, err_t err);

struct tcp_pcb *tcp_new_ip_type(u8_t type);
void tcp_arg(struct tcp_pcb *pcb, void *arg);
void tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn function);
void tcp_sent(struct tcp_pcb *pcb, tcp_sent_fn function);
void tcp_err(struct tcp_pcb *pcb, tcp_err_fn function);
void tcp_poll(struct tcp_pcb *pcb, tcp_poll_fn function, u8_t interval);
void tcp_nagle_disable(struct tcp_pcb *pcb);
err_t tcp_connect(struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port, tcp_connected_fn function);
void tcp_recved(struct tcp_pcb *pcb, u16_t length);
u32_t tcp_sndbuf(const struct tcp_pcb *pcb);
err_t tcp_write(struct tcp_pcb *pcb, const void *bytes, u16_t length, u8_t flags);
err_t tcp_output(struct tcp_pcb *pcb);
err_t tcp_close(struct tcp_pcb *pcb);
void tcp_abort(struct tcp_pcb *pcb);

#endif
