"""The plugin door: every fault is a state with a sentence, and nobody else suffers."""

import itertools
import json
import subprocess
import sys
import types
from importlib.metadata import EntryPoint

import pytest
import strangers

from hub.errors import PluginBroken, PluginError, PluginTooNew, PluginTooOld
from hub.plugins import manager as door
from hub.plugins.api import (
    API_VERSION,
    Can,
    Delivery,
    Does,
    DriverSpec,
    LinkBy,
    NotifierSpec,
    PluginCard,
    PluginSettings,
    SupplierSpec,
    Timing,
    hookimpl,
)
from hub.plugins.manager import PluginManager, PluginState, load_plugins


class Settings(PluginSettings):
    pass


class Driver:
    async def open(self, level):
        pass

    async def identify(self):
        pass

    def can(self, identity):
        return frozenset()

    async def close(self):
        pass

    def learned(self):
        return {}

    async def read_clock(self):
        pass


def driver_spec(**changes):
    return DriverSpec(
        **{
            "id": "acme",
            "title": "Acme",
            "models": ("Acme 1",),
            "settings": Settings,
            "driver": Driver,
            "build": lambda settings, learned: Driver(),
            "may": frozenset({Can.CLOCK}),
            "timing": lambda baud: Timing(0.1, 0.1, 0.1),
        }
        | changes
    )


def supplier_spec(**changes):
    return SupplierSpec(
        **{
            "id": "acmesales",
            "title": "Acme Sales",
            "regions": (),
            "installation": Settings,
            "account": Settings,
            "link_by": LinkBy.ACCOUNT,
            "hosts": lambda settings: frozenset(),
            "build": lambda installation, account: object(),
            "may": frozenset({next(iter(Does))}),
        }
        | changes
    )


def notifier_spec(**changes):
    return NotifierSpec(
        **{
            "id": "pigeon",
            "title": "Pigeon",
            "settings": Settings,
            "hosts": lambda settings: frozenset(),
            "build": lambda settings: Delivery(),
            "check_address": str.strip,
        }
        | changes
    )


@pytest.fixture
def installed(monkeypatch):
    """Install a made-up plugin module; returns its entry point."""
    numbers = itertools.count()

    def install(name="acme", **hooks):
        module = types.ModuleType(f"made_up_plugin_{next(numbers)}")
        card = PluginCard(id=name, title=name.title(), requires_api=API_VERSION)
        hooks = {"hub_plugin": lambda: card} | hooks
        for hook, function in hooks.items():
            if function is not None:
                setattr(module, hook, hookimpl(function))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name, module.__name__, door.GROUP)

    return install


@pytest.fixture
def load(installed):
    def load(**hooks):
        return PluginManager().load(installed(**hooks))

    return load


def broken(report, *words):
    assert report.state is PluginState.BROKEN
    assert report.next_step
    assert report.specs == ()
    for word in words:
        assert word in f"{report.error} {report.next_step}"
    return True


# -- the hooks ---------------------------------------------------------------------------------


def test_hub_plugin(load):
    report = load()
    assert (report.state, report.title, report.error) == (PluginState.LOADED, "Acme", "")


def test_hub_meter_drivers(installed):
    manager = PluginManager()
    spec = driver_spec()
    report = manager.load(installed(hub_meter_drivers=lambda: [spec]))
    assert report.specs == ("driver acme",)
    assert manager.plugins().driver("acme") is spec


def test_hub_supplier_connectors(installed):
    manager = PluginManager()
    spec = supplier_spec()
    report = manager.load(installed(hub_supplier_connectors=lambda: [spec]))
    assert report.specs == ("connector acmesales",)
    assert manager.plugins().connector("acmesales") is spec


def test_hub_notifiers(installed):
    manager = PluginManager()
    spec = notifier_spec()
    report = manager.load(installed(hub_notifiers=lambda: [spec]))
    assert report.specs == ("notifier pigeon",)
    assert manager.plugins().notifier("pigeon") is spec


