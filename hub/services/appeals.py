"""Appeals as their author sees them: written, waiting, in work, answered."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from hub.errors import InputRefused, Missing, NotSupported
from hub.plugins.api import Does
from hub.services.accounts import LONGEST, normal_email
from hub.services.clock import utc_now
from hub.services.drafts import FileView, file_view, send_in
from hub.services.exchange import APPEAL, REPLY, SENDING, UNCERTAIN, WAITING
from hub.services.pieces import DEFAULT_ZONE
from hub.services.shell import ShellView, shell_in
from hub.store import drafts, outbox, tables
from hub.store import points as stored_points
from hub.store import told as kept
from hub.store.accounts import SignedIn
from hub.store.points import PointRow
from hub.store.told import AppealRow
from hub.store.unit import Store, Unit

A_PAGE = 20
LONGEST_SUBJECT = 200
LONGEST_BODY = 5000
NO_WORDS = frozenset({"refused", UNCERTAIN})  # what is known to the supplier goes on


@dataclass(frozen=True, slots=True)
class AppealView:
    """An appeal. ``state``: waiting (not delivered yet), uncertain, or a supplier's AppealState.

    ``remote_state`` is how the supplier words it, of a refusal the reason. ``error_code``: why it
    still waits.
    """

    id: int
    contract_id: int
    number: str
    subject: str
    state: str
    remote_state: str
    error_code: str
    due_on: date | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the thread; ``who`` '' is the consumer. ``state`` of ours: '' is delivered."""

    at: datetime
    who: str
    text: str
    state: str
    error_code: str
    files: tuple[FileView, ...] = ()


@dataclass(frozen=True, slots=True)
class AppealsPage:
    """«Обращения» of a contract, the last changed first; ``can_write``: the supplier takes them."""

    shell: ShellView
    items: tuple[AppealView, ...]
    page: int
    more: bool
    can_write: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class NewAppeal:
    """What a new appeal may be about, and whether the supplier takes files with it."""

    shell: ShellView
    points: tuple[PointRow, ...]
    takes_files: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class AppealPage:
    """An appeal with all that was said; ``can_reply``: the supplier takes more words.

    ``files`` are those whose message the supplier's thread no longer has.
    """

    shell: ShellView
    appeal: AppealView
    thread: tuple[Said, ...]
    files: tuple[FileView, ...]
    can_reply: bool
    takes_files: bool
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the form holds, as typed. ``key`` is made with the form: sent twice, it is one."""

    key: str
    email: str
    phone: str
    subject: str
    text: str


def new_key() -> str:
    """Make the key of a form."""
    return secrets.token_hex(16)


class Appeals:
    """Appeals of contracts; every id is looked up through its owner."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.clock = clock

    def page(self, who: SignedIn, contract_id: int, page: int = 1) -> AppealsPage:
        """List a page; Missing for anybody else's contract."""
        with self.store.read() as unit:
            shell = shell_in(unit, who, contract_id)
            rows = kept.appeals(
                unit, who.user_id, contract_id, limit=A_PAGE + 1, offset=(page - 1) * A_PAGE
            )
            can = takes_appeals(unit, contract_id)
            zone = kept.zone_of_contract(unit, contract_id) or DEFAULT_ZONE
        items = tuple(appeal_view(row) for row in rows[:A_PAGE])
        return AppealsPage(shell, items, page, len(rows) > A_PAGE, can, zone)

    def one(self, who: SignedIn, appeal_id: int) -> AppealPage:
        """Give an appeal with its thread; Missing for anybody else's."""
        with self.store.read() as unit:
            row, contract = _own(unit, who.user_id, appeal_id)
            files: dict[int | None, list[FileView]] = {}
            for file in drafts.files_of_appeal(unit, appeal_id):
                files.setdefault(file.message_id, []).append(file_view(file))
            return AppealPage(
                shell_in(unit, who, contract.id),
                appeal_view(row),
                tuple(
                    Said(
                        each.at,
                        each.who,
                        each.body,
                        each.state,
                        each.error_code,
                        tuple(files.get(each.id, ())),
                    )
                    for each in kept.messages(unit, appeal_id)
                ),
                tuple(files.get(None, ())),
                Does.APPEAL_REPLIES.value in contract.does and row.state not in NO_WORDS,
                Does.APPEAL_FILES.value in contract.does,
                kept.zone_of_contract(unit, row.contract_id) or DEFAULT_ZONE,
            )

    def begin(self, who: SignedIn, contract_id: int) -> NewAppeal:
        """Give what the form of a new one offers; Missing for anybody else's contract."""
        with self.store.read() as unit:
            shell = shell_in(unit, who, contract_id)
            found = kept.with_supplier(unit, contract_id)
            return NewAppeal(
                shell,
                tuple(stored_points.of_contract(unit, who.user_id, contract_id)),
                found is not None and Does.APPEAL_FILES.value in found[0].does,
                kept.zone_of_contract(unit, contract_id) or DEFAULT_ZONE,
            )

    def is_sent(self, user_id: int, key: str) -> bool:
        """Whether a form with this key was sent already, as an appeal or as more words."""
        key = f"{user_id}/{key}"
        with self.store.read() as unit:
            return kept.appeal_keyed(unit, key) is not None or outbox.holds(unit, f"{REPLY}/{key}")

    def create(self, user_id: int, contract_id: int, draft: Draft, place: str = "") -> int:
        """Take an appeal in to be delivered, and give its id.

        The draft at ``place`` is over with it, and its files go along.
        Raises InputRefused, Missing for anybody else's contract, NotSupported where the supplier
        takes none.
        """
        email, phone = _checked(draft)
        now = self.clock()
        with self.store.write() as unit:
            if not kept.owns(unit, user_id, contract_id):
                raise Missing
            if not takes_appeals(unit, contract_id):
                raise NotSupported("This supplier takes no appeals.")
            key = f"{user_id}/{draft.key}"
            known = kept.appeal_keyed(unit, key)
            if known is not None:
                return known.id or 0
            row = kept.add(
                unit,
                tables.Appeal(
                    contract_id=contract_id,
                    key=key,
                    subject=draft.subject.strip(),
                    email=email,
                    phone=phone,
                    state=WAITING,
                    created_at=now,
                    changed_at=now,
                ),
            )
            said = _say(unit, row, key, draft.text, now)
            send_in(unit, user_id, place, row.id or 0, said.id or 0)
            outbox.put(unit, APPEAL, f"{APPEAL}/{key}", {"id": row.id})
            outbox.signal(unit, {"contract": contract_id, "user": user_id})
            return row.id or 0

    def reply(self, user_id: int, appeal_id: int, key: str, text: str, place: str = "") -> None:
        """Take more words to an appeal in, to be delivered; InputRefused, Missing, NotSupported.

        The draft at ``place`` is over with it, and its files go along.
        """
        _check_text(text)
        with self.store.write() as unit:
            row, contract = _own(unit, user_id, appeal_id)
            if Does.APPEAL_REPLIES.value not in contract.does:
                raise NotSupported("This supplier takes no more words to an appeal.")
            key = f"{user_id}/{key}"
            message = _say(unit, row, key, text, self.clock())
            if not outbox.put(unit, REPLY, f"{REPLY}/{key}", {"id": message.id, "key": key}):
                kept.forget_message(unit, message)  # the form was sent twice
                return
            send_in(unit, user_id, place, row.id or 0, message.id or 0)
            outbox.signal(unit, {"contract": contract.id, "user": user_id})

    def send_again(self, user_id: int, appeal_id: int) -> None:
        """Send once more what may or may not have arrived: only its author can decide that."""
        with self.store.write() as unit:
            row, contract = _own(unit, user_id, appeal_id)
            if row.state != UNCERTAIN:
                return
            row.state, row.error_code = WAITING, ""
            outbox.put(unit, APPEAL, f"{APPEAL}/{row.key}/{new_key()}", {"id": row.id})
            outbox.signal(unit, {"contract": contract.id, "user": user_id})


