/* An address is its text: the fakes look at it only to hand it on. */
#ifndef FAKE_LWIP_IP_ADDR_H
#define FAKE_LWIP_IP_ADDR_H

#include "lwip/err.h"

enum { IPADDR_TYPE_V4 = 0, IPADDR_TYPE_V6 = 6, IPADDR_TYPE_ANY = 46 };

typedef struct {
	char text[48];
	u8_t type;
} ip_addr_t;

extern const ip_addr_t ip_addr_any_type;
#define IP_ANY_TYPE (&ip_addr_any_type)
#define IP_GET_TYPE(ADDRESS) ((ADDRESS)->type)

/* 1: it is one. */
int ipaddr_aton(const char *text, ip_addr_t *address);

#endif
