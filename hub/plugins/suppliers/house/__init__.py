"""The utility's own books as a supplier: contracts, balances and points kept in the hub itself.

A thin connector over ``desk.books``; the consumer proves the login and password that the books
hold (as an argon2 hash) for the contract.
"""

from collections.abc import Sequence

from hub.plugins.api import (
    Account,
    Balance,
    Books,
    Challenge,
    Contract,
    ContractBroken,
    Desk,
    Does,
    LinkBy,
    NotSupported,
    PluginCard,
    PluginSettings,
    Point,
    Secret,
    SupplierCard,
    SupplierSpec,
    hookimpl,
    setting,
)

DOES = frozenset({Does.CARD, Does.CONTRACT, Does.BALANCE, Does.POINTS})


class HouseInstallation(PluginSettings):
    """Nothing to set: the books are the hub's own."""


class HouseAccount(PluginSettings):
    """What the consumer got with the contract."""

    login: str = setting(label="supplier.login", hint="supplier.house.login_hint")
    password: Secret = setting(label="supplier.password")


class HouseConnector:
    """One consumer's access; signs in once and remembers whose books these are."""

    def __init__(self, account: HouseAccount) -> None:
        self.settings = account
        self.account: Account | None = None

    async def sign_in(self, desk: Desk) -> Account:
        password = self.settings.password.get_secret_value()
        self.account = await _books(desk).sign_in(self.settings.login, password)
        return self.account

    async def answer(self, desk: Desk, challenge: Challenge, reply: str) -> Account:  # noqa: ARG002 - the protocol's
        raise NotSupported("The house books ask nothing but login and password.")

    def does(self, account: Account) -> frozenset[Does]:  # noqa: ARG002 - the same for all
        return DOES

    async def card(self, desk: Desk) -> SupplierCard:
        return await _books(desk).card()

    async def contract(self, desk: Desk) -> Contract:
        return await _books(desk).contract(await self._signed_in(desk))

    async def balance(self, desk: Desk) -> Balance:
        return await _books(desk).balance(await self._signed_in(desk))

    async def points(self, desk: Desk) -> Sequence[Point]:
        return await _books(desk).points(await self._signed_in(desk))

    async def _signed_in(self, desk: Desk) -> Account:
        return self.account or await self.sign_in(desk)


def _books(desk: Desk) -> Books:
    if desk.books is None:
        raise ContractBroken("The house connector was called without the books it wants.")
    return desk.books


def _no_hosts(installation: HouseInstallation) -> frozenset[str]:  # noqa: ARG001 - nothing leaves
    return frozenset()


def _build(installation: HouseInstallation, account: HouseAccount) -> HouseConnector:  # noqa: ARG001
    return HouseConnector(account)


@hookimpl
def hub_plugin() -> PluginCard:
    return PluginCard(id="house", title="House books", requires_api=(1, 0))


@hookimpl
def hub_supplier_connectors() -> Sequence[SupplierSpec[HouseInstallation, HouseAccount]]:
    return [
        SupplierSpec(
            id="house",
            title="House books",
            regions=(),
            installation=HouseInstallation,
            account=HouseAccount,
            link_by=LinkBy.ACCOUNT,
            hosts=_no_hosts,
            build=_build,
            may=DOES,
            wants=frozenset({"books"}),
        )
    ]
