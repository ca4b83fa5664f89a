#ifndef FAKE_LWIP_TCPIP_H
#define FAKE_LWIP_TCPIP_H

#include "lwip/err.h"

struct tcpip_callback_msg;
typedef void (*tcpip_callback_fn)(void *context);

struct tcpip_callback_msg *tcpip_callbackmsg_new(tcpip_callback_fn function, void *context);
err_t tcpip_callbackmsg_trycallback(struct tcpip_callback_msg *message);

#endif
