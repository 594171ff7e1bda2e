"""The person's own data, password and sessions."""