# -- faults ------------------------------------------------------------------------------------


def test_failing_import_is_a_report_with_its_traceback():
    report = PluginManager().load(EntryPoint("gone", "no_such_module_here", door.GROUP))
    assert broken(report, "can't be imported", "ModuleNotFoundError", "no_such_module_here")
    assert "Traceback" in report.traceback


def test_import_that_exits_the_process_is_a_report(monkeypatch, tmp_path):
    (tmp_path / "leaves_at_import.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    report = PluginManager().load(EntryPoint("leaves", "leaves_at_import", door.GROUP))
    assert broken(report, "SystemExit")


def test_interrupt_during_import_is_passed_on(monkeypatch, tmp_path):
    (tmp_path / "interrupted_at_import.py").write_text("raise KeyboardInterrupt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        PluginManager().load(EntryPoint("x", "interrupted_at_import", door.GROUP))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("hub_meter_driver", "hub_meter_drivers"),
        ("hub_notifier", "hub_notifiers"),
        ("hub_suppliers", "hub_supplier_connectors"),
        ("hub_plugins", "hub_plugin"),
    ],
)
def test_unknown_hook_names_the_nearest(load, wrong, right):
    assert broken(load(**{wrong: lambda: None}), f"'{wrong}'", f"to '{right}'")


def test_hook_with_an_unknown_argument_is_broken(load):
    assert broken(load(hub_notifiers=lambda surprise: []), "can't be registered", "surprise")


def test_missing_card_is_broken(load):
    assert broken(load(hub_plugin=None), "introduce itself", "PluginCard")
    assert broken(load(hub_plugin=lambda: "me"), "introduce itself")


def test_card_and_entry_point_have_one_name(load):
    card = PluginCard(id="other", title="", requires_api=API_VERSION)
    assert broken(load(hub_plugin=lambda: card), "'other'", "'acme'")


@pytest.mark.parametrize(
    ("wants", "state", "error"),
    [
        ((API_VERSION[0] + 1, 0), PluginState.TOO_NEW, PluginTooNew),
        ((API_VERSION[0], API_VERSION[1] + 1), PluginState.TOO_NEW, PluginTooNew),
        ((API_VERSION[0] - 1, 9), PluginState.TOO_OLD, PluginTooOld),
    ],
)
def test_other_api_versions_are_refused(installed, wants, state, error):
    card = PluginCard(id="acme", title="", requires_api=wants)
    manager = PluginManager()
    report = manager.load(installed(hub_plugin=lambda: card))
    assert report.state is state
    assert report.next_step
    with pytest.raises(error, match="plugin API"):
        manager.plugins().driver("acme")


@pytest.mark.parametrize(
    "hook", ["hub_plugin", "hub_meter_drivers", "hub_supplier_connectors", "hub_notifiers"]
)
def test_raising_hook_takes_only_its_own_plugin_away(installed, hook):
    def fails():
        raise ZeroDivisionError("by design")

    manager = PluginManager()
    report = manager.load(installed("bad", **{hook: fails}))
    assert broken(report, f"raised in {hook}()", "ZeroDivisionError: by design", "maker")
    assert "ZeroDivisionError" in report.traceback
    good = manager.load(installed("acme", hub_meter_drivers=lambda: [driver_spec()]))
    assert good.state is PluginState.LOADED
    assert list(manager.plugins().drivers) == ["acme"]


@pytest.mark.parametrize(
    ("answer", "word"), [({}, "not a list"), ([object()], "DriverSpec is expected"), (7, "int")]
)
def test_hook_that_answers_nonsense_is_broken(load, answer, word):
    assert broken(load(hub_meter_drivers=lambda: answer or {}), word)


class LacksClock:
    open, identify, can = Driver.open, Driver.identify, Driver.can
    close, learned = Driver.close, Driver.learned


