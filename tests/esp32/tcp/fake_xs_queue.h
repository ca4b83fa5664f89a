/* XS's task as far as messages and timers go. */
#ifndef FAKE_XS_QUEUE_H
#define FAKE_XS_QUEUE_H

#include <stdbool.h>

/* Delivers the oldest message; false: there is none. XS's task. */
bool fakeQueueService(void);
/* Puts in a message of somebody else. */
void fakeQueueOther(void);
/* Readable while there is a message; -1 before fakeQueueDescriptor was called for the first time. */
int fakeQueueDescriptor(void);
void fakeTimersStop(void);

#endif
