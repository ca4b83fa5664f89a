/*
 * The start-up: runs before app_main and before XS, so that nothing that an app does or fails to do can keep it away.
 *
 *   constructor           reads both boot entries (2 reads of 32 bytes) and, on trial, marks this start (1 byte written)
 *   SECONDARY init, 250   after esp_timer_init_os (100) and the constructors: gives the image up where it has had its
 *                         starts, otherwise arms the deadline of the trial
 *
 * Flash works in a constructor; esp_reset_reason() and esp_timer_create() do not yet, which is why there are two. Of the
 * reset reasons the constructor needs only the deep sleep, which the ROM tells.
 *
 * Marks are bytes of seq_label in the running image's boot entry: 0..3 one start each, 4..6 one bit a deep-sleep wake.
 * Programming clears bits and needs no erase, the CRC of the entry covers ota_seq alone, and ESP-IDF and its bootloader
 * write the label back as they read it. Flash encryption writes 16 bytes at a time: there are no marks then, and no guard.
 *
 * Bootloader and partition table are never written. An image is given up by esp_ota_mark_app_invalid_rollback():
 * esp_ota_set_boot_partition(other) would make the old image NEW, and the two would take turns for ever. ESP-IDF v6.0.
 * hal/model-chip/start-up.ts is the same on the model's flash.
 */
#include "startup.h"

#include <stdio.h>
#include <string.h>

#include "app_update/include/esp_ota_ops.h"
#include "bootloader_common.h"
#include "esp_attr.h"
#include "esp_private/startup_internal.h"
#include "esp_rom_sys.h"
#include "esp_rtc_time.h"
#include "esp_sleep.h"
#include "esp_timer.h"
#include "nvs_flash/include/nvs.h"
#include "soc/reset_reasons.h"

#include "xsota_desc.h"

/* Starts and deep-sleep wakes of an image in one trial: at the next it is given up. */
#define STARTS_MAX 3
#define WAKES_MAX 20
/* Longest trial with its sleep, s. */
#define SINCE_MAX (24 * 3600)
/* TRIAL_SECONDS_MAX of src/constants.ts: where JavaScript sets no nearer deadline. */
#define TRIAL_SECONDS_MAX 900

#define START_BYTES 4
#define WAKE_BYTES_END 7
#define GIVEN_UP_MAGIC 0x58534755u

#ifndef XSOTA_BEFORE_MAIN
#define XSOTA_BEFORE_MAIN __attribute__((constructor))
#endif

extern const xsota_desc_t custom_app_desc;

/* Of the trial under way. Kept over deep sleep, zero after every other start. Times in us. */
static RTC_DATA_ATTR struct {
	uint32_t seq;
	uint64_t awake;
	uint64_t began;
} trial;

/* What had ended the run of the image that the guard gave up. Kept over the restart; by chance after power-on. */
static RTC_NOINIT_ATTR struct {
	uint32_t magic;
	uint32_t reason;
	uint32_t complement;
} given_up;

static xsota_startup_t found;
static esp_reset_reason_t reset_reason;
static esp_timer_handle_t timer;
static uint32_t deadline;

/* ---- boot entries ---- */

typedef struct {
	const esp_partition_t *partition;
	esp_ota_select_entry_t entries[2];
	/* The one that decides; -1: none. */
	int active;
} otadata_t;

static bool read_otadata(otadata_t *otadata)
{
	const esp_partition_t *partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
	otadata->partition = partition;
	if (!partition)
		return false;
	for (int i = 0; i < 2; i++)
		if (ESP_OK != esp_partition_read(partition, i * partition->erase_size, &otadata->entries[i], sizeof(otadata->entries[i])))
			return false;
	otadata->active = bootloader_common_get_active_otadata(otadata->entries);
	return true;
}

/* Of two slots. */
static bool names(const esp_ota_select_entry_t *entry, const esp_partition_t *slot)
{
	return slot && (UINT32_MAX != entry->ota_seq) && (entry->crc == bootloader_common_ota_select_crc(entry)) && (((entry->ota_seq - 1) & 1) == (uint32_t)(slot->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN));
}

static int entry_of(const otadata_t *otadata, const esp_partition_t *slot)
{
	for (int i = 0; i < 2; i++)
		if (names(&otadata->entries[i], slot))
			return i;
	return -1;
}

/* UNDEFINED: written by firmware that was built without rollback, at a board's first update to this one. */
static bool is_trial(const esp_ota_select_entry_t *entry)
{
	return (ESP_OTA_IMG_NEW == entry->ota_state) || (ESP_OTA_IMG_PENDING_VERIFY == entry->ota_state) || (ESP_OTA_IMG_UNDEFINED == entry->ota_state);
}

