"""The main page of a contract."""
