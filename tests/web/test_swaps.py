"""Each address that a page swaps in is asked both ways: the part is the block of the whole page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from litestar.testing import TestClient
from points_world import PASSWORD, make, told
from portal import Browser

from hub.app import create_app

DAYS = (datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC))
PART = {"hx-request": "true", "hx-request-type": "partial"}
STARTS = (
    "/contracts/{contract}", "/contracts/{contract}/points", "/contracts/{contract}/notifications",
    "/contracts/{contract}/appeals", "/appeals/{appeal}", "/points/{point}", "/account",
    "/points/{point}/submit",
)  # fmt: skip


@dataclass(frozen=True)
class Swap:
    """A control that swaps: what it asks for, and the element that it replaces or fills."""

    page: str
    href: str
    target: str
    how: str


class Swaps(HTMLParser):
    """Collects what a page may swap in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Swap] = []
        self._page = page

    def handle_starttag(self, tag, attrs) -> None:
        known = dict(attrs)
        href = known.get("data-hx-get")
        if href is None:
            return
        target = known.get("data-hx-target") or f"#{known.get('id')}"
        how = known.get("data-hx-swap", "innerHTML").split()[0]
        self.found.append(Swap(self._page, urljoin(self._page, href), target, how))


def swaps(page: str, html: str) -> list[Swap]:
    reader = Swaps(page)
    reader.feed(html)
    return reader.found


def shape(href: str) -> str:
    """Return the path without its numbers and the query without its values."""
    parts = urlsplit(href)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&") if pair)
    return f"{re.sub(r'[0-9]+', '1', parts.path)}?{'&'.join(names)}"


def plain(html: str) -> str:
    """Return the markup with its tokens and the title of a part left out, blanks made one."""
    html = re.sub(r'(name="_csrf_token" value=")[^"]*', r"\1", html)
    return " ".join(re.sub(r"<title>.*?</title>", "", html, count=1, flags=re.DOTALL).split())


def block(swap: Swap, html: str) -> str:
    """Return what both answers share: of a dialog its form, for the page has a heading instead."""
    text = plain(html)
    if swap.target != "#dialog":
        return text
    found = re.search(r"<form .*</form>", text)
    assert found, swap
    return found[0]


@pytest.fixture
def owner(settings, store, plugins) -> Iterator[tuple[Browser, dict[str, int]]]:
    made = make(store, "anna@example.org")
    told(store, made, *DAYS)
    with TestClient(create_app(settings, store, plugins), raise_server_exceptions=False) as client:
        browser = Browser(httpx.Client(base_url=client.base_url, transport=client._transport))
        assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
        yield (
            browser,
            {"contract": made.contract, "point": made.point, "appeal": made.appeal},
        )


def test_what_is_swapped_in_is_the_block_of_the_whole_page(owner):
    browser, ids = owner
    waiting: list[Swap] = []
    for start in STARTS:
        page = start.format(**ids)
        answer = browser.open(page)
        assert answer.status_code == 200, page
        waiting += swaps(page, answer.text)
    seen: set[str] = set()
    while waiting:
        swap = waiting.pop(0)
        kind = shape(swap.href)
        if kind in seen:
            continue
        seen.add(kind)
        came = {"referer": f"http://hub.test{swap.page}"}  # where a dialog leads back to
        whole = browser.client.get(swap.href, headers=came)
        part = browser.client.get(swap.href, headers=came | PART)
        assert (whole.status_code, part.status_code) == (200, 200), swap
        assert "<!doctype html>" in whole.text.lower(), swap
        assert "<!doctype html>" not in part.text.lower(), swap
        assert block(swap, part.text) in plain(whole.text), swap
        if swap.how == "outerHTML":
            opened = re.search(r"<(?!title)[a-z0-9]+[^>]*>", plain(part.text))
            assert opened, swap
            assert f'id="{swap.target.removeprefix("#")}"' in opened[0], swap
        waiting += swaps(swap.href, whole.text)
    assert {path.partition("?")[0] for path in seen} >= {
        "/account", "/account/security", "/contracts/new", "/contracts/1/edit",
        "/contracts/1/notifications", "/contracts/1/points", "/points/1", "/points/1/journal",
        "/points/1/profile", "/points/1/readings", "/points/1/submit", "/points/1/transformers",
    }  # fmt: skip
