/*
 * Flash of the inactive slot, and the boot slots, for ota.ts. Each call looks its partition up and holds nothing open.
 * esp_ota_begin is not used: it would erase first and lose a download at the next power cut. The agent does what it
 * guards: no update while the running firmware is unconfirmed, and the target's boot entry is invalidated first.
 *
 * A failure is thrown as an Error "OPERATION SLOT 0xADDRESS: ESP_ERR_NAME". ESP-IDF v6.0.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"
#include "mc.defines.h"

#include <string.h>

#include "app_update/include/esp_ota_ops.h"
#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_image_format.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "sdkconfig.h"

#include "slots.h"
#include "startup.h"
#include "xsota_desc.h"

#if !defined(MODDEF_XSOTA_PRODUCT) || !defined(MODDEF_XSOTA_VERSION)
#error "xs-ota: name the firmware in the application's manifest: \"defines\": {\"xsota\": {\"product\": \"...\", \"version\": \"...\"}}"
#endif
/*
 * Without these, new firmware that crashes, hangs or is damaged stays in place. mcconfig drops an sdkconfig of the
 * wrong manifest silently. ESP_TASK_WDT_PANIC depends on ESP_TASK_WDT_INIT and ESP_TASK_WDT_EN (ESP-IDF,
 * esp_system/Kconfig).
 */
#if !CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE || CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS || !CONFIG_ESP_TASK_WDT_PANIC
#error "xs-ota: the sdkconfig lacks rollback, validation or the task watchdog: docs/ESP32.md, \"A board, or another flash size\""
#endif
#ifndef MODDEF_XSOTA_SECURITYFLOOR
#define MODDEF_XSOTA_SECURITYFLOOR 0
#endif

/* mcconfig writes strings without quotes: a comma in one separates arguments, and a word in one that is a macro is replaced. */
#define TEXT(...) TEXT_OF(__VA_ARGS__)
#define TEXT_OF(...) #__VA_ARGS__
/* Of the SDK's makefile: a number, in any "ESP32" of a product. */
#undef ESP32

_Static_assert(sizeof(TEXT(MODDEF_XSOTA_PRODUCT)) > 1 && sizeof(TEXT(MODDEF_XSOTA_PRODUCT)) <= XSOTA_DESC_TEXT, "product: 1 to 31 characters");
_Static_assert(sizeof(TEXT(MODDEF_XSOTA_VERSION)) > 1 && sizeof(TEXT(MODDEF_XSOTA_VERSION)) <= XSOTA_DESC_TEXT, "version: 1 to 31 characters");

/* ESP-IDF's linker scripts put this section behind the app description. They keep it because xs_ota_running refers to it. */
__attribute__((section(".rodata_custom_desc"), used)) const xsota_desc_t custom_app_desc = {
	.magic = XSOTA_DESC_MAGIC,
	.format = XSOTA_DESC_FORMAT,
	.product = TEXT(MODDEF_XSOTA_PRODUCT),
	.version = TEXT(MODDEF_XSOTA_VERSION),
	.security_floor = MODDEF_XSOTA_SECURITYFLOOR,
};

/* Bytes compared at a time, on the stack. */
#define COMPARE_CHUNK 256
/* What flash encryption writes at a time (ESP-IDF, esp_partition_write): offsets and lengths are multiples of it. */
#define ENCRYPTED_BLOCK 16

/* Argument 0: undefined for the inactive slot, or the label of one of the application's data partitions. */
static const esp_partition_t *partitionArgument(xsMachine *the)
{
	char label[sizeof(((esp_partition_t *)0)->label)];
	if (xsUndefinedType == xsmcTypeOf(xsArg(0)))
		return targetSlot(the);
	xsmcToStringBuffer(xsArg(0), label, sizeof(label));
	const esp_partition_t *partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label);
	if (!partition)
		xsUnknownError("no data partition %s", label);
	if (partition->subtype < ESP_PARTITION_SUBTYPE_DATA_UNDEFINED)
		xsUnknownError("partition %s is the system's own", label);
	return partition;
}

static uint32_t offsetArgument(xsMachine *the, int index)
{
	xsIntegerValue value = xsmcToInteger(xsArg(index));
	if (value < 0)
		xsRangeError("offset %d", (int)value);
	return (uint32_t)value;
}

/* Buffers move when anything is allocated: fetched last, used at once. */
static uint8_t *bufferArgument(xsMachine *the, int index, xsUnsignedValue *length, xsBooleanValue writable)
{
	void *bytes = NULL;
	if (writable)
		xsmcGetBufferWritable(xsArg(index), &bytes, length);
	else
		xsmcGetBufferReadable(xsArg(index), &bytes, length);
	return bytes;
}

/* What one command erases at its boundaries, bytes (SPI_FLASH_BLOCK_ERASE). */
#define ERASE_BLOCK 0x10000

