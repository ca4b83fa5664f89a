#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include <signal.h>
#include <stdlib.h>

void xs_process_environment(xsMachine *the)
{
  char *value = getenv(xsmcToString(xsArg(0)));
  if (value != NULL)
    xsmcSetString(xsResult, value);
}

void xs_process_ignoreBrokenPipes(xsMachine *the)
{
  (void)the;
#ifdef SIGPIPE
  signal(SIGPIPE, SIG_IGN);
#endif
}
