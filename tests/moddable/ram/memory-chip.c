/*
 * Two slots and a few records in memory that the JavaScript heap does not see, as on a chip: what is measured is the
 * agent alone.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT = 2 << 20, SECTOR = 4096, RECORDS = 16, KEY = 16 };

typedef struct {
  char key[KEY];
  uint8_t *bytes;
  int length;
} Record;

static uint8_t gSlots[2][SLOT];
static Record gRecords[RECORDS];

static Record *find(const char *key)
{
  for (int i = 0; i < RECORDS; i++)
    if (gRecords[i].bytes != NULL && strcmp(gRecords[i].key, key) == 0)
      return &gRecords[i];
  return NULL;
}

static uint8_t *at(xsMachine *the, xsUnsignedValue length)
{
  int offset = xsmcToInteger(xsArg(1));
  if (offset < 0 || offset + length > SLOT)
    xsRangeError("outside the slot");
  return gSlots[xsmcToInteger(xsArg(0)) & 1] + offset;
}

/* sizeof(txSlot): four pointers. 16 on a chip, 32 on the host unless it is built for 32 bits. */
void xs_ram_slotSize(xsMachine *the)
{
  xsmcSetInteger(xsResult, 4 * sizeof(void *));
}

void xs_ram_erase(xsMachine *the)
{
  memset(at(the, SECTOR), 0xff, SECTOR);
}

void xs_ram_write(xsMachine *the)
{
  void *from;
  xsUnsignedValue length;
  xsmcGetBufferReadable(xsArg(2), &from, &length);
  uint8_t *to = at(the, length);
  for (xsUnsignedValue i = 0; i < length; i++)
    to[i] &= ((uint8_t *)from)[i];
}

void xs_ram_read(xsMachine *the)
{
  void *into;
  xsUnsignedValue length;
  xsmcGetBufferWritable(xsArg(2), &into, &length);
  memcpy(into, at(the, length), length);
}

void xs_ram_equals(xsMachine *the)
{
  void *other;
  xsUnsignedValue length;
  xsmcGetBufferReadable(xsArg(2), &other, &length);
  xsmcSetBoolean(xsResult, memcmp(at(the, length), other, length) == 0);
}

void xs_ram_get(xsMachine *the)
{
  Record *record = find(xsmcToString(xsArg(0)));
  if (record != NULL)
    xsmcSetArrayBuffer(xsResult, record->bytes, record->length);
}

void xs_ram_remove(xsMachine *the)
{
  Record *record = find(xsmcToString(xsArg(0)));
  if (record == NULL)
    return;
  free(record->bytes);
  record->bytes = NULL;
}

void xs_ram_put(xsMachine *the)
{
  void *bytes;
  xsUnsignedValue length;
  xs_ram_remove(the);
  for (int i = 0; i < RECORDS; i++) {
    if (gRecords[i].bytes != NULL)
      continue;
    xsmcToStringBuffer(xsArg(0), gRecords[i].key, KEY);
    xsmcGetBufferReadable(xsArg(1), &bytes, &length);
    gRecords[i].bytes = malloc(length);
    gRecords[i].length = length;
    memcpy(gRecords[i].bytes, bytes, length);
    return;
  }
  xsUnknownError("no room for another record");
}
