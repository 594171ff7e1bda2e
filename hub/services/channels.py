"""What a person is told of, by which way, and when not."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from hub.domain.notices import Channel, Source
from hub.errors import InputRefused
from hub.services.clock import utc_now
from hub.store import accounts as people
from hub.store import notify as stored
from hub.store.unit import Store

TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
USUAL_QUIET = ("22:00", "08:00")

Chosen = frozenset[tuple[Source, Channel]]


@dataclass(frozen=True, slots=True)
class ChannelsView:
    """``quiet``: begin and end as 22:00, None if there are none; ``phone`` '': none confirmed."""

    chosen: Chosen
    quiet: tuple[str, str] | None
    email: str
    phone: str


class Channels:
    """The choices of people, as «Уведомления» of the profile shows and changes them."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def look(self, user_id: int) -> ChannelsView:
        with self.store.read() as unit:
            user = people.user_by_id(unit, user_id)
            chosen = stored.choices(unit, user_id)
        if user is None:
            return ChannelsView(chosen, None, "", "")
        quiet = stored.quiet_of(user)
        shown = None if quiet is None else (_clock_face(quiet[0]), _clock_face(quiet[1]))
        return ChannelsView(chosen, shown, user.email, user.confirmed_phone)

    def choose(
        self,
        user_id: int,
        wanted: Collection[tuple[Source, Channel]],
        quiet: tuple[str, str] | None,
    ) -> None:
        """Keep all choices; SMS is left as it was while no phone is confirmed.

        InputRefused names what is wrong with the quiet hours.
        """
        hours: tuple[int | None, int | None] = (None, None)
        if quiet is not None:
            hours = (_minute(quiet[0]), _minute(quiet[1]))
            wrong = {
                name: "account.time_wrong"
                for name, minute in zip(("quiet_from", "quiet_to"), hours, strict=True)
                if minute is None
            }
            if not wrong and hours[0] == hours[1]:
                wrong = {"quiet_to": "account.quiet_all_day"}
            if wrong:
                raise InputRefused(wrong)
        with self.store.write() as unit:
            user = people.user_by_id(unit, user_id)
            if user is None:
                return
            kept = set(wanted)
            if not user.confirmed_phone:
                before = stored.choices(unit, user_id)
                kept = {each for each in kept if each[1] is not Channel.SMS}
                kept |= {each for each in before if each[1] is Channel.SMS}
            stored.choose(unit, user_id, kept)
            people.change_user(unit, user_id, quiet_from=hours[0], quiet_to=hours[1])


def _minute(text: str) -> int | None:
    found = TIME.fullmatch(text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


def _clock_face(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
