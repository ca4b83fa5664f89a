/*
 * Runs a Moddable app that was built for the Linux simulator without a window: the calls that mcsim makes on its app
 * (txScreen in the SDK's build/simulators/modules/screen.h), and nothing else of mcsim.
 *
 *   headless path/to/mc.so
 *
 * What the app traces goes to stdout, line by line. Status: 1 where the machine aborted (what it says is on stdout), 64
 * and up where the app could not be started. JavaScript's screen.postMessage("exit:N") ends with status N.
 */
#define mxLinux 1
#include <dlfcn.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
