/* The messages of XS's task. */
#ifndef FAKE_XS_QUEUE_H
#define FAKE_XS_QUEUE_H

#include <stdbool.h>

/* Delivers the oldest message; false: there is none. XS's task. */
bool fakeQueueService(void);
/* Puts in a message of somebody else. */
void fakeQueueOther(void);
/* Readable while there is a message that came after the first call of this. */
int fakeQueueDescriptor(void);

#endif
