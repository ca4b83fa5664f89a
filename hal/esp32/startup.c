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
#include "esp_attr.h"
#include "esp_private/startup_internal.h"
#include "esp_rom_sys.h"
#include "esp_rtc_time.h"
#include "esp_sleep.h"
#include "esp_timer.h"
#include "nvs_flash/include/nvs.h"
#include "soc/reset_reasons.h"

#include "boot_entries.h"
#include "xsota_desc.h"

/* Starts and deep-sleep wakes of an image in one trial: at the next it is given up. */
#define STARTS_MAX 3
#define WAKES_MAX 20
/* Longest trial with its sleep, s. */
#define SINCE_MAX (24 * 3600)
/* TRIAL_SECONDS_MAX of src/constants.ts: where JavaScript sets no nearer deadline. */
#define TRIAL_SECONDS_MAX 900

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

/* ---- before main ---- */

XSOTA_BEFORE_MAIN void xsota_count(void)
{
	otadata_t otadata;
	bool woken = RESET_REASON_CORE_DEEP_SLEEP == esp_rom_get_reset_reason(0);
	if (!xsota_read_otadata(&otadata))
		return;
	found.rolls_back = xsota_rolls_back(&otadata, woken);
	found.guarded = !otadata.partition->encrypted;
	if (otadata.active < 0)
		xsota_repair(&otadata);
	int index = xsota_trial_entry(&otadata);
	if (index < 0) {
		if (found.guarded && (XSOTA_UNKNOWN == found.rolls_back))
			xsota_plant(&otadata);
		return;
	}
	const esp_ota_select_entry_t *entry = &otadata.entries[index];
	uint64_t now = esp_rtc_get_time_us();
	uint32_t starts = xsota_starts_of(entry);
	uint32_t wakes = xsota_wakes_of(entry);
	found.on_trial = true;
	if (found.guarded)
		xsota_mark(&otadata, index, woken);
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
	return xsota_read_otadata(&otadata) && (xsota_trial_entry(&otadata) >= 0);
}

xsota_answer_t xsota_started(const esp_partition_t *slot)
{
	otadata_t otadata;
	if (!xsota_read_otadata(&otadata) || otadata.partition->encrypted)
		return XSOTA_UNKNOWN;
	int index = xsota_entry_of(&otadata, slot);
	if (index < 0)
		return XSOTA_UNKNOWN;
	return (xsota_starts_of(&otadata.entries[index]) + xsota_wakes_of(&otadata.entries[index])) ? XSOTA_YES : XSOTA_NO;
}

/*
 * The entry that esp_ota_set_boot_partition(slot) will write. It stays where no other entry would decide for the running
 * slot.
 */
esp_err_t xsota_forget_marks(const esp_partition_t *slot)
{
	otadata_t otadata;
	if (!xsota_read_otadata(&otadata) || otadata.partition->encrypted)
		return ESP_OK;
	int active = otadata.active;
	bool decides = (active >= 0) && xsota_names(&otadata.entries[active], slot);
	int index = (active < 0) ? 0 : decides ? active : 1 - active;
	if (xsota_is_erased(otadata.entries[index].seq_label, sizeof(otadata.entries[index].seq_label)))
		return ESP_OK;
	const esp_ota_select_entry_t *rest = &otadata.entries[1 - index];
	bool rest_decides = xsota_names(rest, esp_ota_get_running_partition()) && (ESP_OTA_IMG_INVALID != rest->ota_state) && (ESP_OTA_IMG_ABORTED != rest->ota_state);
	if (decides && !rest_decides)
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