/* The deciding entry, if it is the running image's and that is on trial. */
static int trial_entry(const otadata_t *otadata)
{
	int active = otadata->active;
	return ((active >= 0) && names(&otadata->entries[active], esp_ota_get_running_partition()) && is_trial(&otadata->entries[active])) ? active : -1;
}

static uint32_t starts_of(const esp_ota_select_entry_t *entry)
{
	uint32_t starts = 0;
	for (int i = 0; i < START_BYTES; i++)
		starts += 0xff != entry->seq_label[i];
	return starts;
}

static uint32_t wakes_of(const esp_ota_select_entry_t *entry)
{
	uint32_t wakes = 0;
	for (int i = START_BYTES; i < WAKE_BYTES_END; i++)
		wakes += 8 - __builtin_popcount(entry->seq_label[i]);
	return wakes;
}

/* A byte that a power cut left half programmed counts: the next start takes the next one. */
static void mark(const otadata_t *otadata, int index, bool wake)
{
	const uint8_t *label = otadata->entries[index].seq_label;
	int byte = wake ? START_BYTES : 0;
	int end = wake ? WAKE_BYTES_END : START_BYTES;
	while ((byte < end) && (wake ? !label[byte] : (0xff != label[byte])))
		byte++;
	if (byte == end)
		return;
	uint8_t value = wake ? label[byte] & (label[byte] - 1) : 0;
	(void)esp_partition_write(otadata->partition, index * otadata->partition->erase_size + offsetof(esp_ota_select_entry_t, seq_label) + byte, &value, 1);
}

/*
 * A bootloader with rollback makes NEW PENDING, and what is PENDING at a start ABORTED. After a deep sleep it may have
 * taken a way that leaves the entries alone (CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP).
 */
static xsota_answer_t rolls_back(const otadata_t *otadata, bool woken)
{
	bool untouched = false;
	for (int i = 0; i < 2; i++) {
		uint32_t state = otadata->entries[i].ota_state;
		if ((ESP_OTA_IMG_ABORTED == state) || ((ESP_OTA_IMG_PENDING_VERIFY == state) && (i == otadata->active)))
			return XSOTA_YES;
		untouched |= (ESP_OTA_IMG_PENDING_VERIFY == state) || ((ESP_OTA_IMG_NEW == state) && (i == otadata->active));
	}
	return (untouched && !woken) ? XSOTA_NO : XSOTA_UNKNOWN;
}

static bool is_blank(const esp_ota_select_entry_t *entry)
{
	const uint8_t *bytes = (const uint8_t *)entry;
	for (size_t i = 0; i < sizeof(*entry); i++)
		if (0xff != bytes[i])
			return false;
	return true;
}

/*
 * Before any update the next start tells whether the bootloader has rollback, by an entry that names no slot and never
 * decides: PENDING in the unused sector.
 */
static void plant(const otadata_t *otadata)
{
	const uint32_t state = ESP_OTA_IMG_PENDING_VERIFY;
	int unused = 1 - otadata->active;
	if ((otadata->active >= 0) && is_blank(&otadata->entries[unused]))
		(void)esp_partition_write(otadata->partition, unused * otadata->partition->erase_size + offsetof(esp_ota_select_entry_t, ota_state), &state, sizeof(state));
}

/* ---- before main ---- */

XSOTA_BEFORE_MAIN void xsota_count(void)
{
	otadata_t otadata;
	bool woken = RESET_REASON_CORE_DEEP_SLEEP == esp_rom_get_reset_reason(0);
	if (!read_otadata(&otadata))
		return;
	found.rolls_back = rolls_back(&otadata, woken);
	found.guarded = !otadata.partition->encrypted;
	int index = trial_entry(&otadata);
	if (index < 0) {
		if (found.guarded && (XSOTA_UNKNOWN == found.rolls_back))
			plant(&otadata);
		return;
	}
	const esp_ota_select_entry_t *entry = &otadata.entries[index];
	uint64_t now = esp_rtc_get_time_us();
	uint32_t starts = starts_of(entry);
	uint32_t wakes = wakes_of(entry);
	found.on_trial = true;
	if (found.guarded)
		mark(&otadata, index, woken);
	if (!(starts + wakes) || (trial.seq != entry->ota_seq)) {
		trial.seq = entry->ota_seq;
		trial.awake = 0;
		trial.began = now;
	}
	found.starts = starts + !woken;
	found.wakes = wakes + woken;
	found.awake = (uint32_t)(trial.awake / 1000);
	found.since = (uint32_t)((now - trial.began) / 1000);
}

/* Returns where there is no other image, and the running one goes on. */
static void give_up(void)
{
	if (ESP_OK == esp_ota_mark_app_invalid_rollback())
		esp_restart();
}

