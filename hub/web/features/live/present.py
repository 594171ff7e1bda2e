"""Words and pictures of the values that a meter shows now."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from markupsafe import Markup

from hub.domain.meters import PHASE_LETTERS
from hub.services.live import FRESH, LASTS, LivePage
from hub.services.points import Contact
from hub.services.sentences import duration
from hub.web.features.live.diagram import (
    MINUTES,
    Phase,
    PowerLine,
    VectorDiagram,
    draw_power,
    draw_vectors,
)
from hub.web.features.live.views import Cell, LiveView, Quantity
from hub.web.kit.error_words import WORDS
from hub.web.kit.formats import KILO, UNKNOWN, kilowatts, moment, number, share
from hub.web.kit.i18n import NBSP, gettext
from hub.web.kit.point_head import head_of, time_words

FEW_AMPERES = 10
WIDTHS = {"wide-only": 620.0, "narrow-only": 320.0}  # of the line, by what shows it
# Voltages of a household that are well; of another nominal voltage a tenth either way.
HOUSEHOLD_FROM, HOUSEHOLD = 200, (Decimal(198), Decimal(242))
HOUSEHOLD_NOMINAL = Decimal(220)
TENTH = Decimal("0.1")
HALF_TURN = 180  # degrees

U = ("32.7.0", "52.7.0", "72.7.0")
I = ("31.7.0", "51.7.0", "71.7.0")  # noqa: E741 - as everybody calls it
P = ("21.7.0", "41.7.0", "61.7.0")
Q = ("23.7.0", "43.7.0", "63.7.0")
S = ("29.7.0", "49.7.0", "69.7.0")
COS = ("33.7.0", "53.7.0", "73.7.0")
THD = ("32.7.124", "52.7.124", "72.7.124")
P_ALL, Q_ALL, S_ALL, COS_ALL = "1.7.0", "3.7.0", "9.7.0", "13.7.0"
FREQUENCY, TEMPERATURE = "14.7.0", "0-0:96.9.0"
A_TO_B, A_TO_C, B_TO_C = "81.7.1", "81.7.2", "81.7.12"

Values = Mapping[str, Decimal]
Write = Callable[[Decimal | None], str]


def live_view(found: LivePage, now: datetime, *, paused: bool, since: int, first: bool) -> LiveView:
    """Word a page; ``since``: when it began to ask, in seconds; ``first``: it is the whole page."""
    card, values = found.card, found.values
    zone = ZoneInfo(card.time_zone)
    here = now.astimezone(zone)
    at = None if found.at is None else found.at.astimezone(zone)
    power = values.get(P_ALL)
    norm = _norm(found.nominal_v)
    phases = [n for n in range(3) if U[n] in values or P[n] in values] or [0, 1, 2]
    state = _state(found, now)
    mode: Literal["on", "paused", "stopped", "off"] = "on"
    if not found.can:
        mode = "off"
    elif paused:
        mode = "paused"
    elif now.timestamp() - since > LASTS.total_seconds():
        mode = "stopped"
    exporting = power is not None and power < 0
    shared = found.limit_w if power is not None and not exporting else None
    return LiveView(
        head=head_of(card, now, "live"),
        here=f"/points/{card.id}/live",
        contract_id=card.contract_id,
        mode=mode,
        first=first,
        since=since,
        state=state,
        at_text=_moment(at, here),
        retry_text=_moment(found.retry_at and found.retry_at.astimezone(zone), here),
        trouble=_trouble(found) if state == "lost" else "",
        waiting=found.waiting,
        power=kilowatts(power),
        share=""
        if shared is None or power is None
        else gettext("%(share)s of the allowed %(limit)s kW")
        % {"share": share(power, shared), "limit": number(shared / KILO, 0)},
        share_percent=0 if not shared or power is None else min(round(power / shared * 100), 100),
        exporting=exporting,
        phases=[PHASE_LETTERS[n] for n in phases],
        rows=_rows(values, phases, norm),
        norm=""
        if norm is None
        else gettext("normal voltage %(low)s–%(high)s V")
        % {"low": number(norm[0], 0), "high": number(norm[1], 0)},
        network=_network(found),
        warnings=_warnings(values, phases, norm),
        lines=[
            (kind, line) for kind, width in WIDTHS.items() if (line := _line(found, here, width))
        ],
        vectors=_vectors(values, phases, found.nominal_v, norm),
        has_angles=A_TO_B in values,
        in_order=order_of(values)[1],
        sentence=_sentence(values, phases, at),
        zone_words=time_words(card, now),
    )


def _moment(at: datetime | None, now: datetime) -> str:
    """Write a time of today to the second, another day's as everywhere."""
    if at is None:
        return ""
    return f"{at:%H:%M:%S}" if at.date() == now.date() else moment(at, now)


