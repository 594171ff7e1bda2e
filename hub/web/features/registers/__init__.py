"""Registers of a point and its use by day, week and month."""
