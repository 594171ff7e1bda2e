"""The load profile of a point."""