static bool is_over(void)
{
	return found.guarded && ((found.starts > STARTS_MAX) || (found.wakes > WAKES_MAX) || (found.since > SINCE_MAX * 1000u));
}

ESP_SYSTEM_INIT_FN(xsota_arm, SECONDARY, BIT(0), 250)
{
	reset_reason = esp_reset_reason();
	if ((ESP_RST_SW == reset_reason) && (GIVEN_UP_MAGIC == given_up.magic) && (given_up.reason == ~given_up.complement))
		reset_reason = (esp_reset_reason_t)given_up.reason;
	given_up.magic = 0;
	if (!found.on_trial)
		return ESP_OK;
	if (is_over()) {
		given_up.reason = reset_reason;
		given_up.complement = ~given_up.reason;
		given_up.magic = GIVEN_UP_MAGIC;
		give_up();
		given_up.magic = 0;
	}
	xsota_deadline(TRIAL_SECONDS_MAX * 1000u);
	return ESP_OK;
}

/* ---- the deadline ---- */

/* As hal/moddable/fault-record.ts reads it: a string in COBS, which is one length and the text where no byte is 0. */
static void record_fault(void)
{
	char text[96];
	nvs_handle_t handle;
	int length = snprintf(text, sizeof(text), "?%s: not confirmed within %u s", custom_app_desc.version, (unsigned)(deadline / 1000));
	text[0] = (char)length;
	if (ESP_OK != nvs_open("xs-ota-run", NVS_READWRITE, &handle))
		return;
	if (ESP_OK == nvs_set_str(handle, "fault", text))
		(void)nvs_commit(handle);
	nvs_close(handle);
}

/* In the task of esp_timer, which runs also while the one of XS is blocked. */
static void expired(void *unused)
{
	(void)unused;
	if (!xsota_on_trial())
		return;
	record_fault();
	give_up();
	esp_restart();
}

void xsota_deadline(uint32_t milliseconds)
{
	static const esp_timer_create_args_t arguments = {.callback = expired, .name = "xs-ota trial"};
	if (!timer && (ESP_OK != esp_timer_create(&arguments, &timer)))
		return;
	(void)esp_timer_stop(timer);
	deadline = milliseconds;
	if (milliseconds)
		(void)esp_timer_start_once(timer, milliseconds * 1000ull);
}

/* ---- for ota.c ---- */

const xsota_startup_t *xsota_startup(void)
{
	return &found;
}

esp_reset_reason_t xsota_reset_reason(void)
{
	return reset_reason;
}

bool xsota_on_trial(void)
{
	otadata_t otadata;
	return read_otadata(&otadata) && (trial_entry(&otadata) >= 0);
}

xsota_answer_t xsota_started(const esp_partition_t *slot)
{
	otadata_t otadata;
	if (!read_otadata(&otadata) || otadata.partition->encrypted)
		return XSOTA_UNKNOWN;
	int index = entry_of(&otadata, slot);
	if (index < 0)
		return XSOTA_UNKNOWN;
	return (starts_of(&otadata.entries[index]) + wakes_of(&otadata.entries[index])) ? XSOTA_YES : XSOTA_NO;
}

/* It stays where no other entry would decide for the running slot. */
esp_err_t xsota_forget_marks(const esp_partition_t *slot)
{
	otadata_t otadata;
	if (XSOTA_YES != xsota_started(slot) || !read_otadata(&otadata))
		return ESP_OK;
	int index = entry_of(&otadata, slot);
	const esp_ota_select_entry_t *rest = &otadata.entries[1 - index];
	bool decides = names(rest, esp_ota_get_running_partition()) && (ESP_OTA_IMG_INVALID != rest->ota_state) && (ESP_OTA_IMG_ABORTED != rest->ota_state);
	if ((otadata.active == index) && !decides)
		return ESP_OK;
	return esp_partition_erase_range(otadata.partition, index * otadata.partition->erase_size, otadata.partition->erase_size);
}

esp_err_t xsota_sleep(uint32_t seconds)
{
	const esp_partition_t *slot = esp_ota_get_running_partition();
	esp_ota_img_states_t state;
	/* The same number, and NEW again: the wake is not the end of the trial. */
	if ((ESP_OK == esp_ota_get_state_partition(slot, &state)) && (ESP_OTA_IMG_PENDING_VERIFY == state)) {
		esp_err_t err = esp_ota_set_boot_partition(slot);
		if (ESP_OK != err)
			return err;
	}
	trial.awake += (uint64_t)esp_timer_get_time();
	(void)esp_sleep_enable_timer_wakeup(seconds * 1000000ull);
	esp_deep_sleep_start();
}
