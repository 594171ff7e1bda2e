"""How people sort what happens at a meter, and a picture for each sort."""

from collections.abc import Mapping

from hub.domain.events import KINDS, UNKNOWN, Group, kind_of
from hub.web.kit.i18n import N_

TOPICS: Mapping[str, tuple[str, str]] = {
    "power": (N_("Power supply"), "unplug"),
    "voltage": (N_("Voltage and current"), "zap"),
    "clock": (N_("Clock"), "clock"),
    "tampering": (N_("Covers and magnet"), "package-open"),
    "limits": (N_("Limits"), "gauge"),
    "settings": (N_("Settings"), "sliders-horizontal"),
    "meter": (N_("Meter"), "activity"),
}
BY_GROUP = {
    Group.POWER: "power",
    Group.VOLTAGE: "voltage",
    Group.CURRENT: "voltage",
    Group.QUALITY: "voltage",
    Group.CLOCK: "clock",
    Group.TAMPERING: "tampering",
    Group.POWER_CONTROL: "limits",
    Group.PROGRAMMING: "settings",
}


def topic_of(kind: str) -> str:
    """Sort a kind of event; what has no group is the meter's own matter."""
    if kind == "energy_limit_exceeded":
        return "limits"
    group = kind_of(kind).group
    return BY_GROUP.get(group, "meter") if group is not None else "meter"


KINDS_OF = {
    topic: tuple(kind for kind in (*KINDS, UNKNOWN) if topic_of(kind) == topic) for topic in TOPICS
}
