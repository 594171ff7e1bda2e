"""What a person typed and has not sent: it waits on the server, with the files put to it.

A draft belongs to a person and a place, the address of its form. Nobody else ever sees it, and
it goes when it is sent, or after a month.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.files import LARGEST_FILE, MOST_FILES, UNKNOWN, clean_name, kind_of
from hub.domain.photos import plain
from hub.errors import InputRefused, Missing
from hub.services.clock import utc_now
from hub.store import drafts as stored
from hub.store import tables
from hub.store.unit import Store, Unit

LONGEST_PLACE = 200
LARGEST_FIELDS = 32 * 1024
MOST_BYTES = 200 * 1024 * 1024  # of all files of one person


@dataclass(frozen=True, slots=True)
class FileView:
    """A file by its id; ``here`` is False while the supplier has not handed it over."""

    id: int
    name: str
    media_type: str
    size: int
    here: bool = True


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as it was sent: the name says nothing about what is in it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DraftView:
    fields: Mapping[str, str]
    files: tuple[FileView, ...]
    changed_at: datetime


class Drafts:
    """Drafts of persons by place."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def find(self, user_id: int, place: str) -> DraftView | None:
        with self.store.read() as unit:
            row = stored.draft(unit, user_id, place)
            if row is None:
                return None
            return DraftView(
                json.loads(stored.opened(unit, row)),
                tuple(file_view(each) for each in stored.files_of_draft(unit, row.id or 0)),
                row.changed_at,
            )

    def keep(self, user_id: int, place: str, fields: Mapping[str, str]) -> bool:
        """Keep what was typed, in place of what was there; False for more than any form holds."""
        typed = _plain(fields)
        if len(place) > LONGEST_PLACE or len(typed) > LARGEST_FIELDS:
            return False
        with self.store.write() as unit:
            stored.put(unit, user_id, place, typed, self.clock())
        return True

    def attach(
        self, user_id: int, place: str, fields: Mapping[str, str], files: Sequence[NewFile]
    ) -> None:
        """Keep what was typed and put files to it.

        What can be taken is taken; then InputRefused says what could not and why: the first file
        that is too large, of another kind, or one too many. The same file twice is one. Of
        pictures only the picture is kept: no place, no camera.
        """
        typed, wrong = _plain(fields), ""
        if len(place) > LONGEST_PLACE or len(typed) > LARGEST_FIELDS:
            raise Missing
        with self.store.write() as unit:
            row = stored.put(unit, user_id, place, typed, self.clock())
            count = len(stored.files_of_draft(unit, row.id or 0))
            total = stored.bytes_of(unit, user_id)
            for each in files:
                media_type = kind_of(each.content)
                content = plain(each.content, media_type)
                if stored.has_file(unit, row.id or 0, content):
                    continue
                refusal = _refusal(each, count, total)
                if refusal:
                    wrong = wrong or refusal
                    continue
                unit.session.add(
                    tables.Attachment(
                        draft_id=row.id,
                        name=clean_name(each.name, media_type),
                        media_type=media_type,
                        size=len(content),
                        content=content,
                        at=self.clock(),
                    )
                )
                unit.session.flush()
                count, total = count + 1, total + len(content)
        if wrong:
            raise InputRefused({"files": wrong})

    def detach(self, user_id: int, place: str, file_id: int) -> None:
        with self.store.write() as unit:
            row = stored.draft(unit, user_id, place)
            if row is not None:
                stored.remove_file(unit, row.id or 0, file_id)

    def forget(self, user_id: int, place: str) -> None:
        with self.store.read() as unit:
            if stored.draft(unit, user_id, place) is None:
                return
        with self.store.write() as unit:
            row = stored.draft(unit, user_id, place)
            if row is not None:
                stored.forget(unit, [row.id or 0])

    def file(self, user_id: int, file_id: int) -> tuple[FileView, bytes]:
        """Give a file of the person's appeals or drafts; Missing for anybody else's."""
        with self.store.read() as unit:
            row = stored.file_of_user(unit, user_id, file_id)
            if row is None or row.content is None:
                raise Missing
            return file_view(row), row.content


def file_view(row: tables.Attachment) -> FileView:
    return FileView(row.id or 0, row.name, row.media_type, row.size, here=row.size > 0)


def send_in(unit: Unit, user_id: int, place: str, appeal_id: int, message_id: int) -> None:
    """Let a draft go: its files are the message's from now on."""
    row = stored.draft(unit, user_id, place)
    if row is not None:
        stored.send_files(unit, row.id or 0, appeal_id, message_id)
        stored.forget(unit, [row.id or 0])


def _plain(fields: Mapping[str, str]) -> str:
    return json.dumps(dict(fields), ensure_ascii=False)


def _refusal(file: NewFile, count: int, total: int) -> str:
    if not file.content:
        return "file.empty"
    if len(file.content) > LARGEST_FILE:
        return "file.large"
    if kind_of(file.content) == UNKNOWN:
        return "file.kind"
    if count >= MOST_FILES:
        return "file.many"
    return "file.full" if total + len(file.content) > MOST_BYTES else ""
