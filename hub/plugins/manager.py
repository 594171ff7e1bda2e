"""Find, check and load plugins, one at a time; a broken one is a state and never a crash.

Everybody's plugins, ours included, are entry points of the group ``hub.plugins.v1``. Each is
imported, registered, asked for its card and its specs, and checked in its own ``try``: whatever
goes wrong is kept in its ``PluginReport`` as a sentence with the next step, and none of its specs
are used. Nothing is kept in this module: each call of ``load_plugins`` makes its own manager.
"""

import difflib
import inspect
import os
import re
import traceback
import typing
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Final, TypeVar

import pluggy

from hub.errors import PluginBroken, PluginError, PluginTooNew, PluginTooOld
from hub.plugins import hookspecs
from hub.plugins.api import (
    API_VERSION,
    PROTOCOLS,
    Can,
    Does,
    DriverSpec,
    LinkBy,
    MeterDriver,
    NotifierSpec,
    PluginCard,
    PluginSettings,
    SupplierSpec,
)

GROUP: Final = "hub.plugins.v1"
OUR_DISTRIBUTION: Final = "metering-hub"
ALLOW_LIST: Final = "HUB_PLUGINS"

_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")

Spec = TypeVar("Spec", DriverSpec[Any], SupplierSpec[Any, Any], NotifierSpec[Any])


class PluginState(StrEnum):
    """Where loading ended."""

    LOADED = "loaded"
    DISABLED = "disabled"
    BROKEN = "broken"
    TOO_NEW = "too_new"
    TOO_OLD = "too_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """What became of one plugin; the page, ``hub plugin list`` and ``hub doctor`` read this."""

    id: str  # the entry point's name, which is the card's id too
    distribution: str  # the installed package it came with
    version: str  # of that package
    state: PluginState
    title: str = ""
    error: str = ""  # one sentence; empty when loaded or disabled
    next_step: str = ""  # what to do about it
    traceback: str = ""  # for the plugin's maker
    specs: tuple[str, ...] = ()  # 'driver mercury234', 'connector house', 'notifier email'


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """All that could be loaded, by id, and a report for each plugin that is installed."""

    drivers: Mapping[str, DriverSpec[Any]]
    connectors: Mapping[str, SupplierSpec[Any, Any]]
    notifiers: Mapping[str, NotifierSpec[Any]]
    reports: tuple[PluginReport, ...]

    def driver(self, driver_id: str) -> DriverSpec[Any]:
        """Return the driver, or raise a PluginError that says what is installed."""
        return self._one("driver", self.drivers, driver_id)

    def connector(self, connector_id: str) -> SupplierSpec[Any, Any]:
        """Return the supplier connector, or raise a PluginError that says what is installed."""
        return self._one("connector", self.connectors, connector_id)

    def notifier(self, notifier_id: str) -> NotifierSpec[Any]:
        """Return the notifier, or raise a PluginError that says what is installed."""
        return self._one("notifier", self.notifiers, notifier_id)

    def _one(self, kind: str, loaded: Mapping[str, Spec], wanted: str) -> Spec:
        if wanted in loaded:
            return loaded[wanted]
        for report in self.reports:
            if report.id == wanted and report.state is not PluginState.LOADED:
                raise _error_of(report)
        have = ", ".join(sorted(loaded)) or "none"
        raise PluginBroken(
            f"There is no {kind} '{wanted}'; installed: {have}. "
            "Install the plugin that has it, or see 'hub plugin list'."
        )


def load_plugins(*, only: Collection[str] | None = None, strict: bool = False) -> Plugins:
    """Load every installed plugin, each by itself.

    ``only`` holds the ids that may load, the others are ``disabled`` and not even imported;
    none given: those that HUB_PLUGINS lists, or all if it lists none. With ``strict`` the first
    plugin that fails raises its PluginError instead of becoming a report.
    """
    if not only:
        only = _allowed(os.environ.get(ALLOW_LIST))
    manager = PluginManager(strict=strict)
    for point in sorted(entry_points(group=GROUP), key=_order):
        manager.load(point, enabled=only is None or point.name in only)
    return manager.plugins()


def _allowed(listed: str | None) -> frozenset[str] | None:
    names = frozenset(re.split(r"[\s,]+", listed or "")) - {""}
    return names or None


def _order(point: EntryPoint) -> tuple[bool, str, str]:
    # Ours first, so that a stranger's duplicate is the second and the broken one.
    name = point.dist.name if point.dist else ""
    return name != OUR_DISTRIBUTION, name, point.name


class _FaultError(Exception):
    """Why a plugin can't be used, in words for the administrator."""

    def __init__(self, error: str, next_step: str, state: PluginState = PluginState.BROKEN) -> None:
        super().__init__(error)
        self.error = error
        self.next_step = next_step
        self.state = state


