/*
 * The part of XS's C interface that the port uses. Buffers and strings move whenever anything is allocated, as they may
 * in the real engine: code that keeps a pointer over an allocation reads rubbish here.
 */
#ifndef XSMC_H
#define XSMC_H

#include <stdint.h>

typedef int32_t xsIntegerValue;
typedef uint32_t xsUnsignedValue;
typedef double xsNumberValue;
typedef uint8_t xsBooleanValue;

typedef enum { xsUndefinedType, xsBooleanType, xsNumberType, xsStringType, xsBufferType, xsObjectType } xsType;

#define PROPERTIES_MAX 8

typedef struct slot {
	xsType type;
	double number;
	/* String (with its zero) or bytes. */
	uint8_t *chunk;
	uint32_t length;
	int properties;
	const char *names[PROPERTIES_MAX];
	struct slot *values;
} xsSlot;

typedef struct machine xsMachine;

xsSlot *fxArgument(xsMachine *the, int index);
xsSlot *fxVariable(xsMachine *the, int index);
xsSlot *fxResult(xsMachine *the);
void fxThrow(xsMachine *the, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
xsIntegerValue fxToInteger(xsMachine *the, xsSlot *slot);
xsUnsignedValue fxToUnsigned(xsMachine *the, xsSlot *slot);
char *fxToString(xsMachine *the, xsSlot *slot);
void fxToStringBuffer(xsMachine *the, xsSlot *slot, char *buffer, uint32_t size);
void fxGetBuffer(xsMachine *the, xsSlot *slot, void **bytes, xsUnsignedValue *length);
void fxNewBuffer(xsMachine *the, xsSlot *slot, const void *bytes, xsIntegerValue length);
void fxNewObject(xsMachine *the, xsSlot *slot);
void fxNewString(xsMachine *the, xsSlot *slot, const char *text);
void fxNumber(xsSlot *slot, double value);
void fxBoolean(xsSlot *slot, int value);
void fxUndefined(xsSlot *slot);
void fxSet(xsMachine *the, xsSlot *object, const char *name, const xsSlot *value);

#define xsArg(INDEX) (*fxArgument(the, INDEX))
#define xsVar(INDEX) (*fxVariable(the, INDEX))
#define xsResult (*fxResult(the))
#define xsmcTypeOf(SLOT) ((SLOT).type)
#define xsmcVars(COUNT) ((void)(COUNT))
#define xsmcToInteger(SLOT) fxToInteger(the, &(SLOT))
#define xsmcToUnsigned(SLOT) fxToUnsigned(the, &(SLOT))
#define xsmcToNumber(SLOT) ((SLOT).number)
#define xsmcToString(SLOT) fxToString(the, &(SLOT))
#define xsmcToStringBuffer(SLOT, BUFFER, SIZE) fxToStringBuffer(the, &(SLOT), BUFFER, SIZE)
#define xsmcToArrayBuffer(SLOT) ((void *)(SLOT).chunk)
#define xsmcGetBufferReadable(SLOT, BYTES, LENGTH) fxGetBuffer(the, &(SLOT), BYTES, LENGTH)
#define xsmcGetBufferWritable(SLOT, BYTES, LENGTH) fxGetBuffer(the, &(SLOT), BYTES, LENGTH)
#define xsmcSetInteger(SLOT, VALUE) fxNumber(&(SLOT), VALUE)
#define xsmcSetUnsigned(SLOT, VALUE) fxNumber(&(SLOT), VALUE)
#define xsmcSetNumber(SLOT, VALUE) fxNumber(&(SLOT), VALUE)
#define xsmcSetBoolean(SLOT, VALUE) fxBoolean(&(SLOT), VALUE)
#define xsmcSetUndefined(SLOT) fxUndefined(&(SLOT))
#define xsmcSetString(SLOT, TEXT) fxNewString(the, &(SLOT), TEXT)
#define xsmcSetArrayBuffer(SLOT, BYTES, LENGTH) fxNewBuffer(the, &(SLOT), BYTES, LENGTH)
#define xsmcSetNewObject(SLOT) fxNewObject(the, &(SLOT))
#define xsmcSet(OBJECT, NAME, VALUE) fxSet(the, &(OBJECT), NAME, &(VALUE))
#define xsUnknownError(...) fxThrow(the, __VA_ARGS__)
#define xsRangeError(...) fxThrow(the, __VA_ARGS__)

#endif