def _state(found: LivePage, now: datetime) -> Literal["live", "last", "lost", "none"]:
    if found.at is not None and now - found.at <= FRESH:
        return "live"
    contact = found.card.connection.contact
    if found.error_code or contact in {Contact.LINE_DOWN, Contact.FAILING, Contact.STOPPED}:
        return "lost"
    return "none" if found.at is None else "last"


def _trouble(found: LivePage) -> str:
    code = found.error_code or found.card.connection.error_code
    return gettext(WORDS[code][0]) if code in WORDS else gettext("The meter does not answer")


def _norm(nominal: Decimal | None) -> tuple[Decimal, Decimal] | None:
    if nominal is None or nominal >= HOUSEHOLD_FROM:
        return HOUSEHOLD
    return nominal * (1 - TENTH), nominal * (1 + TENTH)


def _angle(active: Decimal | None, reactive: Decimal | None) -> float | None:
    """Give φ in degrees; None where no power flows, for then there is no angle."""
    if active is None or reactive is None or not (active or reactive):
        return None
    return math.degrees(math.atan2(float(reactive), float(active)))


def _degrees(value: float | Decimal | None) -> str:
    return UNKNOWN if value is None else f"{number(value, 1)}°"


def _kilo(value: Decimal | None) -> str:
    return number(None if value is None else value / KILO, 2)


def _amperes(value: Decimal | None) -> str:
    return number(value, 2 if value is not None and value < FEW_AMPERES else 1)


def _volts(value: Decimal | None, norm: tuple[Decimal, Decimal] | None) -> Cell:
    out: Literal["", "low", "high"] = ""
    if value is not None and norm is not None:
        out = "low" if value < norm[0] else "high" if value > norm[1] else ""
    return Cell(number(value, 1), out)


def _rows(
    values: Values, phases: list[int], norm: tuple[Decimal, Decimal] | None
) -> list[Quantity]:
    def row(name: str, codes: tuple[str, ...], write: Write, total: str) -> Quantity:
        cells = [Cell(write(values.get(codes[n]))) for n in phases]
        return Quantity(name, cells, total)

    def cosine(value: Decimal | None) -> str:
        return number(value, 3)

    angles = [_angle(values.get(P[n]), values.get(Q[n])) for n in phases]
    whole = _angle(values.get(P_ALL), values.get(Q_ALL))
    return [
        Quantity(gettext("Voltage, V"), [_volts(values.get(U[n]), norm) for n in phases], UNKNOWN),
        row(gettext("Current, A"), I, _amperes, UNKNOWN),
        row(gettext("Active P, kW"), P, _kilo, _kilo(values.get(P_ALL))),
        row(gettext("Reactive Q, kvar"), Q, _kilo, _kilo(values.get(Q_ALL))),
        row(gettext("Apparent S, kVA"), S, _kilo, _kilo(values.get(S_ALL))),
        row("cos φ", COS, cosine, cosine(values.get(COS_ALL))),
        Quantity(gettext("Angle φ"), [Cell(_degrees(a)) for a in angles], _degrees(whole)),
    ]


def _network(found: LivePage) -> list[tuple[str, str]]:
    values = found.values
    told = [values[code] for code in U if values.get(code)]
    rows = [(gettext("Frequency"), _with_unit(values.get(FREQUENCY), 2, gettext("Hz")))]
    if len(told) == len(U):
        mean = sum(told, Decimal(0)) / len(told)
        farthest = max(abs(each - mean) for each in told)
        rows.append((gettext("Voltage imbalance"), f"{number(farthest / mean * 100, 1)}{NBSP}%"))
    for name, code in ((gettext("Angle A–B"), A_TO_B), (gettext("Angle A–C"), A_TO_C)):
        if code in values:
            rows.append((name, _degrees(values[code])))
    if any(code in values for code in THD):
        shown = " / ".join(number(values.get(code), 1) for code in THD)
        rows.append((gettext("Distortion, THD U"), f"{shown}{NBSP}%"))
    if TEMPERATURE in values:
        rows.append((gettext("Meter temperature"), _with_unit(values[TEMPERATURE], 0, "°C")))
    drift = found.card.connection.drift_s
    if drift is not None:
        rows.append((gettext("Meter clock"), _clock(drift)))
    return rows


