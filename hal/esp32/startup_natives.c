/* The start-up's findings and the trial's end, for ota.ts. startup.c does the work. */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include "slots.h"
#include "startup.h"

/* deadline(ms) */
void xs_ota_deadline(xsMachine *the)
{
	xsota_deadline(xsmcToUnsigned(xsArg(0)));
}

/* sleep(seconds): does not return */
void xs_ota_sleep(xsMachine *the)
{
	const esp_partition_t *slot = runningSlot(the);
	throwIf(the, xsota_sleep(xsmcToUnsigned(xsArg(0))), "sleep", slot, 0);
}

/* startUp(): as StartUp in src/ports.ts */
void xs_ota_startUp(xsMachine *the)
{
	const xsota_startup_t *found = xsota_startup();
	xsmcVars(1);
	xsmcSetNewObject(xsResult);
	if (XSOTA_UNKNOWN == found->rolls_back) {
		xsmcSetUndefined(xsVar(0));
		xsmcSet(xsResult, xsID_bootloaderRollsBack, xsVar(0));
	} else {
		SET_PROPERTY(xsID_bootloaderRollsBack, Boolean, XSOTA_YES == found->rolls_back);
	}
	SET_PROPERTY(xsID_guarded, Boolean, found->guarded);
	SET_PROPERTY(xsID_starts, Unsigned, found->starts);
	SET_PROPERTY(xsID_wakes, Unsigned, found->wakes);
	SET_PROPERTY(xsID_awake, Unsigned, found->awake);
	SET_PROPERTY(xsID_since, Unsigned, found->since);
}

/* targetStarted() -> boolean, or undefined */
void xs_ota_targetStarted(xsMachine *the)
{
	xsota_answer_t started = xsota_started(targetSlot(the));
	if (XSOTA_UNKNOWN != started)
		xsmcSetBoolean(xsResult, XSOTA_YES == started);
}