/* describe(partition) -> {label, size, sectorSize, blockSectors} */
void xs_ota_describe(xsMachine *the)
{
	const esp_partition_t *slot = partitionArgument(the);
	xsmcVars(1);
	xsmcSetNewObject(xsResult);
	SET_PROPERTY(xsID_label, String, (char *)slot->label);
	SET_PROPERTY(xsID_size, Integer, (xsIntegerValue)slot->size);
	SET_PROPERTY(xsID_sectorSize, Integer, (xsIntegerValue)slot->erase_size);
	SET_PROPERTY(xsID_blockSectors, Integer, ((slot->address % ERASE_BLOCK) || (slot->size < ERASE_BLOCK)) ? 1 : (xsIntegerValue)(ERASE_BLOCK / slot->erase_size));
}

/* erase(partition, sector, sectors). Of a whole block the flash driver makes one command (esp_flash_erase_region). */
void xs_ota_erase(xsMachine *the)
{
	const esp_partition_t *slot = partitionArgument(the);
	uint32_t sector = offsetArgument(the, 1);
	uint32_t sectors = offsetArgument(the, 2);
	uint32_t all = slot->size / slot->erase_size;
	if ((sector >= all) || (sectors > all - sector))
		xsRangeError("erase %s: %u sectors from %u of %u", slot->label, (unsigned)sectors, (unsigned)sector, (unsigned)all);
	throwIf(the, esp_partition_erase_range(slot, sector * slot->erase_size, sectors * slot->erase_size), "erase", slot, sector * slot->erase_size);
}

/* An encrypted partition takes whole blocks: the rest of the last one is filled up as if it were still erased. */
static esp_err_t program(const esp_partition_t *slot, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
	uint8_t last[ENCRYPTED_BLOCK];
	uint32_t rest = slot->encrypted ? length % ENCRYPTED_BLOCK : 0;
	esp_err_t err = (length > rest) ? esp_partition_write(slot, offset, bytes, length - rest) : ESP_OK;
	if ((ESP_OK != err) || !rest)
		return err;
	memset(last, 0xff, sizeof(last));
	memcpy(last, bytes + length - rest, rest);
	return esp_partition_write(slot, offset + length - rest, last, sizeof(last));
}

/* write(partition, offset, bytes). With flash encryption: offset a multiple of 16. */
void xs_ota_write(xsMachine *the)
{
	const esp_partition_t *slot = partitionArgument(the);
	uint32_t offset = offsetArgument(the, 1);
	xsUnsignedValue length = 0;
	const uint8_t *bytes = bufferArgument(the, 2, &length, 0);
	throwIf(the, program(slot, offset, bytes, length), "write", slot, offset);
}

/* Arguments `first` and the one after it: offset, into. */
static void readInto(xsMachine *the, const esp_partition_t *slot, int first)
{
	uint32_t offset = offsetArgument(the, first);
	xsUnsignedValue length = 0;
	uint8_t *bytes = bufferArgument(the, first + 1, &length, 1);
	throwIf(the, esp_partition_read(slot, offset, bytes, length), "read", slot, offset);
}

/* read(partition, offset, into) */
void xs_ota_read(xsMachine *the)
{
	readInto(the, partitionArgument(the), 1);
}

/* readRunning(offset, into) */
void xs_ota_readRunning(xsMachine *the)
{
	readInto(the, runningSlot(the), 0);
}

typedef esp_err_t (*reader_t)(const esp_partition_t *slot, size_t offset, void *into, size_t length);

static int holds(xsMachine *the, reader_t reader, const esp_partition_t *slot, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
	uint8_t chunk[COMPARE_CHUNK];
	int equal = 1;
	for (uint32_t done = 0; equal && (done < length);) {
		uint32_t count = (length - done < sizeof(chunk)) ? length - done : sizeof(chunk);
		throwIf(the, reader(slot, offset + done, chunk, count), "read", slot, offset + done);
		equal = 0 == memcmp(chunk, bytes + done, count);
		done += count;
	}
	return equal;
}

static int areErased(const uint8_t *bytes, uint32_t length)
{
	while (length && (0xff == bytes[length - 1]))
		length--;
	return !length;
}

/* equals(partition, offset, bytes) -> boolean. Erased flash is 0xFF on the chip, but anything when read through decryption. */
void xs_ota_equals(xsMachine *the)
{
	const esp_partition_t *slot = partitionArgument(the);
	uint32_t offset = offsetArgument(the, 1);
	xsUnsignedValue length = 0;
	const uint8_t *bytes = bufferArgument(the, 2, &length, 0);
	int equal = holds(the, esp_partition_read, slot, offset, bytes, length);
	if (!equal && slot->encrypted && areErased(bytes, length))
		equal = holds(the, esp_partition_read_raw, slot, offset, bytes, length);
	xsmcSetBoolean(xsResult, equal);
}

