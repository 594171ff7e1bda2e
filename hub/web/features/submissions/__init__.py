"""Readings that people send: the form, what it would cost, what became of it."""
