#ifndef ESP_ATTR_H
#define ESP_ATTR_H

/* Sections that the fakes keep in a file from one start to the next. */
#define RTC_DATA_ATTR __attribute__((section("rtc_data")))
#define RTC_NOINIT_ATTR __attribute__((section("rtc_noinit")))

/* startup.c's constructor: the fakes call it, once the flash is open. */
#define XSOTA_BEFORE_MAIN

#endif
