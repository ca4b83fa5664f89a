/* As lwIP 2.1 has them. */
#ifndef FAKE_LWIP_ERR_H
#define FAKE_LWIP_ERR_H

#include <stdint.h>

typedef uint8_t u8_t;
typedef uint16_t u16_t;
typedef uint32_t u32_t;
typedef int8_t err_t;

enum { ERR_OK = 0, ERR_MEM = -1, ERR_BUF = -2, ERR_RTE = -4, ERR_VAL = -6, ERR_CONN = -11, ERR_ABRT = -13, ERR_RST = -14 };

#endif