class WantsMore(Driver):
    async def read_clock(self, surprise):
        pass


class OtherNames(Driver):
    def can(self, who):
        return frozenset()


class AsyncCan(Driver):
    async def can(self, identity):
        return frozenset()


class Streams(Driver):
    async def read_clock(self):
        yield 1


class Willing(Driver):
    async def read_clock(self, extra=None):
        pass

    @staticmethod
    def learned():
        return {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "Acme 1"}, ["'Acme 1'", "small letters"]),
        ({"id": None}, ["None"]),
        ({"settings": dict}, ["'settings'", "PluginSettings"]),
        ({"build": 3}, ["'build'"]),
        ({"timing": None}, ["'timing'"]),
        ({"may": {"clock"}}, ["'may'", "Can"]),
        ({"driver": Driver()}, ["'driver'", "class"]),
        ({"driver": LacksClock}, ["LacksClock.read_clock is missing", "def read_clock(self)"]),
        ({"driver": WantsMore}, ["WantsMore.read_clock takes other arguments", "surprise"]),
        ({"driver": OtherNames}, ["OtherNames.can takes other arguments"]),
        ({"driver": AsyncCan}, ["AsyncCan.can", "asynchronous"]),
        ({"driver": Streams}, ["Streams.read_clock", "asynchronous"]),
        ({"may": frozenset({Can.PROFILE})}, ["Driver.read_profile is missing"]),
    ],
)
def test_driver_spec_is_checked_against_what_it_promises(load, changes, words):
    assert broken(load(hub_meter_drivers=lambda: [driver_spec(**changes)]), *words)


def test_driver_may_take_more_than_the_protocol_gives(load):
    report = load(hub_meter_drivers=lambda: [driver_spec(driver=Willing)])
    assert report.state is PluginState.LOADED


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"account": None}, "'account'"),
        ({"installation": int}, "'installation'"),
        ({"link_by": "account"}, "'link_by'"),
        ({"may": frozenset({"card"})}, "'may'"),
        ({"hosts": ()}, "'hosts'"),
        ({"id": ""}, "''"),
    ],
)
def test_connector_spec_is_checked(load, changes, word):
    assert broken(load(hub_supplier_connectors=lambda: [supplier_spec(**changes)]), word)


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"settings": None}, "'settings'"), ({"check_address": None}, "'check_address'")],
)
def test_notifier_spec_is_checked(load, changes, word):
    assert broken(load(hub_notifiers=lambda: [notifier_spec(**changes)]), word)


def test_second_of_two_alike_is_broken(installed):
    manager = PluginManager()
    first = driver_spec()
    manager.load(installed("one", hub_meter_drivers=lambda: [first]))
    second = manager.load(installed("two", hub_meter_drivers=lambda: [driver_spec()]))
    assert broken(second, "driver 'acme'", "HUB_PLUGINS")
    again = manager.load(installed("one"))
    assert broken(again, "plugin 'one'")
    assert manager.plugins().driver("acme") is first


def test_one_plugin_with_the_same_id_twice_is_broken(load):
    assert broken(load(hub_meter_drivers=lambda: [driver_spec(), driver_spec()]), "driver 'acme'")


# -- which plugins -----------------------------------------------------------------------------


@pytest.fixture
def two(installed, monkeypatch):
    points = [
        installed("one", hub_meter_drivers=lambda: [driver_spec(id="one")]),
        installed("two", hub_meter_drivers=lambda: [driver_spec(id="two")]),
    ]
    monkeypatch.setattr(door, "entry_points", lambda *, group: points)
    monkeypatch.delenv("HUB_PLUGINS", raising=False)


@pytest.mark.usefixtures("two")
def test_all_load_without_an_allow_list():
    assert list(load_plugins().drivers) == ["one", "two"]


