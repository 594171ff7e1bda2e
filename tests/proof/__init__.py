"""Proofs in full size; see run.py."""
