#ifndef FAKE_LWIP_PBUF_H
#define FAKE_LWIP_PBUF_H

#include "lwip/err.h"

struct pbuf {
	struct pbuf *next;
	void *payload;
	u16_t tot_len;
	u16_t len;
};

typedef enum { PBUF_TRANSPORT } pbuf_layer;
typedef enum { PBUF_RAM } pbuf_type;

struct pbuf *pbuf_alloc(pbuf_layer layer, u16_t length, pbuf_type type);
err_t pbuf_take(struct pbuf *chain, const void *bytes, u16_t length);
u8_t pbuf_free(struct pbuf *chain);

#endif
