/*
 * Small records in NVS, for store.ts. Bytes are kept as NVS strings, since a blob is two items and loses its old value
 * to a power cut between them: src/store/cobs.ts says more; the bytes given here hold no zero. Stateless: each call
 * opens and closes the namespace.
 *
 * What can not be read is absent; a write that fails throws "OPERATION KEY: ESP_ERR_NAME".
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <string.h>

#include "esp_err.h"
#include "nvs_flash/include/nvs.h"

/* NVS names: 15 characters and a zero (NVS_KEY_NAME_MAX_SIZE). */
#define NAME 16

static void nameArgument(xsMachine *the, int index, char *name)
{
	const char *text = xsmcToString(xsArg(index));
	size_t length = strlen(text);
	if ((length == 0) || (length >= NAME))
		xsRangeError("NVS name of %d characters, not 1 to 15", (int)length);
	memcpy(name, text, length + 1);
}

/* Opens the namespace of argument 0 and copies the key of argument 1. */
static esp_err_t openFor(xsMachine *the, nvs_open_mode_t mode, char *key, nvs_handle_t *handle)
{
	char space[NAME];
	nameArgument(the, 0, space);
	nameArgument(the, 1, key);
	return nvs_open(space, mode, handle);
}

static void throwIf(xsMachine *the, esp_err_t err, const char *operation, const char *key)
{
	if (ESP_OK != err)
		xsUnknownError("%s %s: %s", operation, key, esp_err_to_name(err));
}

/* getNumber(space, key) -> number, or undefined */
void xs_nvs_getNumber(xsMachine *the)
{
	char key[NAME];
	nvs_handle_t handle;
	uint32_t value;
	if (ESP_OK != openFor(the, NVS_READONLY, key, &handle))
		return;
	esp_err_t err = nvs_get_u32(handle, key, &value);
	nvs_close(handle);
	if (ESP_OK == err)
		xsmcSetUnsigned(xsResult, value);
}

/* setNumber(space, key, value) */
void xs_nvs_setNumber(xsMachine *the)
{
	char key[NAME];
	nvs_handle_t handle;
	uint32_t value = xsmcToUnsigned(xsArg(2));
	esp_err_t err = openFor(the, NVS_READWRITE, key, &handle);
	if (ESP_OK == err) {
		err = nvs_set_u32(handle, key, value);
		if (ESP_OK == err)
			err = nvs_commit(handle);
		nvs_close(handle);
	}
	throwIf(the, err, "store", key);
}

/* getLong(space, key) -> number, or undefined */
void xs_nvs_getLong(xsMachine *the)
{
	char key[NAME];
	nvs_handle_t handle;
	uint64_t value;
	if (ESP_OK != openFor(the, NVS_READONLY, key, &handle))
		return;
	esp_err_t err = nvs_get_u64(handle, key, &value);
	nvs_close(handle);
	/* What a number can not hold exactly was not put there by setLong. */
	if ((ESP_OK == err) && (value < ((uint64_t)1 << 53)))
		xsmcSetNumber(xsResult, (xsNumberValue)value);
}

/* setLong(space, key, value): a whole number below 2^53 */
void xs_nvs_setLong(xsMachine *the)
{
	char key[NAME];
	nvs_handle_t handle;
	uint64_t value = (uint64_t)xsmcToNumber(xsArg(2));
	esp_err_t err = openFor(the, NVS_READWRITE, key, &handle);
	if (ESP_OK == err) {
		err = nvs_set_u64(handle, key, value);
		if (ESP_OK == err)
			err = nvs_commit(handle);
		nvs_close(handle);
	}
	throwIf(the, err, "store", key);
}

/* getBytes(space, key) -> ArrayBuffer that ends with the string's zero, or undefined */
void xs_nvs_getBytes(xsMachine *the)
{
	char key[NAME];
	nvs_handle_t handle;
	size_t length = 0;
	if (ESP_OK != openFor(the, NVS_READONLY, key, &handle))
		return;
	esp_err_t err = nvs_get_str(handle, key, NULL, &length);
	nvs_close(handle);
	if ((ESP_OK != err) || (length == 0))
		return;

	/* Making the buffer may throw: nothing is open meanwhile. */
	xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)length);
	err = openFor(the, NVS_READONLY, key, &handle);
	if (ESP_OK == err) {
		err = nvs_get_str(handle, key, xsmcToArrayBuffer(xsResult), &length);
		nvs_close(handle);
	}
	if (ESP_OK != err)
		xsmcSetUndefined(xsResult);
}

/* setBytes(space, key, bytes): the bytes end with a zero and hold no other */
void xs_nvs_setBytes(xsMachine *the)
{
	char key[NAME];
	nvs_handle_t handle;
	void *bytes = NULL;
	xsUnsignedValue length = 0;
	esp_err_t err = openFor(the, NVS_READWRITE, key, &handle);
	if (ESP_OK == err) {
		xsmcGetBufferReadable(xsArg(2), &bytes, &length);
		err = (length > 0) && (memchr(bytes, 0, length) == (char *)bytes + length - 1) ? nvs_set_str(handle, key, bytes) : ESP_ERR_INVALID_ARG;
		if (ESP_OK == err)
			err = nvs_commit(handle);
		nvs_close(handle);
	}
	throwIf(the, err, "store", key);
}

/* remove(space, key): that it is not there is no error */
void xs_nvs_remove(xsMachine *the)
{
	char key[NAME];
	nvs_handle_t handle;
	esp_err_t err = openFor(the, NVS_READWRITE, key, &handle);
	if (ESP_OK == err) {
		err = nvs_erase_key(handle, key);
		if (ESP_OK == err)
			err = nvs_commit(handle);
		nvs_close(handle);
	}
	if (ESP_ERR_NVS_NOT_FOUND != err)
		throwIf(the, err, "delete", key);
}
