#ifndef FAKE_ESP_TIMER_TASK_H
#define FAKE_ESP_TIMER_TASK_H

#include "esp_timer.h"

/* Ends the timer's task, if there is one. */
void fakeTimersStop(void);

#endif