static const char *stateName(const esp_partition_t *slot)
{
	esp_ota_img_states_t state;
	if (ESP_OK != esp_ota_get_state_partition(slot, &state))
		return "none";
	switch (state) {
		case ESP_OTA_IMG_NEW:
			return "new";
		case ESP_OTA_IMG_PENDING_VERIFY:
			return "pending";
		case ESP_OTA_IMG_VALID:
			return "valid";
		case ESP_OTA_IMG_INVALID:
			return "invalid";
		case ESP_OTA_IMG_ABORTED:
			return "aborted";
		default:
			return "undefined";
	}
}

/* running() -> {slot, version, project, securityFloor, chip, state}: as Running in src/ports.ts */
void xs_ota_running(xsMachine *the)
{
	const esp_partition_t *slot = runningSlot(the);
	xsmcVars(1);
	xsmcSetNewObject(xsResult);
	SET_PROPERTY(xsID_slot, String, (char *)slot->label);
	SET_PROPERTY(xsID_version, String, (char *)custom_app_desc.version);
	SET_PROPERTY(xsID_project, String, (char *)custom_app_desc.product);
	SET_PROPERTY(xsID_securityFloor, Unsigned, custom_app_desc.security_floor);
	SET_PROPERTY(xsID_chip, Integer, CONFIG_IDF_FIRMWARE_CHIP_ID);
	SET_PROPERTY(xsID_state, String, (char *)stateName(slot));
}

/* invalidate(): wipes the target's boot entry. ESP_FAIL: there is none. */
void xs_ota_invalidate(xsMachine *the)
{
	const esp_partition_t *slot = targetSlot(the);
	esp_err_t err = esp_ota_invalidate_inactive_ota_data_slot();
	if (ESP_FAIL != err)
		throwIf(the, err, "invalidate", slot, 0);
}

/* verify() -> length of the image: header, segments, checksum and appended SHA-256 are right */
void xs_ota_verify(xsMachine *the)
{
	const esp_partition_t *slot = targetSlot(the);
	const esp_partition_pos_t position = {.offset = slot->address, .size = slot->size};
	esp_image_metadata_t metadata;
	memset(&metadata, 0, sizeof(metadata));
	throwIf(the, esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &position, &metadata), "verify", slot, 0);
	xsmcSetInteger(xsResult, (xsIntegerValue)metadata.image_len);
}

/* activate(): the target boots next, on trial. ESP-IDF verifies it again. */
void xs_ota_activate(xsMachine *the)
{
	const esp_partition_t *slot = targetSlot(the);
	throwIf(the, xsota_forget_marks(slot), "activate", slot, 0);
	throwIf(the, esp_ota_set_boot_partition(slot), "activate", slot, 0);
}

/*
 * confirm(): ends the trial. Nothing unless the running slot is on one: ESP-IDF's call makes the entry valid that decides
 * the NEXT start, which after activate() is another slot's.
 */
void xs_ota_confirm(xsMachine *the)
{
	const esp_partition_t *slot = runningSlot(the);
	if (!xsota_on_trial())
		return;
	throwIf(the, esp_ota_mark_app_valid_cancel_rollback(), "confirm", slot, 0);
}

/* rollback(): gives the running slot up and restarts. Returns where there is no other to boot. */
void xs_ota_rollback(xsMachine *the)
{
	(void)the;
	(void)esp_ota_mark_app_invalid_rollback_and_reboot();
}

/* lastInvalid() -> label of the slot whose image was given up last, or undefined */
void xs_ota_lastInvalid(xsMachine *the)
{
	const esp_partition_t *slot = esp_ota_get_last_invalid_partition();
	if (slot)
		xsmcSetString(xsResult, (char *)slot->label);
}

static const char *reasonName(esp_reset_reason_t reason)
{
	switch (reason) {
		case ESP_RST_POWERON:
			return "power-on";
		case ESP_RST_BROWNOUT:
		case ESP_RST_PWR_GLITCH:
			return "brown-out";
		case ESP_RST_SW:
			return "software";
		case ESP_RST_INT_WDT:
		case ESP_RST_TASK_WDT:
		case ESP_RST_WDT:
			return "watchdog";
		case ESP_RST_PANIC:
		case ESP_RST_CPU_LOCKUP:
			return "panic";
		case ESP_RST_DEEPSLEEP:
			return "deep-sleep";
		default:
			return "other";
	}
}

/* resetReason(): as ResetReason in src/ports.ts */
void xs_ota_resetReason(xsMachine *the)
{
	xsmcSetString(xsResult, (char *)reasonName(xsota_reset_reason()));
}

/* restart(): does not return */
void xs_ota_restart(xsMachine *the)
{
	(void)the;
	esp_restart();
}
