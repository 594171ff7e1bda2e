"""Rules that every template keeps, and that each renders in every state it knows."""

import re
from pathlib import Path

import pytest
from web_samples import FRAGMENTS, PAGES

import hub.web
from hub.web.kit.rendering import template_folders

WEB = Path(hub.web.__file__).parent
SOURCES = sorted(path for folder in template_folders() for path in folder.rglob("*.html"))
TAG = re.compile(
    r"<([a-z][a-z0-9]*)\b((?:[^<>\"']|\"[^\"]*\"|'[^']*'|\{\{.*?\}\}|\{%.*?%\})*)>", re.DOTALL
)
HTMX = {"hx-request": "true", "hx-request-type": "partial"}


def tags(text: str):
    return [(match[1], match[2]) for match in TAG.finditer(text)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(WEB)))
def test_template_keeps_the_rules(path: Path):
    text = path.read_text()
    assert not re.search(r"[\s\"']style\s*=", text), "style attributes break the policy"
    assert not re.search(r"<style|\son[a-z]+\s*=", text)
    assert not re.search(r"(?<!data-)\bhx-[a-z]+[=:]", text), "data-hx-* only"
    assert not re.search(r"\|\s*safe\b", text)
    for script in re.findall(r"<script\b([^>]*)>", text):
        assert "src=" in script
    for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL):
        if 'method="post"' in form:
            assert "{{ csrf_input }}" in form
        if re.match(r'<form class="(card )?form"', form) and 'method="post"' in form:
            assert "novalidate" in form, "we say what is wrong, in the page's language"


@pytest.mark.parametrize("name", PAGES)
def test_page_works_without_script(client, name: str):
    html = client.get(f"/sample/{name}").text
    for tag, attributes in tags(html):
        if "data-hx-get" in attributes:
            assert "href=" in attributes or "data-hx-trigger" in attributes, attributes
        if "data-hx-post" in attributes and tag == "button":
            assert 'type="submit"' in attributes, "it sends its form"
            assert 'name="' in attributes
        elif 'data-hx-trigger="change"' in attributes:
            assert 'class="actions no-js"' in html, "a button sends what is not sent at once"
        elif "data-hx-post" in attributes:
            assert tag == "form"
            assert "action=" in attributes
        assert " style=" not in attributes
        for target in re.findall(r'data-hx-target="#([^"]+)"', attributes):
            assert f'id="{target}"' in html, target
    for label in re.findall(r'<label for="([^"]+)"', html):
        assert f'id="{label}"' in html
    for ids in re.findall(r'aria-(?:describedby|labelledby)="([^"]+)"', html):
        for one in ids.split():
            assert f'id="{one}"' in html or one == "dialog-title", one
    found = re.findall(r'\bid="([^"]+)"', html)
    assert len(found) == len(set(found)), "ids are unique"
    icons = set(re.findall(r"icons\.[0-9a-f]+\.svg#([a-z-]+)", html))
    sprite = (WEB / "static" / "icons.svg").read_text()
    assert {name for name in icons if f'id="{name}"' not in sprite} == set()


@pytest.mark.parametrize("name", PAGES)
def test_russian_pages_keep_their_typography(client, name: str):
    html = client.get(f"/sample/{name}").text
    text = re.sub(r"<(script|svg).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    assert "ё" not in text
    assert "\N{NARROW NO-BREAK SPACE}" not in text
    assert not re.search(r"\d (кВт|квар|%|₽)", text), re.search(r"\d (кВт|квар|%|₽)", text)
    assert not re.search(r"(?<![\w-])-\d", re.sub(r"[\d-]{6,}", "", text)), (
        "a minus is not a hyphen"
    )
    assert "%(" not in text


@pytest.mark.parametrize(("name", "fragment"), [(n, f) for n, fs in FRAGMENTS.items() for f in fs])
def test_fragment_is_the_block_of_its_page(client, name: str, fragment: str):
    page = client.get(f"/sample/{name}?fragment={fragment}")
    part = client.get(f"/sample/{name}?fragment={fragment}", headers=HTMX)
    assert "<!doctype html>" in page.text
    assert "<!doctype html>" not in part.text
    assert f'id="{fragment.replace("_", "-")}"' in part.text
    token = re.compile(r'value="[0-9a-f]{128}"')
    body = re.sub(r"\A\s*<title>.*?</title>\s*", "", part.text)
    squeeze = lambda text: re.sub(r"\s+", " ", token.sub("", text))  # noqa: E731
    assert squeeze(body).strip() in squeeze(page.text)


def test_every_page_template_is_sampled():
    pages = {
        str(path.relative_to(folder))
        for folder in template_folders()
        for path in folder.rglob("*.html")
        if not path.name.startswith("_") and "kit" not in str(path.relative_to(folder))
    }
    assert pages == {page for page, _context, _section in PAGES.values()}


def test_names_of_people_are_escaped(client):
    html = client.get("/sample/home").text
    assert "<Мастерская>" not in html
    assert "&lt;Мастерская&gt;" in html
