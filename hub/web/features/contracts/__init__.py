"""Adding a contract."""
