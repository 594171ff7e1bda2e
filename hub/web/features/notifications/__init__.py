"""Notifications: the list, and one opened."""
