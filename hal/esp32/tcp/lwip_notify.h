/* lwipNotify of lwip_socket.h over the queue of messages of XS's task. */
#ifndef XSOTA_LWIP_NOTIFY_H
#define XSOTA_LWIP_NOTIFY_H

#include "xsmc.h"
#include "xsHost.h"

#include <stdbool.h>

/* `deliver` runs in the task of `the` for each message. False: out of memory. Once, before any socket is opened. */
bool lwipNotifyStart(xsMachine *the, modMessageDeliver deliver);

#endif
