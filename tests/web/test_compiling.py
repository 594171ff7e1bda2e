"""What a template writes, compiled for a language: the same as Jinja's own compiler writes."""

import pytest
from jinja2 import DictLoader, UndefinedError

from hub.web.kit.assets import Assets
from hub.web.kit.i18n import speaking
from hub.web.kit.rendering import environments

GENERATED = environments(Assets())


def said(source: str, language: str = "ru", **values: object) -> str:
    env = GENERATED[language].overlay(loader=DictLoader({"page": source}))
    with speaking(language):
        return env.get_template("page").render(values)


@pytest.mark.parametrize(("language", "word"), [("ru", "Подробнее"), ("en", "Details")])
def test_texts_are_of_the_language(language, word):
    assert said('<b>{{ _("Details") }}</b>', language) == f"<b>{word}</b>"


def test_values_of_a_text_are_escaped_and_its_own_markup_is_not():
    assert said('{{ _("Profile menu: %(name)s", name=who) }}', "en", who="<i>&") == (
        "Profile menu: &lt;i&gt;&amp;"
    )


def test_a_text_chosen_by_data_is_said_too():
    assert said("{{ _(word) }}", "ru", word="Details") == "Подробнее"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ x }}", "&lt;"),
        ("{{ 'a' ~ x ~ 1 }}", "a&lt;1"),
        ("{{ x if yes }}|{{ x if no }}", "&lt;|"),
        ("{{ 'b' if no else x ~ 2 }}", "&lt;2"),
        ("{% macro m(a, b='&') %}{{ a }}{{ b }}{% endmacro %}{{ m(x) }}", "&lt;&amp;"),
        (
            "{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}{{ x }}{% endcall %}",
            "(&lt;)",
        ),
        ("{% block one %}{{ x }}{% block two %}&{% endblock %}{% endblock %}", "&lt;&"),
        ("{% block one %}{{ x }}{% endblock %}{{ self.one() }}", "&lt;&lt;"),
        ("{% for each in x %}{{ loop.index }}{{ each }}{% endfor %}", "1&lt;"),
    ],
)
def test_values_are_escaped_once(source, text):
    assert said(source, x="<", yes=True, no=False) == text


def test_what_is_missing_is_an_error():
    with pytest.raises(UndefinedError):
        said("{{ nothing }}")
    with pytest.raises(AttributeError):
        said("{{ x.nothing }}", x="a")
