/*
 * NVS as its callers see it: namespaces, three types of value, the codes for what is not there and what does not fit.
 * Kept in one file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_idf.h"
#include "nvs_flash/include/nvs.h"

#define ITEMS_MAX 64
#define HANDLES_MAX 4
/* Longest string, with its zero (nvs.h). */
#define STRING_MAX 4000

typedef enum { U32, U64, STRING } type_t;

typedef struct {
	char space[16];
	char key[16];
	type_t type;
	uint32_t length;
	char value[STRING_MAX];
} item_t;

static int file = -1;
static item_t items[ITEMS_MAX];
static int count;

static struct {
	int open;
	nvs_open_mode_t mode;
	char space[16];
} handles[HANDLES_MAX];

void nvs_start(const char *path)
{
	file = open(path, O_RDWR | O_CREAT, 0600);
	ssize_t length = read(file, items, sizeof(items));
	if (length < 0)
		exit(70);
	count = length / sizeof(item_t);
}

static void save(const item_t *item)
{
	if (pwrite(file, item, sizeof(*item), (item - items) * sizeof(*item)) != sizeof(*item))
		exit(70);
}

int fake_nvs_open_handles(void)
{
	int open = 0;
	for (int i = 0; i < HANDLES_MAX; i++)
		open += handles[i].open;
	return open;
}

esp_err_t nvs_open(const char *space, nvs_open_mode_t mode, nvs_handle_t *handle)
{
	int known = mode == NVS_READWRITE;
	for (int i = 0; i < count; i++)
		known |= strcmp(items[i].space, space) == 0;
	if (!known)
		return ESP_ERR_NVS_NOT_FOUND;
	for (int i = 0; i < HANDLES_MAX; i++) {
		if (handles[i].open)
			continue;
		handles[i].open = 1;
		handles[i].mode = mode;
		snprintf(handles[i].space, sizeof(handles[i].space), "%s", space);
		*handle = i;
		return ESP_OK;
	}
	return ESP_ERR_NO_MEM;
}

void nvs_close(nvs_handle_t handle)
{
	handles[handle].open = 0;
}

static item_t *find(nvs_handle_t handle, const char *key)
{
	for (int i = 0; i < count; i++)
		if ((strcmp(items[i].space, handles[handle].space) == 0) && (strcmp(items[i].key, key) == 0))
			return &items[i];
	return NULL;
}

static esp_err_t put(nvs_handle_t handle, const char *key, type_t type, const void *value, uint32_t length)
{
	if (handles[handle].mode != NVS_READWRITE)
		return ESP_ERR_NVS_READ_ONLY;
	item_t *item = find(handle, key);
	if (!item) {
		if (count == ITEMS_MAX)
			return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
		item = &items[count++];
		snprintf(item->space, sizeof(item->space), "%s", handles[handle].space);
		snprintf(item->key, sizeof(item->key), "%s", key);
	}
	item->type = type;
	item->length = length;
	memcpy(item->value, value, length);
	save(item);
	return ESP_OK;
}

esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *value)
{
	const item_t *item = find(handle, key);
	if (!item || (item->type != U32))
		return ESP_ERR_NVS_NOT_FOUND;
	memcpy(value, item->value, sizeof(*value));
	return ESP_OK;
}

esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value)
{
	return put(handle, key, U32, &value, sizeof(value));
}

esp_err_t nvs_get_u64(nvs_handle_t handle, const char *key, uint64_t *value)
{
	const item_t *item = find(handle, key);
	if (!item || (item->type != U64))
		return ESP_ERR_NVS_NOT_FOUND;
	memcpy(value, item->value, sizeof(*value));
	return ESP_OK;
}

esp_err_t nvs_set_u64(nvs_handle_t handle, const char *key, uint64_t value)
{
	return put(handle, key, U64, &value, sizeof(value));
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *value, size_t *length)
{
	const item_t *item = find(handle, key);
	if (!item || (item->type != STRING))
		return ESP_ERR_NVS_NOT_FOUND;
	if (value && (*length < item->length))
		return ESP_ERR_NVS_INVALID_LENGTH;
	*length = item->length;
	if (value)
		memcpy(value, item->value, item->length);
	return ESP_OK;
}

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
	size_t length = strlen(value) + 1;
	return (length > STRING_MAX) ? ESP_ERR_NVS_VALUE_TOO_LONG : put(handle, key, STRING, value, (uint32_t)length);
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
	item_t *item = find(handle, key);
	if (!item)
		return ESP_ERR_NVS_NOT_FOUND;
	*item = items[--count];
	if (item != &items[count])
		save(item);
	return ftruncate(file, count * sizeof(*item)) == 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
	(void)handle;
	return ESP_OK;
}