def _with_unit(value: Decimal | None, decimals: int, unit: str) -> str:
    return UNKNOWN if value is None else f"{number(value, decimals)}{NBSP}{unit}"


def _clock(drift_s: float) -> str:
    if abs(drift_s) < 1:
        return gettext("right")
    amount = {"time": duration(timedelta(seconds=round(abs(drift_s))))}
    if drift_s > 0:
        return gettext("fast by %(time)s") % amount
    return gettext("slow by %(time)s") % amount


def _warnings(values: Values, phases: list[int], norm: tuple[Decimal, Decimal] | None) -> list[str]:
    said = []
    for n in phases:
        cell = _volts(values.get(U[n]), norm)
        facts = {"phase": PHASE_LETTERS[n], "volts": cell.text}
        if cell.out == "low":
            said.append(gettext("The voltage of phase %(phase)s is low: %(volts)s V.") % facts)
        elif cell.out == "high":
            said.append(gettext("The voltage of phase %(phase)s is high: %(volts)s V.") % facts)
    return said


def _line(found: LivePage, now: datetime, width: float) -> Markup | None:
    """Give the last minutes before the newest reading."""
    if not found.recent:
        return None
    zone = now.tzinfo
    samples = [(at.astimezone(zone), float(watts) / KILO) for at, watts in found.recent]
    return draw_power(
        width,
        PowerLine(
            samples,
            max(samples[-1][0], now - FRESH),
            FRESH,
            gettext("kW"),
            gettext("Active power of the last %(n)s minutes, at the end %(power)s kW")
            % {"n": MINUTES, "power": kilowatts(found.recent[-1][1])},
        ),
    )


def _vectors(
    values: Values, phases: list[int], nominal: Decimal | None,
    norm: tuple[Decimal, Decimal] | None,
) -> Markup | None:  # fmt: skip
    """Draw what is told; where the meter tells no angles they are as they should be."""
    if not any(values.get(code) for code in U):
        return None
    usual = HOUSEHOLD_NOMINAL if nominal is None or nominal >= HOUSEHOLD_FROM else nominal
    angles, _ = order_of(values)
    volt = gettext("V")
    drawn = [
        Phase(
            PHASE_LETTERS[n],
            None if U[n] not in values else float(values[U[n]]),
            _with_unit(values.get(U[n]), 1, volt),
            angles[n],
            None if I[n] not in values else float(values[I[n]]),
            _angle(values.get(P[n]), values.get(Q[n])),
        )
        for n in phases
    ]
    ring = None if norm is None else (float(norm[0] / usual), float(norm[1] / usual))
    label = gettext("Vectors of voltages and currents; their values stand in the table.")
    return draw_vectors(VectorDiagram(drawn, float(usual), ring, label))


def order_of(values: Values) -> tuple[tuple[float, float, float], bool | None]:
    """Place the voltages, clockwise from UA, and tell whether they follow in the right order.

    Some meters tell angles up to 360, others the smaller of both ways round: with those nobody
    can tell the order (None), and C is put where its angle to B fits.
    """
    b, c, between = (values.get(code) for code in (A_TO_B, A_TO_C, B_TO_C))
    if not b or not c:
        return (0.0, 120.0, 240.0), None
    if max(b, c) <= HALF_TURN:
        other = 360 - c
        fits = between is None or abs(other - b - between) <= abs(c - b - between)
        return (0.0, float(b), float(other if fits else c)), None
    return (0.0, float(b), float(c)), b < c


def _sentence(values: Values, phases: list[int], at: datetime | None) -> str:
    """Say the values for those who hear the page."""
    if at is None:
        return gettext("There are no values yet.")
    parts = [
        gettext("At %(time)s: %(power)s kilowatts.")
        % {"time": f"{at:%H:%M:%S}", "power": kilowatts(values.get(P_ALL))}
    ]
    parts += [
        gettext("Phase %(phase)s: %(volts)s volts, %(amperes)s amperes.")
        % {
            "phase": PHASE_LETTERS[n],
            "volts": number(values.get(U[n]), 0),
            "amperes": _amperes(values.get(I[n])),
        }
        for n in phases
    ]
    return " ".join(parts)
