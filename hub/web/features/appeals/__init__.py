"""Appeals of a contract."""
