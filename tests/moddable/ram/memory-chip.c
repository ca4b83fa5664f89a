/*
 * Two slots and a few records in memory that the JavaScript heap does not see, as on a chip: what is measured is the
 * agent alone.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <stdlib.h>
#include <string.h>

#include "expand.h"

enum { SLOT = 2 << 20, SECTOR = 4096, RECORDS = 32, KEY = 16 };

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

/* As hal/esp32/ota_expander.c. The slots do not move, and nothing of the decoder is in the JavaScript heap. */

typedef struct {
  int target;
  expand_t expand;
} Opened;

static Opened *gOpened;

static int readSlot(int slot, uint32_t offset, void *into, uint32_t length)
{
  if (offset > SLOT || length > SLOT - offset)
    return EXPAND_RANGE;
  memcpy(into, gSlots[slot] + offset, length);
  return EXPAND_OK;
}

static int readBlock(void *context, uint32_t offset, void *into, uint32_t length)
{
  return readSlot(((Opened *)context)->target, offset, into, length);
}

static int readOld(void *context, uint32_t offset, void *into, uint32_t length)
{
  return readSlot(1 - ((Opened *)context)->target, offset, into, length);
}

/* open(target, oldLength): bytes of the system's heap that it takes */
void xs_ram_expandOpen(xsMachine *the)
{
  if (gOpened == NULL)
    gOpened = malloc(sizeof(*gOpened));
  gOpened->target = xsmcToInteger(xsArg(0)) & 1;
  gOpened->expand.context = gOpened;
  gOpened->expand.readBlock = readBlock;
  gOpened->expand.readOld = readOld;
  gOpened->expand.oldLength = xsmcToInteger(xsArg(1));
  expand_begin(&gOpened->expand, 0, 0, 0, 0);
  xsmcSetInteger(xsResult, sizeof(*gOpened));
}

/* begin(offset, length, start, size) */
void xs_ram_expandBegin(xsMachine *the)
{
  if (gOpened == NULL)
    xsUnknownError("expand: closed");
  expand_begin(&gOpened->expand, xsmcToInteger(xsArg(0)), xsmcToInteger(xsArg(1)), xsmcToInteger(xsArg(2)), xsmcToInteger(xsArg(3)));
}

/* next(into) */
void xs_ram_expandNext(xsMachine *the)
{
  void *into;
  xsUnsignedValue length;
  if (gOpened == NULL)
    xsUnknownError("expand: closed");
  xsmcGetBufferWritable(xsArg(0), &into, &length);
  if (expand_next(&gOpened->expand, into, length) != EXPAND_OK)
    xsUnknownError("expand: damaged");
}

void xs_ram_expandClose(xsMachine *the)
{
  free(gOpened);
  gOpened = NULL;
}
