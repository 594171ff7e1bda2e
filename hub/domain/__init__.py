"""Nouns and rules of metering; no I/O."""
