/* The native functions of the chip that a call may name. */
#include "fake_idf.h"
#include "xsmc.h"
#include "xsota_desc.h"

typedef void (*function_t)(xsMachine *the);

#define FUNCTIONS(F) \
	F(xs_ota_describe) F(xs_ota_erase) F(xs_ota_write) F(xs_ota_read) F(xs_ota_readRunning) F(xs_ota_equals) F(xs_ota_running) F(xs_ota_invalidate) \
	F(xs_ota_verify) F(xs_ota_activate) F(xs_ota_confirm) F(xs_ota_rollback) F(xs_ota_lastInvalid) F(xs_ota_resetReason) F(xs_ota_restart) \
	F(xs_ota_buildFacts) F(xs_ota_startUp) F(xs_ota_targetStarted) F(xs_ota_deadline) F(xs_ota_sleep) \
	F(xs_retained_read) F(xs_retained_write) F(xs_ota_expander_open) F(xs_ota_expander_begin) F(xs_ota_expander_next) F(xs_ota_expander_close) \
	F(xs_nvs_getNumber) F(xs_nvs_setNumber) F(xs_nvs_getLong) F(xs_nvs_setLong) F(xs_nvs_getBytes) F(xs_nvs_setBytes) F(xs_nvs_remove)

/* ota.c */
extern const xsota_desc_t custom_app_desc;

#define DECLARE(NAME) void NAME(xsMachine *the);
FUNCTIONS(DECLARE)

/* For the test alone. */
static void fake_encrypt(xsMachine *the)
{
	(void)the;
	fake_idf_encrypt();
}

static void fake_lose_slot(xsMachine *the)
{
	(void)the;
	fake_idf_lose_slot();
}

static void fake_fail_next(xsMachine *the)
{
	fake_idf_fail_next(xsmcToString(xsArg(0)));
}

/* Milliseconds. */
static void fake_time(xsMachine *the)
{
	fake_time_passes((uint64_t)xsmcToNumber(xsArg(0)) * 1000);
}

static void fake_firmware_block(xsMachine *the)
{
	xsmcSetArrayBuffer(xsResult, &custom_app_desc, sizeof(custom_app_desc));
}