@pytest.mark.usefixtures("two")
def test_allow_list_disables_the_others(monkeypatch):
    monkeypatch.setenv("HUB_PLUGINS", "two, house")
    plugins = load_plugins()
    assert list(plugins.drivers) == ["two"]
    assert [each.state for each in plugins.reports] == [PluginState.DISABLED, PluginState.LOADED]
    with pytest.raises(PluginBroken, match="disabled; add it to HUB_PLUGINS"):
        plugins.driver("one")


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("only", [None, (), []])
def test_empty_allow_list_is_none(monkeypatch, only):
    monkeypatch.setenv("HUB_PLUGINS", "")
    assert list(load_plugins(only=only).drivers) == ["one", "two"]


@pytest.mark.usefixtures("two")
def test_only_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("HUB_PLUGINS", "two")
    assert list(load_plugins(only=["one"]).drivers) == ["one"]


def test_disabled_plugin_is_not_imported():
    report = PluginManager().load(EntryPoint("gone", "no_such_module", "g"), enabled=False)
    assert (report.state, report.error) == (PluginState.DISABLED, "")


@pytest.mark.usefixtures("two")
def test_unknown_driver_names_those_installed():
    with pytest.raises(PluginError, match="no driver 'three'; installed: one, two"):
        load_plugins().driver("three")


def test_broken_driver_says_why(monkeypatch):
    points = [EntryPoint("gone", "no_such_module", "g")]
    monkeypatch.setattr(door, "entry_points", lambda *, group: points)
    with pytest.raises(PluginBroken, match=r"'gone' can't be used.*no_such_module"):
        load_plugins(only=["gone"]).driver("gone")
    with pytest.raises(PluginBroken, match="no_such_module"):
        load_plugins(only=["gone"], strict=True)


def test_loading_twice_shares_nothing(two):
    one, other = load_plugins(), load_plugins()
    assert one.reports == other.reports
    assert one.drivers is not other.drivers


# -- a stranger's wheels -----------------------------------------------------------------------


def plugin_list(strangers_wheels, *options, plugins=""):
    return subprocess.run(
        [sys.executable, "-m", "hub", "plugin", "list", *options],
        check=True,
        capture_output=True,
        text=True,
        env=strangers.environment(strangers_wheels, HUB_PLUGINS=plugins),
    )


@pytest.mark.e2e
def test_strangers_wheels_load_or_say_what_is_wrong(strangers_wheels):
    listed = json.loads(plugin_list(strangers_wheels, "--json").stdout)["plugins"]
    by_id = {each["id"]: each for each in listed}
    toy = by_id["toymeter"]
    assert (toy["state"], toy["version"], toy["specs"]) == ("loaded", "1.2.3", ["driver toymeter"])
    assert toy["error"] is toy["next_step"] is toy["traceback"] is None
    for name, error, step in [
        ("importfails", "a_module_that_nobody_has", "reinstall or remove the package"),
        ("wronghook", "'hub_meter_driver', which is no hook", "to 'hub_meter_drivers'"),
        ("hookraises", "raised in hub_meter_drivers(): ZeroDivisionError", "maker"),
    ]:
        report = by_id[name]
        assert report["state"] == "broken"
        assert error in report["error"]
        assert step in report["next_step"]
        assert report["traceback"]
        assert report["specs"] == []


@pytest.mark.e2e
def test_plugin_list_is_readable(strangers_wheels):
    done = plugin_list(strangers_wheels, plugins="toymeter,wronghook")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["PLUGIN", "STATE", "PACKAGE", "HAS"]
    toy = next(line for line in lines if line.startswith("toymeter"))
    assert toy.split() == ["toymeter", "loaded", "hub-toymeter", "1.2.3", "driver", "toymeter"]
    at = next(at for at, line in enumerate(lines) if line.startswith("wronghook"))
    assert "which is no hook of this hub." in lines[at + 1]
    assert "Rename it to 'hub_meter_drivers'" in lines[at + 2]
    assert any(line.startswith("importfails") and "disabled" in line for line in lines)