@dataclass(slots=True)
class _Found:
    """The specs of one plugin, before they are let in."""

    drivers: list[DriverSpec[Any]] = field(default_factory=list)
    connectors: list[SupplierSpec[Any, Any]] = field(default_factory=list)
    notifiers: list[NotifierSpec[Any]] = field(default_factory=list)

    def names(self) -> tuple[str, ...]:
        return (
            *(f"driver {spec.id}" for spec in self.drivers),
            *(f"connector {spec.id}" for spec in self.connectors),
            *(f"notifier {spec.id}" for spec in self.notifiers),
        )


class PluginManager:
    """One pluggy manager and what came of each plugin given to it."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._pluggy = pluggy.PluginManager("hub")
        self._pluggy.add_hookspecs(hookspecs)
        self._found = _Found()
        self._reports: list[PluginReport] = []

    def plugins(self) -> Plugins:
        """Freeze what has been loaded so far."""
        return Plugins(
            drivers=_by_id(self._found.drivers),
            connectors=_by_id(self._found.connectors),
            notifiers=_by_id(self._found.notifiers),
            reports=tuple(self._reports),
        )

    def load(self, point: EntryPoint, *, enabled: bool = True) -> PluginReport:
        """Load one entry point; return its report, which is kept as well."""
        report = PluginReport(
            id=point.name,
            distribution=point.dist.name if point.dist else "",
            version=point.dist.version if point.dist else "",
            state=PluginState.DISABLED,
        )
        if enabled:
            report = self._try(point, report)
        self._reports.append(report)
        return report

    def _try(self, point: EntryPoint, report: PluginReport) -> PluginReport:
        plugin: object = None
        try:
            if any(other.id == report.id for other in self._reports):
                raise _duplicate("plugin", report.id)
            plugin = _imported(point)
            self._register(plugin, point.name)
            card = self._card(plugin, point.name)
            found = self._specs(plugin)
            self._refuse_duplicates(found)
        except _FaultError as fault:
            if plugin is not None and self._pluggy.is_registered(plugin):
                self._pluggy.unregister(plugin)
            failed = replace(
                report,
                state=fault.state,
                error=fault.error,
                next_step=fault.next_step,
                traceback="".join(traceback.format_exception(fault.__cause__ or fault)),
            )
            if self._strict:
                raise _error_of(failed) from fault
            return failed
        self._found.drivers += found.drivers
        self._found.connectors += found.connectors
        self._found.notifiers += found.notifiers
        return replace(report, state=PluginState.LOADED, title=card.title, specs=found.names())

    def _register(self, plugin: object, name: str) -> None:
        with _blamed("can't be registered", "Compare its hooks with docs/reference/hooks.md."):
            self._pluggy.register(plugin, name=name)
        real = [hook for hook in vars(hookspecs) if hook.startswith("hub_")]
        for hook in self._pluggy.get_hookcallers(plugin) or ():
            if hook.has_spec() or all(each.optionalhook for each in hook.get_hookimpls()):
                continue
            raise _FaultError(
                f"It implements '{hook.name}', which is no hook of this hub.",
                f"Rename it{_nearest(hook.name, real)} in the plugin, or remove it; "
                f"the hooks are {', '.join(real)}.",
            )

    def _card(self, plugin: object, name: str) -> PluginCard:
        cards = self._call(plugin, "hub_plugin")
        if len(cards) != 1 or not isinstance(cards[0], PluginCard):
            raise _FaultError(
                "It does not introduce itself: hub_plugin() is missing or returns no PluginCard.",
                "Add 'hub_plugin', marked with @hookimpl, that returns one PluginCard.",
            )
        card = cards[0]
        _check_id("plugin", card.id)
        if card.id != name:
            raise _FaultError(
                f"Its card says id '{card.id}', its entry point is named '{name}'.",
                "Give the entry point and the card the same name.",
            )
        wants = f"{card.requires_api[0]}.{card.requires_api[1]}"
        have = f"{API_VERSION[0]}.{API_VERSION[1]}"
        if card.requires_api[0] < API_VERSION[0]:
            raise _FaultError(
                f"It was made for plugin API {wants}; this hub has {have}.",
                "Install a newer version of the plugin.",
                PluginState.TOO_OLD,
            )
        if card.requires_api > API_VERSION:
            raise _FaultError(
                f"It needs plugin API {wants}; this hub has {have}.",
                "Upgrade metering-hub, or install an older version of the plugin.",
                PluginState.TOO_NEW,
            )
        return card

    def _specs(self, plugin: object) -> _Found:
        return _Found(
            drivers=self._declared(plugin, "hub_meter_drivers", DriverSpec, _check_driver),
            connectors=self._declared(
                plugin, "hub_supplier_connectors", SupplierSpec, _check_connector
            ),
            notifiers=self._declared(plugin, "hub_notifiers", NotifierSpec, _check_notifier),
        )

    def _declared(
        self, plugin: object, hook: str, kind: type[Any], check: Callable[[Any], None]
    ) -> list[Any]:
        specs: list[Any] = []
        for answer in self._call(plugin, hook):
            if not isinstance(answer, Sequence):
                raise _FaultError(
                    f"{hook}() returned {type(answer).__name__}, not a list.",
                    f"Return a list of {kind.__name__} from {hook}.",
                )
            specs += answer
        for spec in specs:
            if not isinstance(spec, kind):
                raise _FaultError(
                    f"{hook}() returned {type(spec).__name__} where {kind.__name__} is expected.",
                    f"Return a list of {kind.__name__} from {hook}.",
                )
            check(spec)
        return specs

    def _call(self, plugin: object, hook: str) -> list[Any]:
        others = [each for each in self._pluggy.get_plugins() if each is not plugin]
        caller = self._pluggy.subset_hook_caller(hook, remove_plugins=others)
        with _blamed(
            f"raised in {hook}()",
            "Report the traceback ('hub plugin list --json') to the plugin's maker, "
            "or take it out of HUB_PLUGINS.",
        ):
            return typing.cast("list[Any]", caller())

    def _refuse_duplicates(self, new: _Found) -> None:
        seen = set(self._found.names())
        for name in new.names():
            if name in seen:
                raise _duplicate(*name.split(" ", 1))
            seen.add(name)


@contextmanager
def _blamed(what: str, next_step: str) -> Iterator[None]:
    """Turn whatever a plugin raises, interrupts excepted, into a fault."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a plugin may call sys.exit() while it is imported
        said = f": {error}" if str(error) else ""
        raise _FaultError(f"It {what}: {type(error).__name__}{said}", next_step) from error


