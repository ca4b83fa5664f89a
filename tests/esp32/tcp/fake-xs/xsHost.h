/*
 * The queue of messages of XS's task, which has 10 places (MODDEF_TASK_QUEUELENGTH), and what a callback out of C
 * needs.
 */
#ifndef FAKE_XSHOST_H
#define FAKE_XSHOST_H

#include "xsmc.h"

typedef void (*modMessageDeliver)(void *the, void *refcon, uint8_t *message, uint16_t length);

/* 0, or -1: the queue is full. Never waits. */
int modMessagePostToMachineFromISR(xsMachine *the, modMessageDeliver callback, void *refcon);

void fxCallBack(xsMachine *the);

#define xsRemember(SLOT) ((void)(SLOT))
#define xsBeginHost(THE) do { xsMachine *host = (THE)
#define xsEndHost(THE) } while (0)
#define xsCallFunction0(FUNCTION, THIS) ((void)(FUNCTION), fxCallBack(host))

#endif
