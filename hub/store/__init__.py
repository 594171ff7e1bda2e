"""The only place that speaks SQL; synchronous, SQLite or PostgreSQL."""