def _imported(point: EntryPoint) -> object:
    with _blamed(
        "can't be imported",
        "Install what it needs, reinstall or remove the package "
        f"'{point.dist.name if point.dist else point.value}'.",
    ):
        return typing.cast("object", point.load())


def _by_id(specs: Iterable[Spec]) -> Mapping[str, Spec]:
    return MappingProxyType({spec.id: spec for spec in specs})


def _error_of(report: PluginReport) -> PluginError:
    """Return the error for somebody who wants a plugin that is not loaded."""
    if report.state is PluginState.DISABLED:
        return PluginBroken(
            f"The plugin '{report.id}' is disabled; add it to {ALLOW_LIST} and start again."
        )
    kinds: Mapping[PluginState, type[PluginError]] = {
        PluginState.TOO_NEW: PluginTooNew,
        PluginState.TOO_OLD: PluginTooOld,
    }
    return kinds.get(report.state, PluginBroken)(
        f"The plugin '{report.id}' can't be used. {report.error} {report.next_step}"
    )


def _duplicate(kind: str, name: str) -> _FaultError:
    return _FaultError(
        f"Another plugin already has the {kind} '{name}'.",
        f"Remove one of the two packages, or list those wanted in {ALLOW_LIST}.",
    )


def _nearest(name: str, real: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, real, n=1, cutoff=0.0)
    return f" to '{near[0]}'" if near else ""


