/* The SDK's, and what its Linux build lacks: the queue of messages of the ESP32. */
#ifndef TEST_XSHOST_H
#define TEST_XSHOST_H

#include_next "xsHost.h"

#include "xsmc.h"

typedef void (*modMessageDeliver)(void *the, void *refcon, uint8_t *message, uint16_t length);

int modMessagePostToMachineFromISR(xsMachine *the, modMessageDeliver callback, void *refcon);

#endif
