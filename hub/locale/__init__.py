"""Message catalogs; ``hub.web.kit.i18n`` reads them."""
