/*
 * TCP and UDP sockets for lwip-sockets.ts. XS's task runs all of it. What can not be done is returned, not thrown: out
 * of a callback a throw aborts XS. ESP-IDF v6.0, Moddable SDK 8.2.
 */
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"

#include "esp_netif.h"

#include "lwip_notify.h"
#include "tcp_connection.h"
#include "udp_endpoint.h"

/* An IPv6 address with a zone and a zero (IP6ADDR_STRLEN_MAX). */
#define ADDRESS_TEXT 56

static xsSlot callback;

static void deliver(void *the, void *refcon, uint8_t *message, uint16_t length)
{
	(void)refcon;
	(void)message;
	(void)length;
	lwipBegin();
	xsBeginHost((xsMachine *)the);
	xsCallFunction0(callback, xsGlobal);
	xsEndHost((xsMachine *)the);
}

/* start(callback): called whenever `next` has something. Once, before all others. */
void xs_lwip_start(xsMachine *the)
{
	if (!lwipNotifyStart(the, deliver))
		xsUnknownError("sockets: out of memory");
	callback = xsArg(0);
	xsRemember(callback);
}

/* next() -> handle << 8 | event << 4 | cause, or undefined: for now that was all */
void xs_lwip_next(xsMachine *the)
{
	struct lwipHappening happening;
	if (lwipNext(&happening))
		xsmcSetInteger(xsResult, happening.handle << 8 | happening.event << 4 | happening.cause);
}

/* Without a network interface lwIP's task may not run yet, and would abort at the first message. */
static xsBooleanValue hasNetwork(void)
{
	return esp_netif_get_default_netif() != NULL;
}

static xsBooleanValue addressArgument(xsMachine *the, int index, ip_addr_t *address)
{
	char text[ADDRESS_TEXT];
	xsmcToStringBuffer(xsArg(index), text, sizeof(text));
	return ipaddr_aton(text, address);
}

/* tcpWindow() -> bytes */
void xs_lwip_tcpWindow(xsMachine *the)
{
	xsmcSetInteger(xsResult, (xsIntegerValue)tcpConnectionWindow());
}

/* tcpOpen(address, port) -> handle, or -cause */
void xs_lwip_tcpOpen(xsMachine *the)
{
	ip_addr_t address;
	enum lwipCause cause = LWIP_FAILED;
	lwipHandle handle = -1;
	if (!addressArgument(the, 0, &address))
		cause = LWIP_BAD_ADDRESS;
	else if (!hasNetwork())
		cause = LWIP_NO_ROUTE;
	else
		handle = tcpConnectionOpen(&address, (uint16_t)xsmcToInteger(xsArg(1)), &cause);
	xsmcSetInteger(xsResult, handle < 0 ? -(xsIntegerValue)cause : handle);
}

/* tcpRead(handle, bytes) -> how many were filled */
void xs_lwip_tcpRead(xsMachine *the)
{
	void *bytes = NULL;
	xsUnsignedValue length = 0;
	lwipHandle handle = xsmcToInteger(xsArg(0));
	xsmcGetBufferWritable(xsArg(1), &bytes, &length);
	xsmcSetInteger(xsResult, (xsIntegerValue)tcpConnectionRead(handle, bytes, length));
}

/* tcpWrite(handle, bytes) -> how many were taken. XS's task waits for lwIP's meanwhile, so the bytes do not move. */
void xs_lwip_tcpWrite(xsMachine *the)
{
	void *bytes = NULL;
	xsUnsignedValue length = 0;
	lwipHandle handle = xsmcToInteger(xsArg(0));
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	xsmcSetInteger(xsResult, (xsIntegerValue)tcpConnectionWrite(handle, bytes, length));
}

/* tcpClose(handle) */
void xs_lwip_tcpClose(xsMachine *the)
{
	tcpConnectionClose(xsmcToInteger(xsArg(0)));
}

/* udpOpen() -> handle, or -cause */
void xs_lwip_udpOpen(xsMachine *the)
{
	enum lwipCause cause = LWIP_NO_ROUTE;
	lwipHandle handle = hasNetwork() ? udpEndpointOpen(&cause) : -1;
	xsmcSetInteger(xsResult, handle < 0 ? -(xsIntegerValue)cause : handle);
}

/* udpRead(handle) -> ArrayBuffer, or undefined: none waits */
void xs_lwip_udpRead(xsMachine *the)
{
	lwipHandle handle = xsmcToInteger(xsArg(0));
	uint32_t length = udpEndpointWaiting(handle);
	if (length == 0)
		return;
	/* Making the buffer may throw: the datagram stays. */
	xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)length);
	udpEndpointRead(handle, xsmcToArrayBuffer(xsResult), length);
}

/* udpWrite(handle, bytes, address, port) -> 0, or the cause why not */
void xs_lwip_udpWrite(xsMachine *the)
{
	ip_addr_t address;
	void *bytes = NULL;
	xsUnsignedValue length = 0;
	enum lwipCause cause = LWIP_BAD_ADDRESS;
	lwipHandle handle = xsmcToInteger(xsArg(0));
	uint16_t port = (uint16_t)xsmcToInteger(xsArg(3));
	if (addressArgument(the, 2, &address)) {
		xsmcGetBufferReadable(xsArg(1), &bytes, &length);
		cause = udpEndpointWrite(handle, bytes, length, &address, port);
	}
	xsmcSetInteger(xsResult, cause);
}

/* udpClose(handle) */
void xs_lwip_udpClose(xsMachine *the)
{
	udpEndpointClose(xsmcToInteger(xsArg(0)));
}
