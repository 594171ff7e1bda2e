"""«Помощь» and the portal as an app: every page there, its words those of the pages."""

import json
import re

import pytest
from babel.messages.pofile import read_po

from hub.web.features.help.articles import ARTICLES
from hub.web.kit.rendering import template_folders

SLUGS = [article.slug for article in ARTICLES]
TEXTS = next(folder / "help" for folder in template_folders() if (folder / "help").exists())
CATALOGS = TEXTS.parents[4] / "locale"
# Words of other programs, and what people call their own things.
NOT_OURS = {"Спам", "Дача", "Установить приложение", "Добавить на главный экран", "Поделиться"}
NOT_OURS |= {'На экран "Домой"', "Country house"}


@pytest.fixture(params=["ru", "en"])
def reader(request, portal):
    found = portal()
    found.client.get(f"/language/{request.param}?next=/help")
    return request.param, found


def test_the_list_leads_to_every_article_and_back(reader):
    language, browser = reader
    page = browser.open("/help").text
    assert re.findall(r'href="/help/(\w+)"', page) == SLUGS
    for slug in SLUGS:
        answer = browser.open(f"/help/{slug}")
        assert answer.status_code == 200
        assert 'href="/help"' in answer.text
        picture = re.search(r'<img src="([^"]+)"[^>]* width="(\d+)" height="(\d+)"', answer.text)
        assert f"help/{slug}.{language}." in picture[1]
        sent = browser.open(picture[1])
        assert sent.headers["content-type"] == "image/png"
        assert int(picture[2]) > 200
        assert int(picture[3]) > 200
    assert browser.open("/help/of-course-not").status_code == 404


def test_help_is_there_for_the_signed_in_too(portal, anna):
    own = portal()
    own.sign_in()
    assert 'class="rail"' in own.open("/help/submit").text
    assert 'href="/help"' in own.open("/account").text


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_quoted_labels_are_those_of_the_pages(slug, language):
    with (CATALOGS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    shown: set[str] = set()
    for message in catalog:
        shown.update((message.string,) if isinstance(message.string, str) else message.string)
    text = (TEXTS / language / f"_{slug}.html").read_text("utf-8")
    quoted = re.findall("«([^»]+)»" if language == "ru" else "“([^”]+)”", text)
    assert {label for label in quoted if label not in shown} - NOT_OURS == set()


def test_the_manifest_names_icons_that_are_there(portal):
    guest = portal()
    answer = guest.open("/manifest.webmanifest")
    assert answer.headers["content-type"].startswith("application/manifest+json")
    told = json.loads(answer.text)
    assert told["start_url"] == "/"
    for icon in told["icons"]:
        sent = guest.open(icon["src"])
        assert sent.headers["content-type"] == "image/png"
        assert icon["sizes"] == "x".join(
            str(int.from_bytes(sent.content[at : at + 4], "big")) for at in (16, 20)
        )


def test_the_worker_keeps_the_offline_page_and_nothing_personal(portal, anna):
    own = portal()
    own.sign_in()
    worker = own.open("/worker.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    kept = json.loads(re.search(r"const KEPT = (.*);", worker.text)[1])
    assert kept[0] == "/offline"
    for path in kept:
        assert own.open(path).status_code == 200
    page = own.open("/offline").text
    assert "Нет связи" in page
    assert "Орлова" not in page
    assert 'class="rail"' not in page
