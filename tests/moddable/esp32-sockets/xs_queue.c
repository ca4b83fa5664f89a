/* Messages to XS's task are taken by its main loop; the network is there as soon as somebody asks for it. */
#include "xsHost.h"

#include <glib.h>

#include "esp_netif.h"
#include "loopback.h"

struct message {
	xsMachine *the;
	modMessageDeliver callback;
};

static gboolean deliver(gpointer data)
{
	struct message *message = data;
	message->callback(message->the, NULL, NULL, 0);
	return G_SOURCE_REMOVE;
}

int modMessagePostToMachineFromISR(xsMachine *the, modMessageDeliver callback, void *refcon)
{
	struct message *message = g_new(struct message, 1);
	(void)refcon;
	*message = (struct message){the, callback};
	g_idle_add_full(G_PRIORITY_DEFAULT, deliver, message, g_free);
	return 0;
}

esp_netif_t *esp_netif_get_default_netif(void)
{
	static gsize started;
	if (g_once_init_enter(&started)) {
		fakeLwipStart(&loopback);
		g_once_init_leave(&started, 1);
	}
	return (esp_netif_t *)&loopback;
}
