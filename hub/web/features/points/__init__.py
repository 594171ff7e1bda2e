"""Metering points: the list and a point's general information."""
