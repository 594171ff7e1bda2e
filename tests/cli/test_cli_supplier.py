"""``hub supplier``: suppliers installed and listed, their settings checked and sealed."""

import json

import pytest
from click.testing import CliRunner
from sqlmodel import select

from hub.cli.supplier import supplier
from hub.errors import Conflict, PluginError
from hub.plugins.api import LinkBy, PluginSettings, Secret, SupplierSpec
from hub.plugins.manager import Plugins
from hub.store import tables
from hub.store.secrets import new_key
from hub.store.unit import Store


class Town(PluginSettings):
    address: str
    password: Secret


SPEC = SupplierSpec(
    id="town", title="Town", regions=(), installation=Town, account=PluginSettings,
    link_by=LinkBy.ACCOUNT, hosts=lambda _: frozenset(), build=lambda installation, _: installation,
    may=frozenset(),
)  # fmt: skip
SETTINGS = '{"address": "https://town.example", "password": "very-secret"}'


@pytest.fixture
def hub(tmp_path, monkeypatch):
    key, url = new_key(), f"sqlite:///{tmp_path}/hub.sqlite"
    monkeypatch.setenv("HUB_DATABASE_URL", url)
    monkeypatch.setenv("HUB_KEYS", key)
    connectors = {"town": SPEC}
    loaded = Plugins(drivers={}, connectors=connectors, notifiers={}, reports=())
    monkeypatch.setattr("hub.plugins.manager.load_plugins", lambda: loaded)

    def run(*words, stdin=""):
        return CliRunner().invoke(supplier, words, input=stdin)

    run.store = lambda: Store.open(url, keys=[key])
    run.connectors = connectors
    return run


def test_installed_supplier_is_listed_and_its_settings_are_sealed(hub):
    done = hub("add", "town", "Town Power", "--settings", "-", stdin=SETTINGS)
    assert (done.exit_code, done.output) == (
        0, "Installed Town Power; consumers can choose it now.\n",
    )  # fmt: skip
    assert hub("list").output == "Town Power  town\n"
    store = hub.store()
    with store.read() as unit:
        (row,) = unit.session.exec(select(tables.Supplier))
        assert "very-secret" not in row.sealed_settings
        opened = unit.secrets.open(
            row.sealed_settings, table="supplier", row=row.id, field="settings"
        )
    store.close()
    assert opened == SETTINGS
    hub.connectors.clear()
    assert "its connector is not loaded" in hub("list").output
    (listed,) = json.loads(hub("list", "--json").output)["suppliers"]
    assert listed == {"id": 1, "title": "Town Power", "connector": "town", "usable": False}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{}", "address: Field required; password: Field required"),
        ('{"address": "a", "password": "very-secret", "port": 1}', "port: Extra inputs"),
        ("{", "settings: Invalid JSON"),
    ],
)
def test_settings_that_do_not_fit_are_named_and_nothing_is_installed(hub, settings, said):
    done = hub("add", "town", "Town Power", "--settings", "-", stdin=settings)
    assert done.exit_code == 2
    assert said in done.output
    assert "very-secret" not in done.output
    assert hub("list").output == ""


def test_a_title_is_given_once_and_a_connector_has_to_be_there(hub):
    assert hub("add", "town", "Town Power", "--settings", "-", stdin=SETTINGS).exit_code == 0
    again = hub("add", "town", " Town Power ", "--settings", "-", stdin=SETTINGS)
    assert isinstance(again.exception, Conflict)
    assert hub("add", "town", " ", "--settings", "-", stdin=SETTINGS).exit_code == 2
    nobody = hub("add", "village", "Village")
    assert isinstance(nobody.exception, PluginError)
    assert "There is no connector 'village'" in str(nobody.exception)
