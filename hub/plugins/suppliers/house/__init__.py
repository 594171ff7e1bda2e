"""The utility's own books as a supplier: all that the hub itself keeps of contracts.

Thin connectors over ``desk.books``. ``house``: the consumer proves the login and password that the
books hold for the contract. ``house_code``: the hub has proved a one-time code of the contract's
number before it asks, and the account holds the number alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Generic, TypeVar

from typing_extensions import override

from hub.plugins.api import (
    Account,
    Appeal,
    AppealDraft,
    Attachment,
    Balance,
    Bill,
    Books,
    Challenge,
    Consent,
    Contract,
    ContractBroken,
    Cursor,
    Desk,
    Does,
    LinkBy,
    Money,
    Notice,
    NotSupported,
    Page,
    Payment,
    PluginCard,
    PluginSettings,
    Point,
    Receipt,
    Secret,
    Submission,
    SubmissionNews,
    SupplierCard,
    SupplierDown,
    SupplierReading,
    SupplierSpec,
    Tariff,
    hookimpl,
    setting,
)

DOES = frozenset(Does) - {Does.PROFILE, Does.JOURNAL}
SET = TypeVar("SET", bound=PluginSettings)


class HouseInstallation(PluginSettings):
    """The books are the hub's own; ``paused``: they answer nobody, as a supplier that is down."""

    paused: bool = setting(default=False, label="supplier.house.paused")


class HouseAccount(PluginSettings):
    """What the consumer got with the contract."""

    login: str = setting(label="supplier.login", hint="supplier.house.login_hint")
    password: Secret = setting(label="supplier.password")


class HouseCodeAccount(PluginSettings):
    """The contract that a code was issued for."""

    number: str = setting(label="supplier.number", hint="supplier.house.number_hint")


