#ifndef FAKE_LWIP_TCPIP_PRIV_H
#define FAKE_LWIP_TCPIP_PRIV_H

#include "lwip/tcpip.h"

struct tcpip_api_call_data {
	err_t err;
};

typedef err_t (*tcpip_api_call_fn)(struct tcpip_api_call_data *call);

err_t tcpip_api_call(tcpip_api_call_fn function, struct tcpip_api_call_data *call);

#endif
