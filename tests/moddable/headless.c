/*
 * Runs a Moddable app that was built for the Linux simulator without a window: the calls that mcsim makes on its app
 * (txScreen in the SDK's build/simulators/modules/screen.h), and nothing else of mcsim.
 *
 *   headless path/to/mc.so
 *
 * What the app traces goes to stdout, line by line. Status: 1 where the machine aborted (what it says is on stdout), 64
 * and up where the app could not be started. JavaScript's screen.postMessage("exit:N") ends with status N.
 *
 * XS_OTA_CREATION="CHUNK HEAP STACK" in the environment takes the place of the manifest's "creation": bytes of chunks,
 * slots of heap and of stack, which then do not grow.
 */
#define _GNU_SOURCE 1
#define mxLinux 1
#include <dlfcn.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "screen.h"

enum { WIDTH = 240, HEIGHT = 320 };

static guint gTick;

static void leave(int status)
{
  fflush(NULL);
  _exit(status);
}

static void onAbort(txScreen *screen, int status)
{
  (void)screen;
  (void)status;
  leave(1);
}

static void onMessage(txScreen *screen, char *message, int size)
{
  (void)screen;
  if (size == 0 && strncmp(message, "exit:", 5) == 0)
    leave(atoi(message + 5));
}

static void onPixels(txScreen *screen)
{
  (void)screen;
}

static gboolean onTick(gpointer data)
{
  txScreen *screen = data;
  if (screen->idle != NULL)
    screen->idle(screen);
  return G_SOURCE_CONTINUE;
}

static void onStart(txScreen *screen, double milliseconds)
{
  if (gTick == 0)
    gTick = g_timeout_add((guint)milliseconds, onTick, screen);
}

static void onStop(txScreen *screen)
{
  (void)screen;
  if (gTick != 0)
    g_source_remove(gTick);
  gTick = 0;
}

/* The first members of xsCreationRecord (the SDK's xs/includes/xs.h), in the read-only data of the app. */
struct creation {
  int32_t chunk, chunkMore, heap, heapMore, stack;
};

static int fixHeaps(void *app)
{
  const char *sizes = getenv("XS_OTA_CREATION");
  if (sizes == NULL)
    return 1;
  struct creation fixed = {0, 0, 0, 0, 0}, *creation = NULL;
  void *(*preparation)(struct creation **) = (void *(*)(struct creation **))dlsym(app, "xsPreparationAndCreation");
  if (preparation == NULL || sscanf(sizes, "%d %d %d", &fixed.chunk, &fixed.heap, &fixed.stack) != 3)
    return 0;
  preparation(&creation);
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)creation & ~(page - 1);
  if (mprotect((void *)first, (uintptr_t)(creation + 1) - first, PROT_READ | PROT_WRITE) != 0)
    return 0;
  *creation = fixed;
  return 1;
}

int main(int count, char *arguments[])
{
  if (count != 2) {
    fprintf(stderr, "usage: headless path/to/mc.so\n");
    return 64;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  void *app = dlopen(arguments[1], RTLD_NOW);
  txScreenLaunchProc launch = app == NULL ? NULL : (txScreenLaunchProc)dlsym(app, "fxScreenLaunch");
  if (launch == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 65;
  }
  if (!fixHeaps(app)) {
    fprintf(stderr, "XS_OTA_CREATION can not be had\n");
    return 68;
  }
  txScreen *screen = calloc(1, sizeof *screen + WIDTH * HEIGHT * screenBytesPerPixel);
  if (screen == NULL)
    return 66;
  screen->width = WIDTH;
  screen->height = HEIGHT;
  screen->abort = onAbort;
  screen->bufferChanged = onPixels;
  screen->formatChanged = onPixels;
  screen->post = onMessage;
  screen->start = onStart;
  screen->stop = onStop;
  mxCreateMutex(&screen->workersMutex);
  launch(screen);
  if (screen->machine == NULL) {
    fprintf(stderr, "%s does not start\n", arguments[1]);
    return 67;
  }
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
  return 0;
}
