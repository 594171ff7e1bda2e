"""Files of appeals on their way: the consumer's to the supplier, and those of its answers."""

from collections.abc import Sequence
from functools import partial

import structlog
from anyio import to_thread

from hub.domain.files import LARGEST_FILE, clean_name, kind_of
from hub.errors import HubError, Missing, NotSupported, StoreUnavailable
from hub.plugins.api import Attachment, Desk, Does, SupplierConnector, TakesAppealFiles
from hub.services.asking import Asking
from hub.store import drafts, outbox, tables
from hub.store.unit import Store

AT_ONCE = 5  # of an account whose news are told

log = structlog.get_logger("hub.exchange")


def files_of(
    store: Store, contract: tables.Contract, messages: Sequence[tables.AppealMessage]
) -> list[Attachment]:
    """Give what goes along with messages, to a supplier that takes files."""
    if Does.APPEAL_FILES.value not in contract.does:
        return []
    with store.read() as unit:
        return [
            Attachment(name=row.name, media_type=row.media_type, content=row.content)
            for each in messages
            for row in drafts.files_of_message(unit, each.id or 0)
            if row.content is not None
        ]


async def fetch_files(
    store: Store, asking: Asking, contract: tables.Contract, supplier: tables.Supplier
) -> None:
    """Fetch some of the files that the supplier told of, each by a talk of its own.

    What can't be had now is asked for with the next news; what is too large or gone, never.
    """
    for appeal_id, file_id, remote_id in await to_thread.run_sync(_wanted, store, contract):
        try:
            file = await asking.ask_as(contract, supplier, partial(_fetch, appeal_id, remote_id))
            content = file.content if 0 < len(file.content) <= LARGEST_FILE else None
        except (Missing, NotSupported):
            content = None
        except StoreUnavailable:
            raise
        except HubError as error:
            log.warning("supplier.file_not_had", contract=contract.id, code=error.code)
            return
        await to_thread.run_sync(_keep, store, contract, file_id, content)


async def _fetch(
    appeal_id: str, remote_id: str, connector: SupplierConnector, desk: Desk
) -> Attachment:
    if not isinstance(connector, TakesAppealFiles):
        raise NotSupported("This supplier gives no files.")
    return await connector.appeal_file(desk, appeal_id, remote_id)


def _wanted(store: Store, contract: tables.Contract) -> list[tuple[str, int, str]]:
    with store.read() as unit:
        return drafts.to_fetch(unit, contract.id or 0, AT_ONCE)


def _keep(store: Store, contract: tables.Contract, file_id: int, content: bytes | None) -> None:
    with store.write() as unit:
        row = unit.session.get(tables.Attachment, file_id)
        if row is None:
            return
        if content is None:
            row.size = -1
        else:
            row.content, row.size, row.media_type = content, len(content), kind_of(content)
            row.name = clean_name(row.name, row.media_type)
        outbox.signal(unit, {"contract": contract.id, "user": contract.user_id})
