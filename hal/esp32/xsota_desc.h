/*
 * The firmware block: what this firmware is, in the image itself, right behind ESP-IDF's app description ("custom app
 * description" in the ESP-IDF programming guide, "App Image Format"). Moddable builds every app as project "xs_esp32",
 * so the app description tells products apart no more than versions. docs/SPEC.md fixes the bytes; src/image reads
 * them.
 *
 *   offset  bytes
 *        0      4  magic "XSOT"
 *        4      1  format: 1
 *        5      3  0
 *        8     32  product: 1..31 printable ASCII characters, then zeros
 *       40     32  version: likewise
 *       72      4  security floor, little-endian: once this firmware is confirmed, none with a lower one is installed
 *
 * In an image file it begins at 288: image header 24, segment header 8, app description 256.
 */
#ifndef XSOTA_DESC_H
#define XSOTA_DESC_H

#include <stdint.h>

#define XSOTA_DESC_MAGIC 0x544F5358u
#define XSOTA_DESC_FORMAT 1
#define XSOTA_DESC_TEXT 32

typedef struct {
	uint32_t magic;
	uint8_t format;
	uint8_t reserved[3];
	char product[XSOTA_DESC_TEXT];
	char version[XSOTA_DESC_TEXT];
	uint32_t security_floor;
} xsota_desc_t;

_Static_assert(sizeof(xsota_desc_t) == 76, "the firmware block is a file format");

#endif
