/* The queue of messages of XS's task, which has 10 places (MODDEF_TASK_QUEUELENGTH). */
#ifndef FAKE_XSHOST_H
#define FAKE_XSHOST_H

#include "xsmc.h"

typedef void (*modMessageDeliver)(void *the, void *refcon, uint8_t *message, uint16_t length);

/* 0, or -1: the queue is full. Never waits. */
int modMessagePostToMachineFromISR(xsMachine *the, modMessageDeliver callback, void *refcon);

#endif
