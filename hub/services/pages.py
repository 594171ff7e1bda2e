"""A point's pages, each from one unit of the store: frame, head, and what the tab shows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.calendar import Level
from hub.errors import Missing
from hub.services.pieces import DEFAULT_ZONE, gather
from hub.services.points import PointCard, PointInfo, card_in, facts_of
from hub.services.profile import (
    Columns,
    ProfileSums,
    columns_of,
    span_minutes,
    summed,
    utc_now,
)
from hub.services.registers import RegisterPeriods, periods_in
from hub.services.shell import ShellView, shell_in
from hub.store import points as stored
from hub.store.accounts import SignedIn
from hub.store.points import PointRow
from hub.store.unit import Store, Unit


@dataclass(frozen=True, slots=True)
class InfoPage:
    """«Общая информация»."""

    shell: ShellView
    info: PointInfo


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """«Профиль мощности»: ``sums`` for the table and the totals, ``columns`` for the chart."""

    shell: ShellView
    card: PointCard
    sums: ProfileSums
    columns: Columns | None


@dataclass(frozen=True, slots=True)
class ReadingsPage:
    """«Показания»."""

    shell: ShellView
    card: PointCard
    periods: RegisterPeriods


class PointPages:
    """Reads a point's pages for its owner; ``Missing`` for anybody else's."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def info(self, who: SignedIn, point_id: int) -> InfoPage:
        with self.store.read() as unit:
            row, shell = _begin(unit, who, point_id)
            card, installed = card_in(unit, row, self.clock())
        return InfoPage(shell, PointInfo(card, facts_of(row, card, installed)))

    def profile(
        self,
        who: SignedIn,
        point_id: int,
        first: date,
        last: date,
        *,
        level: Level = Level.DAY,
        step: int | None = 30,
    ) -> ProfilePage:
        """Give the profile of a span of local days; ``step`` None: without the chart's slots."""
        now = self.clock()
        with self.store.read() as unit:
            row, shell = _begin(unit, who, point_id)
            card, _ = card_in(unit, row, now)
            minutes = span_minutes(row.time_zone or DEFAULT_ZONE, first, last)
            load = gather(unit, [row], *minutes)[0]
        columns = None if step is None else columns_of(load, first, last, step, now)
        return ProfilePage(shell, card, summed(load, first, last, level, now), columns)

    def readings(
        self, who: SignedIn, point_id: int, first: date, last: date, level: Level = Level.DAY
    ) -> ReadingsPage:
        now = self.clock()
        with self.store.read() as unit:
            row, shell = _begin(unit, who, point_id)
            card, _ = card_in(unit, row, now)
            return ReadingsPage(shell, card, periods_in(unit, row, (first, last), level, now))


def _begin(unit: Unit, who: SignedIn, point_id: int) -> tuple[PointRow, ShellView]:
    row = stored.one(unit, who.user_id, point_id)
    if row is None:
        raise Missing
    return row, shell_in(unit, who, row.contract_id)