def latest_in(unit: Unit, user_id: int, contract_id: int, count: int) -> tuple[AppealView, ...]:
    """Give the last changed of a contract, for the main page."""
    return tuple(appeal_view(row) for row in kept.appeals(unit, user_id, contract_id, limit=count))


def appeal_view(row: tables.Appeal | AppealRow) -> AppealView:
    return AppealView(
        id=row.id or 0,
        contract_id=row.contract_id,
        number=row.number,
        subject=row.subject,
        state=WAITING if row.state == SENDING else row.state,
        remote_state=row.remote_state,
        error_code=row.error_code,
        due_on=row.due_on,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _own(unit: Unit, user_id: int, appeal_id: int) -> tuple[tables.Appeal, tables.Contract]:
    found = kept.appeal(unit, user_id, appeal_id)
    if found is None:
        raise Missing
    return found


def takes_appeals(unit: Unit, contract_id: int) -> bool:
    """Tell whether a contract's supplier takes appeals."""
    found = kept.with_supplier(unit, contract_id)
    return found is not None and Does.APPEALS.value in found[0].does


def _checked(draft: Draft) -> tuple[str, str]:
    """Give e-mail and phone as they are kept; InputRefused names all that is wrong."""
    wrong: dict[str, str] = {}
    email, phone = "", draft.phone.strip()
    try:
        email = normal_email(draft.email)
    except InputRefused as refused:
        wrong |= refused.fields
    if len(phone) > LONGEST["phone"]:
        wrong["phone"] = "account.phone_wrong"
    if not draft.subject.strip():
        wrong["subject"] = "appeal.subject_empty"
    elif len(draft.subject.strip()) > LONGEST_SUBJECT:
        wrong["subject"] = "appeal.subject_long"
    try:
        _check_text(draft.text)
    except InputRefused as refused:
        wrong |= refused.fields
    if wrong:
        raise InputRefused(wrong)
    return email, phone


def _check_text(text: str) -> None:
    if not text.strip():
        raise InputRefused({"text": "appeal.text_empty"})
    if len(text) > LONGEST_BODY:
        raise InputRefused({"text": "appeal.text_long"})


def _say(
    unit: Unit, row: tables.Appeal, key: str, text: str, now: datetime
) -> tables.AppealMessage:
    said = tables.AppealMessage(
        appeal_id=row.id or 0, at=now, body=text.strip(), key=key, state=WAITING
    )
    return kept.add(unit, said)
