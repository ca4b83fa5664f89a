/* Starts the fakes of tests/esp32/fake-idf, in this process. */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake_idf.h"

/* start(flash, nvs, slot, reason) */
void xs_fake_chip_start(xsMachine *the)
{
	static char flash[512], nvs[512];
	xsmcToStringBuffer(xsArg(0), flash, sizeof(flash));
	xsmcToStringBuffer(xsArg(1), nvs, sizeof(nvs));
	fake_idf_start(flash, nvs, xsmcToInteger(xsArg(2)), xsmcToInteger(xsArg(3)));
}

/* failNext(operation) */
void xs_fake_chip_failNext(xsMachine *the)
{
	fake_idf_fail_next(xsmcToString(xsArg(0)));
}

void fake_restart(void)
{
	printf("{\"restart\":true}\n");
	fflush(stdout);
	exit(0);
}
