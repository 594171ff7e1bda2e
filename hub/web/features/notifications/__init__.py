"""Notifications of a contract."""
