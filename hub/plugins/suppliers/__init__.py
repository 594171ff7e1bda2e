"""Supplier connectors that come with the hub, one package each."""
