"""Plugins: the only door into the hub for meters and suppliers."""