class Connector(ABC, Generic[SET]):
    """One consumer's access; signs in once and remembers whose books these are."""

    def __init__(self, installation: HouseInstallation, settings: SET) -> None:
        self.paused = installation.paused
        self.settings = settings
        self.account: Account | None = None

    async def sign_in(self, desk: Desk) -> Account:
        self.account = await self._prove(self._books(desk))
        return self.account

    @abstractmethod
    async def _prove(self, books: Books) -> Account:
        """Find the account that the settings open; CredentialsRejected if they open none."""

    async def answer(self, desk: Desk, challenge: Challenge, reply: str) -> Account:  # noqa: ARG002 - the protocol's
        raise NotSupported("The house books ask nothing but what the letter holds.")

    def does(self, account: Account) -> frozenset[Does]:  # noqa: ARG002 - the same for all
        return DOES

    # -- the contract

    async def card(self, desk: Desk) -> SupplierCard:
        return await self._books(desk).card()

    async def contract(self, desk: Desk) -> Contract:
        return await self._books(desk).contract(await self._signed_in(desk))

    async def balance(self, desk: Desk) -> Balance:
        return await self._books(desk).balance(await self._signed_in(desk))

    async def points(self, desk: Desk) -> Sequence[Point]:
        return await self._books(desk).points(await self._signed_in(desk))

    # -- readings

    async def readings(self, desk: Desk, since: Cursor | None) -> Page[SupplierReading]:
        return await self._books(desk).readings(await self._signed_in(desk), since)

    async def submit(self, desk: Desk, submission: Submission, consent: Consent) -> Receipt:  # noqa: ARG002 - the hub's own
        return await self._books(desk).submit(await self._signed_in(desk), submission)

    async def submissions(self, desk: Desk, since: Cursor | None) -> Page[SubmissionNews]:
        return await self._books(desk).submissions(await self._signed_in(desk), since)

    # -- money

    async def tariffs(self, desk: Desk, on: date) -> Sequence[Tariff]:
        return await self._books(desk).tariffs(await self._signed_in(desk), on)

    async def payments(self, desk: Desk, since: Cursor | None) -> Page[Payment]:
        return await self._books(desk).payments(await self._signed_in(desk), since)

    async def payment_page(self, desk: Desk, amount: Money) -> str:  # noqa: ARG002 - the protocol's
        raise NotSupported("The house books have no page to pay on.")

    async def bills(self, desk: Desk, since: Cursor | None) -> Page[Bill]:
        return await self._books(desk).bills(await self._signed_in(desk), since)

    async def bill_file(self, desk: Desk, remote_id: str) -> Attachment:  # noqa: ARG002 - the protocol's
        raise NotSupported("The house books keep bills as lines, not as files.")

    # -- notices and appeals

    async def notices(self, desk: Desk, since: Cursor | None) -> Page[Notice]:
        return await self._books(desk).notices(await self._signed_in(desk), since)

    async def notice_read(self, desk: Desk, remote_id: str) -> None:
        await self._books(desk).notice_read(await self._signed_in(desk), remote_id)

    async def topics(self, desk: Desk) -> Mapping[str, str]:  # noqa: ARG002 - the subject is free text
        return {}

    async def create_appeal(self, desk: Desk, draft: AppealDraft, consent: Consent) -> Appeal:  # noqa: ARG002 - the hub's own
        return await self._books(desk).create_appeal(await self._signed_in(desk), draft)

    async def reply(
        self,
        desk: Desk,
        remote_id: str,
        draft: AppealDraft,
        consent: Consent,  # noqa: ARG002 - the hub's own
    ) -> Appeal:
        return await self._books(desk).reply(await self._signed_in(desk), remote_id, draft)

    async def appeals(self, desk: Desk, since: Cursor | None) -> Page[Appeal]:
        return await self._books(desk).appeals(await self._signed_in(desk), since)

    async def appeal(self, desk: Desk, remote_id: str) -> Appeal:
        return await self._books(desk).appeal(await self._signed_in(desk), remote_id)

    async def appeal_file(self, desk: Desk, remote_id: str, file_id: str) -> Attachment:
        books, account = self._books(desk), await self._signed_in(desk)
        return await books.appeal_file(account, remote_id, file_id)

    async def _signed_in(self, desk: Desk) -> Account:
        return self.account or await self.sign_in(desk)

    def _books(self, desk: Desk) -> Books:
        if desk.books is None:
            raise ContractBroken("The house connector was called without the books it wants.")
        if self.paused:
            raise SupplierDown("The books are paused; 'hub house resume' opens them again.")
        return desk.books


class HouseConnector(Connector[HouseAccount]):
    """Proves login and password."""

    @override
    async def _prove(self, books: Books) -> Account:
        password = self.settings.password.get_secret_value()
        return await books.sign_in(self.settings.login, password)


class HouseCodeConnector(Connector[HouseCodeAccount]):
    """Finds the contract that the hub proved a code of."""

    @override
    async def _prove(self, books: Books) -> Account:
        return await books.by_number(self.settings.number)


def _no_hosts(installation: HouseInstallation) -> frozenset[str]:  # noqa: ARG001 - nothing leaves
    return frozenset()


@hookimpl
def hub_plugin() -> PluginCard:
    return PluginCard(id="house", title="House books", requires_api=(1, 0))


@hookimpl
def hub_supplier_connectors() -> Sequence[SupplierSpec[Any, Any]]:
    return [
        SupplierSpec(
            id="house",
            title="House books",
            regions=(),
            installation=HouseInstallation,
            account=HouseAccount,
            link_by=LinkBy.ACCOUNT,
            hosts=_no_hosts,
            build=HouseConnector,
            may=DOES,
            wants=frozenset({"books"}),
        ),
        SupplierSpec(
            id="house_code",
            title="House books, linked by a code",
            regions=(),
            installation=HouseInstallation,
            account=HouseCodeAccount,
            link_by=LinkBy.CODE,
            hosts=_no_hosts,
            build=HouseCodeConnector,
            may=DOES,
            wants=frozenset({"books"}),
        ),
    ]
