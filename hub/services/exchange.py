"""What goes between consumers and their suppliers when nobody waits for it.

Accounts are asked for news when they are due; readings, appeals, replies and «read» marks are
carried from the outbox. A supplier that is down delays only its own. A message whose answer was
lost is never sent again by itself: it is looked for among what the supplier tells.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import structlog
from anyio import to_thread

from hub.errors import (
    AnswerChanged,
    ContractBroken,
    CredentialsRejected,
    HubError,
    Missing,
    NotSupported,
    StoreUnavailable,
    SubmissionRejected,
    SubmissionUncertain,
    SupplierDown,
    TooManyRequests,
)
from hub.plugins.api import (
    AcceptsReadings,
    AppealDraft,
    AppealState,
    Attachment,
    Consent,
    ContinuesAppeals,
    Cursor,
    Desk,
    Does,
    Receipt,
    Submission,
    SupplierConnector,
    TakesAppeals,
    TakesNoticesRead,
)
from hub.plugins.api import Appeal as ToldAppeal
from hub.services.appeal_files import fetch_files, files_of
from hub.services.asking import PATIENCE, Asking, Connectors, T, Talk, supplier_of
from hub.services.clock import utc_now
from hub.services.contracts import prices_since
from hub.services.half_hours import read_on
from hub.services.passwords import Passwords
from hub.services.told import Told, announce, keep, keep_appeal, settle, tell
from hub.store import outbox, tables
from hub.store import told as kept
from hub.store.outbox import Work
from hub.store.unit import Store, Unit
from hub.wire.http import Web

SUBMISSION, APPEAL, REPLY = kept.SUBMISSION, kept.APPEAL, kept.REPLY
NOTICE_READ = kept.NOTICE_READ
KINDS = (SUBMISSION, APPEAL, REPLY, NOTICE_READ)
AT_ONCE = 4  # so that all of them are over within the lease of a claim
JITTER = 0.1
MOST_TRIES = 200  # a week with the outbox's waits
CONSENT_LASTS = timedelta(minutes=5)

WAITING, SENDING, UNCERTAIN = "waiting", "sending", "uncertain"
FINAL = (SubmissionRejected, SubmissionUncertain, NotSupported, Missing)  # no later try helps

Message = tables.Submission | tables.Appeal | tables.AppealMessage

log = structlog.get_logger("hub.exchange")


class Exchange:
    """Asks and carries; several may work on one database."""

    def __init__(
        self,
        store: Store,
        plugins: Connectors,
        passwords: Passwords,
        clock: Callable[[], datetime] = utc_now,
        *,
        patience: float = PATIENCE,
        web: Web | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.plugins = plugins
        self.asking = Asking(store, plugins, passwords, clock, patience=patience, web=web)

    async def run_due(self) -> int:
        """Carry what is due, then ask the accounts that are; give how much was done."""
        works = await to_thread.run_sync(self._claim_works)
        await asyncio.gather(*(self._carry(work) for work in works))
        due = await to_thread.run_sync(self._claim_accounts)
        await asyncio.gather(*(self._refresh(contract, token) for contract, token in due))
        return len(works) + len(due)

    def _claim_works(self) -> list[Work]:
        with self.store.write() as unit:
            return outbox.claim(unit, KINDS, limit=AT_ONCE)

    def _claim_accounts(self) -> list[tuple[int, str]]:
        with self.store.write() as unit:
            return kept.claim_due(unit, AT_ONCE)

    # -- news

    async def _refresh(self, contract_id: int, token: str) -> None:
        """Ask one account for its news and keep them, or note why not."""
        error: HubError | None = None
        more = False
        try:
            found = await to_thread.run_sync(supplier_of, self.store, contract_id)
            if found is None:
                return
            cursors = await to_thread.run_sync(self._cursors, contract_id)

            async def talk(connector: SupplierConnector, desk: Desk) -> Told:
                return await tell(connector, desk, cursors, prices_since(self.clock()))

            told = await self.asking.ask_as(*found, talk)
            await to_thread.run_sync(self._keep, contract_id, told)
            if Does.APPEAL_FILES in told.does:
                await fetch_files(self.store, self.asking, *found)
            if Does.PROFILE in told.does:
                more = await self._read_on(*found)
        except StoreUnavailable:
            raise  # not the supplier's fault
        except HubError as failed:
            error = failed
        except Exception as failed:  # what was told may be anything; the portal goes on
            log.exception("supplier.answer_not_kept", contract=contract_id)
            error = ContractBroken(f"The supplier's answer could not be kept: {failed!r}")
        settle = partial(self._settle_account, contract_id, token, error, more=more)
        await to_thread.run_sync(settle)

    async def _read_on(self, contract: tables.Contract, supplier: tables.Supplier) -> bool:
        """Read half-hours on, by a talk of their own: they may be many."""

        async def talk(connector: SupplierConnector, desk: Desk) -> bool:
            return await read_on(connector, desk, self.store, contract)

        return await self.asking.ask_as(contract, supplier, talk)

    def _cursors(self, contract_id: int) -> dict[str, Cursor]:
        with self.store.read() as unit:
            return kept.cursors(unit, contract_id)

    def _keep(self, contract_id: int, told: Told) -> None:
        with self.store.write() as unit:
            found = kept.with_supplier(unit, contract_id)
            if found is None:
                return
            keep(unit, found[0], told, self.clock())
            outbox.signal(unit, {"contract": contract_id, "user": found[0].user_id})

    def _settle_account(
        self, contract_id: int, token: str, error: HubError | None, *, more: bool
    ) -> None:
        """Say when the account is asked again: at once for more, regularly, later, or never."""
        with self.store.write() as unit:
            state = kept.state(unit, contract_id)
            found = kept.with_supplier(unit, contract_id)
            if state is None or found is None or state.claim_token != token:
                return
            contract, supplier = found
            now = unit.now()
            state.claimed_until = None
            if error is None:
                spec = self.plugins.connectors.get(supplier.connector)
                every = spec.every if spec else timedelta(hours=6)
                if state.failures:
                    kept.hurry(unit, contract_id, now)
                state.failures, state.failing_since = 0, None
                wait = every * (1 + JITTER * random.random())  # noqa: S311
                state.due_at = now if more else now + wait
                return
            contract.refresh_error = error.code
            state.failures += 1
            state.failing_since = state.failing_since or now
            state.due_at = now + max(_later(state.failures), _asked_wait(error))
            state.stopped = isinstance(error, CredentialsRejected)
            log.warning(
                "supplier.not_asked",
                contract=contract_id,
                supplier=supplier.id,
                code=error.code,
                text=str(error),
                stopped=state.stopped,
            )
            outbox.signal(unit, {"contract": contract_id, "user": contract.user_id})

    # -- messages

    async def _carry(self, work: Work) -> None:
        carry = {
            SUBMISSION: self._submit,
            APPEAL: self._appeal,
            REPLY: self._reply,
            NOTICE_READ: self._notice_read,
        }[work.kind]
        error: HubError | None = None
        try:
            await carry(work)
        except StoreUnavailable:
            raise
        except HubError as failed:
            error = failed
        except Exception as failed:
            log.exception("message.failed", kind=work.kind, key=work.key)
            error = ContractBroken(f"What came back could not be kept: {failed!r}")
        await to_thread.run_sync(self._settle_work, work, error)

    def _settle_work(self, work: Work, error: HubError | None) -> None:
        """End the work, or give it back for a later try and show on its row what it waits for."""
        with self.store.write() as unit:
            if error is None:
                outbox.done(unit, work)
                return
            again = not isinstance(error, FINAL) and work.attempts < MOST_TRIES
            outbox.failed(unit, work, f"{error.code}: {error}", again=again)
            log.warning("message.not_carried", kind=work.kind, key=work.key, code=error.code)
            row = _row(unit, work)
            if row is None:
                return
            row.error_code = error.code
            if isinstance(error, SubmissionUncertain):
                row.state = UNCERTAIN
            else:
                row.state = WAITING if again else AppealState.REFUSED.value
            if not again and isinstance(row, tables.Submission):
                row.reason = str(error) if isinstance(error, SubmissionRejected) else ""
                row.changed_at = self.clock()
                announce(unit, row, self.clock())
            if not again and isinstance(row, tables.Appeal):
                row.remote_state = str(error) if isinstance(error, SubmissionRejected) else ""
            contract_id = _contract_of(unit, row)
            state = kept.state(unit, contract_id)
            if state is not None and isinstance(error, CredentialsRejected):
                state.stopped = True
            elif state is not None and isinstance(error, SubmissionUncertain):
                state.due_at = unit.now()  # look for it among the supplier's
            _signal(unit, contract_id)

    async def _submit(self, work: Work) -> None:
        submission_id = int(work.body["id"])
        found = await to_thread.run_sync(self._begin, SUBMISSION, submission_id)
        if not isinstance(found, tables.Submission):
            return
        point_id, contract, supplier = await to_thread.run_sync(self._point, found)
        submission = Submission(
            key=found.key,
            point_id=point_id,
            taken_on=found.taken_on,
            values={zone: Decimal(value) for zone, value in found.values.items()},
        )
        consent = self._consent(SUBMISSION, contract, found.key)

        async def send(connector: SupplierConnector, desk: Desk) -> Receipt:
            if not isinstance(connector, AcceptsReadings):
                raise NotSupported("This supplier takes no readings.")
            return await connector.submit(desk, submission, consent)

        receipt = await self._once(contract, supplier, send)

        def note() -> None:
            with self.store.write() as unit:
                again = kept.submission(unit, submission_id)
                if again is not None:
                    again[0].remote_id = receipt.remote_id
                    settle(again[0], receipt.state, self.clock())
                    announce(unit, again[0], self.clock())
                    _signal(unit, contract.id or 0)

        await to_thread.run_sync(note)

    async def _appeal(self, work: Work) -> None:
        appeal_id = int(work.body["id"])
        row = await to_thread.run_sync(self._begin, APPEAL, appeal_id)
        if not isinstance(row, tables.Appeal):
            return
        messages = await to_thread.run_sync(self._waiting, appeal_id)
        contract, supplier = await self._account(row.contract_id)
        files = await to_thread.run_sync(files_of, self.store, contract, messages[:1])
        draft = _draft(row, row.key, messages[0].body if messages else "", files)
        consent = self._consent("create_appeal", contract, row.key)

        async def send(connector: SupplierConnector, desk: Desk) -> ToldAppeal:
            if not isinstance(connector, TakesAppeals):
                raise NotSupported("This supplier takes no appeals.")
            return await connector.create_appeal(desk, draft, consent)

        told = await self._once(contract, supplier, send)
        await to_thread.run_sync(self._keep_appeal, row.contract_id, told, messages[:1])

    async def _reply(self, work: Work) -> None:
        message_id = int(work.body["id"])
        appeal = await to_thread.run_sync(self._appeal_of, message_id, str(work.body["key"]))
        if appeal is None:
            return
        if not appeal.remote_id:
            raise SupplierDown("The appeal itself has not been delivered yet.")
        message = await to_thread.run_sync(self._begin, REPLY, message_id)
        if not isinstance(message, tables.AppealMessage):
            return
        contract, supplier = await self._account(appeal.contract_id)
        files = await to_thread.run_sync(files_of, self.store, contract, [message])
        draft = _draft(appeal, message.key, message.body, files)
        consent = self._consent("reply", contract, message.key)

        async def send(connector: SupplierConnector, desk: Desk) -> ToldAppeal:
            if not isinstance(connector, ContinuesAppeals):
                raise NotSupported("This supplier takes no more words to an appeal.")
            return await connector.reply(desk, appeal.remote_id, draft, consent)

        told = await self._once(contract, supplier, send)
        await to_thread.run_sync(self._keep_appeal, appeal.contract_id, told, [message])

    async def _notice_read(self, work: Work) -> None:
        row = await to_thread.run_sync(self._notice, int(work.body["id"]))
        if row is None:
            return
        contract, supplier = await self._account(row.contract_id)

        async def say(connector: SupplierConnector, desk: Desk) -> None:
            if isinstance(connector, TakesNoticesRead):
                await connector.notice_read(desk, row.remote_id)

        await self.asking.ask_as(contract, supplier, say)

    async def _once(self, contract: tables.Contract, supplier: tables.Supplier, send: Talk[T]) -> T:
        """Send something that must not be sent twice.

        Raises SubmissionUncertain where sending began and its end is not known.
        """
        begun = False

        async def talk(connector: SupplierConnector, desk: Desk) -> T:
            nonlocal begun
            await connector.sign_in(desk)
            begun = True
            return await send(connector, desk)

        try:
            return await self.asking.ask_as(contract, supplier, talk)
        except (SupplierDown, ContractBroken, AnswerChanged) as error:
            # Time ran out, the connector broke, or an answer came that nobody understands.
            lost = isinstance(error.__cause__, Exception) or isinstance(error, AnswerChanged)
            if begun and lost:
                raise SubmissionUncertain from error
            raise

    def _begin(self, kind: str, row_id: int) -> Message | None:
        """Note that sending begins, so that whoever finds it begun doesn't send it again."""
        with self.store.write() as unit:
            row = _message(unit, kind, row_id)
            if row is None or row.state not in {WAITING, SENDING}:
                return None
            state = kept.state(unit, _contract_of(unit, row))
            if state is not None and state.stopped:
                raise CredentialsRejected
            if row.state == SENDING:
                raise SubmissionUncertain
            row.state = SENDING
            return row

    def _point(self, row: tables.Submission) -> tuple[str, tables.Contract, tables.Supplier]:
        with self.store.read() as unit:
            found = kept.submission(unit, row.id or 0)
            account = kept.with_supplier(unit, found[1].contract_id) if found else None
        if found is None or account is None:
            raise Missing("The metering point is no longer on the contract.")
        return found[1].remote_id, *account

    def _waiting(self, appeal_id: int) -> list[tables.AppealMessage]:
        with self.store.read() as unit:
            return list(kept.waiting_messages(unit, appeal_id))

    def _appeal_of(self, message_id: int, key: str) -> tables.Appeal | None:
        """Find what a message belongs to; None for one that is delivered (ids are used again)."""
        with self.store.read() as unit:
            message = kept.message(unit, message_id)
            if message is None or message.key != key:
                return None
            return kept.appeal_by_id(unit, message.appeal_id)

    def _keep_appeal(
        self, contract_id: int, told: ToldAppeal, delivered: list[tables.AppealMessage]
    ) -> None:
        """Keep what the supplier made of it; what was delivered is now in its thread."""
        with self.store.write() as unit:
            for message in delivered:
                row = kept.message(unit, message.id or 0)
                if row is not None:
                    row.key, row.state, row.error_code = "", "", ""
            unit.session.flush()
            keep_appeal(unit, contract_id, told, self.clock(), quiet=True)
            _signal(unit, contract_id)

    def _notice(self, notice_id: int) -> tables.Notice | None:
        with self.store.read() as unit:
            return kept.notice_by_id(unit, notice_id)

    async def _account(self, contract_id: int) -> tuple[tables.Contract, tables.Supplier]:
        found = await to_thread.run_sync(supplier_of, self.store, contract_id)
        if found is None:
            raise Missing("The contract was unlinked.")
        return found

    def _consent(self, act: str, contract: tables.Contract, key: str) -> Consent:
        return Consent(
            act=act,
            target=str(contract.id),
            actor=f"user {contract.user_id}",
            reason=key,
            until=self.clock() + CONSENT_LASTS,
        )


