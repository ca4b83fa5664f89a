/* The native functions of the chip that a call may name. */
#include "xsmc.h"
#include "xsota_desc.h"

typedef void (*function_t)(xsMachine *the);

#define FUNCTIONS(F) \
	F(xs_ota_describe) F(xs_ota_erase) F(xs_ota_write) F(xs_ota_read) F(xs_ota_readRunning) F(xs_ota_equals) F(xs_ota_running) F(xs_ota_invalidate) \
	F(xs_ota_verify) F(xs_ota_activate) F(xs_ota_confirm) F(xs_ota_rollback) F(xs_ota_lastInvalid) F(xs_ota_resetReason) F(xs_ota_restart) \
	F(xs_nvs_getNumber) F(xs_nvs_setNumber) F(xs_nvs_getLong) F(xs_nvs_setLong) F(xs_nvs_getBytes) F(xs_nvs_setBytes) F(xs_nvs_remove)

/* ota.c */
extern const xsota_desc_t custom_app_desc;

#define DECLARE(NAME) void NAME(xsMachine *the);
FUNCTIONS(DECLARE)
