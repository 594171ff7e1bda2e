"""The audit log: who did what to what; rows are added, never changed."""

from collections.abc import Mapping
from typing import Any

from hub.store.tables import Audit
from hub.store.unit import Unit


def record(
    unit: Unit, *, actor: str, act: str, target: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Add a line in the same transaction as the act. ``detail`` holds no secrets."""
    unit.session.add(
        Audit(at=unit.now(), actor=actor, act=act, target=target, detail=dict(detail or {}))
    )
