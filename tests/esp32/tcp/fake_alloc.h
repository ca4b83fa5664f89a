/* Included ahead of the port's C files: their allocations are counted and may fail. */
#include <stdlib.h>

void *fakeCalloc(size_t count, size_t size);
void fakeFree(void *block);

#define calloc fakeCalloc
#define free fakeFree
