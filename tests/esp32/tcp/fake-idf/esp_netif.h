#ifndef FAKE_ESP_NETIF_H
#define FAKE_ESP_NETIF_H

typedef struct esp_netif esp_netif_t;
esp_netif_t *esp_netif_get_default_netif(void);

#endif
