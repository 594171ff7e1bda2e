"""A person takes their data along, or leaves: the archive of all that is kept, and the deletion."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from typing_extensions import override

from hub.domain.spreadsheets import harmless
from hub.errors import InputRefused
from hub.services.accounts import hashed, subject_of
from hub.services.clock import utc_now
from hub.services.events import Events
from hub.services.mail import MailOrder, order_mail
from hub.services.persons import Persons
from hub.services.pieces import DEFAULT_ZONE
from hub.services.profile import Profiles
from hub.services.slots import SlotView
from hub.store import accounts as stored
from hub.store import audit, contracts, drafts, notify, owned, places, told
from hub.store import points as stored_points
from hub.store.points import PointRow
from hub.store.unit import Store

MONTH = timedelta(days=28)
OLDEST = timedelta(days=3 * 366)  # of half-hours: longer than any meter's memory
WORDS = ("DELETE", "УДАЛИТЬ")
CHANNELS = ("active_import", "active_export", "reactive_import", "reactive_export")
SLOT = ("start", "minutes", *CHANNELS, "partial", "estimated", "manual", "source")
EVENT = ("began", "ended", "kind", "severity", "phase", "meter", "detail")
READ_ME = """Архив данных личного кабинета. Файлы .json и .csv с одним именем говорят одно и то же.
user - вы сами, contract - договоры, contract_point - точки учета, told_reading - показания,
submission - переданные показания, notice - уведомления, appeal и appeal_message - обращения,
attachment - их файлы (сами файлы в папке files), draft и draft_words - неотправленное,
own_rule - ваши правила, user_session - входы, processing_consent - согласия, api_token - токены;
half_hours_N и events_N - половины часа (кВт*ч и квар*ч) и события точки N.
Времена в UTC. Паролей и ключей в архиве нет.

An archive of an account. A .json and a .csv of one name say the same. Times are UTC, energy is kWh
and kvarh; half_hours_N and events_N are of the contract_point with the id N; files of appeals are
in the folder files, draft_words is what was not sent. No passwords inside.
"""


class _Sink(io.RawIOBase):
    """Takes what the archive writes until it is fetched, so that no archive lies in memory."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        parts, self.parts = self.parts, []
        return b"".join(parts)


