"""Vertical slices; each exports ``router`` and knows no other slice."""