def _message(unit: Unit, kind: str, row_id: int) -> Message | None:
    if kind == SUBMISSION:
        found = kept.submission(unit, row_id)
        return found[0] if found else None
    return kept.appeal_by_id(unit, row_id) if kind == APPEAL else kept.message(unit, row_id)


def _row(unit: Unit, work: Work) -> Message | None:
    return None if work.kind == NOTICE_READ else _message(unit, work.kind, int(work.body["id"]))


def _contract_of(unit: Unit, row: Message) -> int:
    if isinstance(row, tables.Appeal):
        return row.contract_id
    if isinstance(row, tables.Submission):
        found = kept.submission(unit, row.id or 0)
        return found[1].contract_id if found else 0
    appeal = kept.appeal_by_id(unit, row.appeal_id)
    return appeal.contract_id if appeal else 0


def _draft(appeal: tables.Appeal, key: str, text: str, files: Sequence[Attachment]) -> AppealDraft:
    return AppealDraft(
        key=key,
        subject=appeal.subject,
        text=text,
        email=appeal.email,
        phone=appeal.phone,
        attachments=files,
    )


def _signal(unit: Unit, contract_id: int) -> None:
    found = kept.with_supplier(unit, contract_id)
    if found is not None:
        outbox.signal(unit, {"contract": contract_id, "user": found[0].user_id})


def _asked_wait(error: HubError) -> timedelta:
    return error.after if isinstance(error, TooManyRequests) else timedelta(0)


def _later(failures: int) -> timedelta:
    """Wait a minute, doubling to an hour, so that what failed together is not asked together."""
    doublings: int = 1 << min(max(failures, 1) - 1, 10)
    longest = min(timedelta(minutes=1) * doublings, timedelta(hours=1))
    return longest * (0.75 + 0.5 * random.random())  # noqa: S311