class Leaving:
    """The archive and the end of an account; both ask for the password."""

    def __init__(
        self, store: Store, persons: Persons, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.store = store
        self.persons = persons
        self.clock = clock

    # -- the archive ---------------------------------------------------------------------------

    def archive(self, user_id: int, password: str) -> Iterator[bytes]:
        """Give the archive (ZIP) piece by piece and tell its owner by mail.

        Raises InputRefused and TooManyAttempts before the first piece.
        """
        now = self.clock()
        self.persons.prove(user_id, password, "archive_password")
        with self.store.write() as unit:
            user = stored.user_by_id(unit, user_id)
            if user is not None:
                key = f"archive:{user_id}:{now.isoformat()}"
                order = MailOrder("archive", key, user.email, user.language,
                                  full_name=user.full_name)  # fmt: skip
                order_mail(unit, order, now)
        return self._pieces(user_id, now)

    def _pieces(self, user_id: int, now: datetime) -> Iterator[bytes]:
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", READ_ME)
            for name in owned.hanging_on("user", user_id):
                yield from self._both(archive, sink, name, partial(self._rows, user_id, name))
            yield from self._files(archive, sink, user_id)
            with self.store.read() as unit:
                points = stored_points.of_user(unit, user_id)
            for point in points:
                if point.metering_point_id is None:
                    continue
                yield from self._both(
                    archive, sink, f"half_hours_{point.id}",
                    partial(self._half_hours, user_id, point, now),
                )  # fmt: skip
                yield from self._both(
                    archive, sink, f"events_{point.id}", partial(self._events, user_id, point)
                )
        yield sink.take()

    def _both(
        self,
        archive: zipfile.ZipFile,
        sink: _Sink,
        name: str,
        rows: Callable[[], Iterable[dict[str, Any]]],
    ) -> Iterator[bytes]:
        """Write the rows as JSON and as CSV; they are read once for each."""
        with archive.open(f"{name}.json", "w", force_zip64=True) as file:
            before = b"["
            for row in rows():
                file.write(before + json.dumps(row, ensure_ascii=False, default=str).encode())
                before = b",\n"
                yield sink.take()
            file.write(b"]\n" if before != b"[" else b"[]\n")
        with archive.open(f"{name}.csv", "w", force_zip64=True) as file:
            text = io.StringIO(newline="")
            writer = None
            for row in rows():
                if writer is None:
                    writer = csv.DictWriter(text, list(row))
                    writer.writeheader()
                writer.writerow({key: _cell(value) for key, value in row.items()})
                file.write(text.getvalue().encode())
                text.seek(0)
                text.truncate()
                yield sink.take()

    def _rows(self, user_id: int, name: str) -> Iterator[dict[str, Any]]:
        with self.store.read() as unit:
            yield from owned.rows_of(unit, user_id, name)

    def _files(self, archive: zipfile.ZipFile, sink: _Sink, user_id: int) -> Iterator[bytes]:
        """Write what is not sent yet, and the files of appeals and drafts, one by one."""
        with self.store.read() as unit:
            typed = {row.place: drafts.opened(unit, row) for row in drafts.of_user(unit, user_id)}
            ids = drafts.ids_of_user(unit, user_id)
        plain = {place: json.loads(fields) for place, fields in typed.items()}
        archive.writestr("draft_words.json", json.dumps(plain, ensure_ascii=False, indent=1))
        for file_id in ids:
            with self.store.read() as unit:
                row = drafts.file_of_user(unit, user_id, file_id)
            if row is not None and row.content is not None:
                archive.writestr(f"files/{file_id}-{row.name}", row.content)
                yield sink.take()

    def _half_hours(self, user_id: int, point: PointRow, now: datetime) -> Iterator[dict[str, Any]]:
        profiles = Profiles(self.store, self.clock)
        last = now.astimezone(ZoneInfo(point.time_zone or DEFAULT_ZONE)).date()
        first = last - OLDEST
        while first <= last:
            until = min(first + MONTH - timedelta(days=1), last)
            slots = profiles.slots(user_id, point.id, first, until)
            yield from (_slot(slot) for slot in slots if not slot.missing)
            first = until + timedelta(days=1)

    def _events(self, user_id: int, point: PointRow) -> Iterator[dict[str, Any]]:
        events, after = Events(self.store, self.clock), None
        while True:
            page = events.of_point(user_id, point.id, after=after)
            for each in page.events:
                told_of = (
                    each.began_at.isoformat(),
                    each.ended_at.isoformat() if each.ended_at else None,
                    each.kind, each.severity.value, each.phase, each.serial,
                    dict(each.entry.detail or {}),
                )  # fmt: skip
                yield dict(zip(EVENT, told_of, strict=True))
            after = page.next
            if after is None:
                return

    # -- the end -------------------------------------------------------------------------------

    def on_the_way(self, user_id: int) -> int:
        """Count what the person wrote and no supplier has yet; it would never arrive."""
        with self.store.read() as unit:
            mine = contracts.listed(unit, user_id)
            return sum(told.on_the_way(unit, each.id) for each in mine)

    def delete(self, user_id: int, password: str, word: str) -> None:
        """Delete the account with all that is its own, and write a letter of farewell.

        InputRefused names the fields that are wrong; TooManyAttempts. What suppliers keep in
        their books stays there.
        """
        wrong = {} if word.strip().upper() in WORDS else {"word": "account.word_wrong"}
        try:
            self.persons.prove(user_id, password, "delete_password")
        except InputRefused as refused:
            wrong = {**refused.fields, **wrong}  # in the order of the form
        if wrong:
            raise InputRefused(wrong)
        now = self.clock()
        with self.store.write() as unit:
            user = stored.user_by_id(unit, user_id)
            if user is None:
                return
            for each in contracts.listed(unit, user_id):
                own = told.placed_points(unit, each.id).values()
                told.forget_contract(unit, each.id)
                for place_id in own:
                    places.forget_own(unit, place_id)
            networks = {subject_of(row.address) for row in stored.sessions_of(unit, user_id, now)}
            codes = notify.phones_of(unit, user_id)
            reached = [user.email, *{user.confirmed_phone, *codes} - {""}]
            subjects = [
                str(user_id), *reached, *(f"{user.email} {network}" for network in networks)
            ]  # fmt: skip
            order = MailOrder("deleted", f"deleted:{hashed(f'{user_id} {now.isoformat()}')}",
                              user.email, user.language, full_name=user.full_name)  # fmt: skip
            owned.erase_person(unit, user_id, reached, [hashed(each) for each in subjects])
            order_mail(unit, order, now)
            audit.record(
                unit, actor=f"user {user_id}", act="account.deleted", target=f"user {user_id}"
            )


def _cell(value: Any) -> Any:
    """Write a value for a table: structures as JSON, and no text that a program would run."""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else value


def _slot(slot: SlotView) -> dict[str, Any]:
    values = [None if each is None else _decimal(each) for each in slot.energy]
    told_of = (slot.start_at.isoformat(), slot.minutes, *values, slot.partial, slot.estimated,
               slot.manual, slot.source)  # fmt: skip
    return dict(zip(SLOT, told_of, strict=True))


def _decimal(value: Fraction) -> float:
    return round(float(value), 9)
