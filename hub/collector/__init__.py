"""Decides what to read and when, visits meters line by line, and keeps going."""