# -- what a spec must be -----------------------------------------------------------------------


def _check_id(kind: str, name: object) -> None:
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise _FaultError(
            f"The {kind} id {name!r} can't be stored.",
            "Use 1 to 40 small letters, digits and '_', beginning with a letter.",
        )


def _check_settings(spec_id: str, name: str, model: object) -> None:
    if not (isinstance(model, type) and issubclass(model, PluginSettings)):
        raise _FaultError(
            f"'{spec_id}' has a '{name}' that is no settings model.",
            f"Make '{name}' a class derived from PluginSettings.",
        )


def _check_callable(spec_id: str, **members: object) -> None:
    for name, member in members.items():
        if not callable(member):
            raise _FaultError(f"'{spec_id}' has a '{name}' that can't be called.", "Make it one.")


def _check_may(spec_id: str, may: object, kind: type[StrEnum]) -> None:
    if not isinstance(may, frozenset) or not all(isinstance(each, kind) for each in may):
        raise _FaultError(
            f"'{spec_id}' has a 'may' that is not a frozenset of {kind.__name__}.",
            f"List in 'may' the {kind.__name__} members that some model can do.",
        )


def _check_driver(spec: DriverSpec[Any]) -> None:
    _check_id("driver", spec.id)
    _check_settings(spec.id, "settings", spec.settings)
    _check_callable(
        spec.id, build=spec.build, timing=spec.timing, is_mutating=spec.is_mutating, act=spec.act
    )
    _check_may(spec.id, spec.may, Can)
    if not isinstance(spec.driver, type):
        raise _FaultError(
            f"'{spec.id}' has a 'driver' that is no class.",
            "Give the class whose objects 'build' returns.",
        )
    for protocol in (MeterDriver, *(PROTOCOLS[can] for can in sorted(spec.may))):
        for name, wanted in vars(protocol).items():
            if inspect.isfunction(wanted) and not name.startswith("_"):
                _check_method(spec, protocol.__name__, name, wanted)


def _check_method(
    spec: DriverSpec[Any], protocol: str, name: str, wanted: Callable[..., object]
) -> None:
    """Compare a method of the driver's class with the protocol's: there, callable alike."""
    where = f"{spec.driver.__name__}.{name}"
    method = getattr(spec.driver, name, None)
    signature = inspect.signature(wanted)
    right = f"Write it as in {protocol}: 'def {name}{signature}'."
    if not callable(method):
        raise _FaultError(f"{where} is missing, which '{spec.id}' promises in 'may'.", right)
    bound = isinstance(inspect.getattr_static(spec.driver, name), staticmethod | classmethod)
    names = list(signature.parameters)[1:]
    keyword = [n for n in names if signature.parameters[n].kind is inspect.Parameter.KEYWORD_ONLY]
    positional = [name for name in names if name not in keyword]
    own = () if bound else (None,)
    try:
        actual = inspect.signature(method)
        actual.bind(*own, *positional, **dict.fromkeys(keyword))
        actual.bind(*own, **dict.fromkeys(names))
    except TypeError as error:
        raise _FaultError(f"{where} takes other arguments: {error}.", right) from error
    talks = typing.get_origin(signature.return_annotation) is Coroutine
    if inspect.isasyncgenfunction(method) or (not talks and inspect.iscoroutinefunction(method)):
        raise _FaultError(f"{where} is asynchronous in another way than its protocol.", right)


def _check_connector(spec: SupplierSpec[Any, Any]) -> None:
    _check_id("connector", spec.id)
    _check_settings(spec.id, "installation", spec.installation)
    _check_settings(spec.id, "account", spec.account)
    _check_callable(spec.id, hosts=spec.hosts, build=spec.build)
    _check_may(spec.id, spec.may, Does)
    if not isinstance(spec.link_by, LinkBy):
        raise _FaultError(f"'{spec.id}' has a 'link_by' that is no LinkBy.", "Use a LinkBy member.")


def _check_notifier(spec: NotifierSpec[Any]) -> None:
    _check_id("notifier", spec.id)
    _check_settings(spec.id, "settings", spec.settings)
    _check_callable(spec.id, hosts=spec.hosts, build=spec.build, check_address=spec.check_address)
