/* RTC memory and time, the CRC in ROM, timers, and what the chip's start calls of startup.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_rom_crc.h"
#include "esp_rom_sys.h"
#include "esp_rtc_time.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "fake_idf.h"

/* Of the linker, for sections whose names are C identifiers. */
extern char __start_rtc_data[], __stop_rtc_data[], __start_rtc_noinit[], __stop_rtc_noinit[];

struct esp_timer {
	struct esp_timer *next;
	esp_timer_create_args_t arguments;
	uint64_t due;
};

static char path[512];
static uint64_t now;
static uint64_t slept;
static struct esp_timer *timers;

static void load(FILE *file, char *from, char *to, int keep)
{
	char dropped[2048];
	size_t length = to - from;
	if (fread(keep ? from : dropped, 1, length, file) != length)
		exit(71);
}

/* RTC_DATA_ATTR is kept over deep sleep alone, RTC_NOINIT_ATTR over all but a loss of power. */
void fake_rtc_start(const char *nvs, int reason)
{
	snprintf(path, sizeof(path), "%s.rtc", nvs);
	int power = (reason == ESP_RST_POWERON) || (reason == ESP_RST_BROWNOUT);
	FILE *file = fopen(path, "rb");
	if (!file)
		return;
	if (fread(&now, sizeof(now), 1, file) != 1)
		exit(71);
	load(file, __start_rtc_data, __stop_rtc_data, reason == ESP_RST_DEEPSLEEP);
	load(file, __start_rtc_noinit, __stop_rtc_noinit, !power);
	fclose(file);
	if (power)
		now = 0;
}

static void store(void)
{
	FILE *file = fopen(path, "wb");
	uint64_t then = now + slept;
	fwrite(&then, sizeof(then), 1, file);
	fwrite(__start_rtc_data, 1, __stop_rtc_data - __start_rtc_data, file);
	fwrite(__start_rtc_noinit, 1, __stop_rtc_noinit - __start_rtc_noinit, file);
	fclose(file);
}

/* Time since this start goes by the same clock. */
static uint64_t began;

void fake_time_passes(uint64_t microseconds)
{
	now += microseconds;
	for (struct esp_timer *timer = timers; timer; timer = timer->next) {
		if (timer->due && (timer->due <= now)) {
			timer->due = 0;
			timer->arguments.callback(timer->arguments.arg);
		}
	}
}

uint64_t esp_rtc_get_time_us(void)
{
	if (!began)
		began = now;
	return now;
}

int64_t esp_timer_get_time(void)
{
	return (int64_t)(now - began);
}

soc_reset_reason_t esp_rom_get_reset_reason(int cpu)
{
	(void)cpu;
	return (fake_reset_reason() == ESP_RST_DEEPSLEEP) ? RESET_REASON_CORE_DEEP_SLEEP : RESET_REASON_CORE_SW;
}

uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *buf, uint32_t len)
{
	crc = ~crc;
	for (uint32_t i = 0; i < len; i++) {
		crc ^= buf[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) ? 0xedb88320u : 0);
	}
	return ~crc;
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *arguments, esp_timer_handle_t *handle)
{
	struct esp_timer *timer = calloc(1, sizeof(*timer));
	timer->arguments = *arguments;
	timer->next = timers;
	*handle = timers = timer;
	return ESP_OK;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t handle, uint64_t microseconds)
{
	handle->due = now + microseconds;
	return ESP_OK;
}

esp_err_t esp_timer_stop(esp_timer_handle_t handle)
{
	handle->due = 0;
	return ESP_OK;
}

esp_err_t esp_sleep_enable_timer_wakeup(uint64_t microseconds)
{
	slept = microseconds;
	return ESP_OK;
}

void esp_deep_sleep_start(void)
{
	store();
	fake_restart();
}

void esp_restart(void)
{
	store();
	fake_restart();
}
