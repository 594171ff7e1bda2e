"""Profiles."""
class BlockDamaged(ValueError):
    pass
