"""The template environment: our folders, our filters, our words."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hub.web.kit import charts, exact, formats, i18n, small_charts, svg
from hub.web.kit.assets import Assets
from hub.web.kit.compiling import LeanGenerator

MACROS = {
    "ui": "kit/_ui.html",
    "field": "kit/_field.html",
    "table": "kit/_table.html",
    "point": "kit/_point.html",
    "sending": "kit/_sending.html",
}


def template_folders() -> Iterator[Path]:
    """Find the kit's folder and one of every slice."""
    web = Path(str(files("hub.web")))
    yield web / "kit" / "templates"
    yield from sorted((web / "features").glob("**/templates"))


def environments(assets: Assets) -> dict[str, Environment]:
    """Make one environment a language for an application."""
    made = {}
    for name in i18n.LANGUAGES:
        with i18n.speaking(name):
            made[name] = environment(assets, name)
    return made


def environment(assets: Assets, language: str) -> Environment:
    """Make the environment of a language; undefined names are errors."""
    env = Environment(
        loader=FileSystemLoader(list(template_folders())),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.code_generator_class = LeanGenerator
    i18n.install(env)
    env.filters.update(formats.FILTERS)
    env.tests["datetime"] = lambda value: isinstance(value, datetime)
    env.globals.update(formats.GLOBALS)
    env.globals.update(
        static=assets.url,
        icons=assets.url("icons.svg"),
        icon=icon_maker(assets.url("icons.svg")),
        language=lambda: language,
        NBSP=i18n.NBSP,
        draw=svg,
        exact_data=exact.data,
        exact_cell=exact.cell,
        step_chart=charts.step_chart,
        day_bars=small_charts.day_bars,
        hour_bars=small_charts.hour_bars,
        running_total=small_charts.running_total,
    )
    for name, path in MACROS.items():
        env.globals[name] = env.get_template(path).module
    return env


def icon_maker(sprite: str) -> Callable[[str, str], Markup]:
    """Make the function ``icon(name, size)``; a page has dozens, so each is made once."""

    @cache
    def icon(name: str, size: str = "") -> Markup:
        return Markup('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
            size, sprite, name
        )

    return icon


def csrf_field(token: str) -> Markup:
    return Markup('<input type="hidden" name="_csrf_token" value="{}">').format(token)
