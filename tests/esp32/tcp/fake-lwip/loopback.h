/* A wire made of this machine's own TCP. Addresses are literal; datagrams come back as they are. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "fake_lwip.h"

extern const struct fakeLink loopback;

#endif
