"""``/api/v1``: what programs read and send with a personal token."""
