"""Every page that the route table has, found by following links, and the states of a page.

No list is kept by hand: what no link leads to is asked all the same, and whoever walks compares
what was seen with ``routes``.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
from litestar.routes import HTTPRoute
from playwright.sync_api import BrowserContext, Locator, Page
from portal import INPUT, Browser, attributes
from pydantic import SecretStr

from hub.app import create_app
from hub.plugins.manager import load_plugins
from hub.settings import Settings
from hub.store.secrets import new_key
from hub.store.unit import Store

TYPES = {"int": r"\d+", "str": r"[^/]+", "path": r".+"}
NOBODYS = {"int": "999999999", "str": "nobodys", "path": "nobodys"}  # no row has these
PARAMETER = re.compile(r"\{\w+:(\w+)\}")
DATED = re.compile(r"[\d.:-]+")
NO_PAGES = {
    "/language/{code:str}",  # sets a cookie and leads back
    "/schema/{path:str}",  # Litestar's own, of which we have none
}
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
NOT_TYPED = {"hidden", "checkbox", "radio"}


# -- the map ---------------------------------------------------------------------------------------


def routes(folder: Path) -> tuple[str, ...]:
    """Paths that are asked by GET, of the application itself; its store stays empty."""
    key = new_key()
    store = Store.open(f"sqlite:///{folder}/unused.db", keys=[key])
    settings = Settings(keys=(SecretStr(key),), data_dir=folder, demo=True)
    app = create_app(settings, store, load_plugins())
    store.close()
    return tuple(
        route.path
        for route in app.routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods
    )


class Map:
    """The route table, and which of it an address is an example of."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        plainest = sorted(paths, key=lambda path: (path.count("{"), -len(path)))
        self.patterns = [
            (path, re.compile("".join(
                f"({TYPES[part]})" if at % 2 else re.escape(part)
                for at, part in enumerate(PARAMETER.split(path)))))
            for path in plainest
        ]  # fmt: skip

    def route(self, address: str) -> str:
        """The route of an address, or '' if it is none of ours."""
        path = urlsplit(address).path
        return next((route for route, each in self.patterns if each.fullmatch(path)), "")

    def marks(self, address: str) -> list[tuple[str, str]]:
        """What an address is an example of: its route, or each word of its query but dates."""
        route, query = self.route(address), parse_qsl(urlsplit(address).query)
        if not route or "block" in dict(query):  # a block is a part of the page it is of
            return []
        words = [name if DATED.fullmatch(value) else f"{name}={value}" for name, value in query]
        return [(route, word) for word in words or [""]]

    def plain(self) -> list[str]:
        return [path for path in self.paths if "{" not in path]

    def unasked(self, seen: set[str], known: set[str]) -> list[str]:
        """Addresses of what nobody has, of routes that no link led to."""
        found = [
            PARAMETER.sub(lambda each: NOBODYS[each[1]], route)
            for route in self.paths
            if route not in seen and route not in NO_PAGES
        ]
        return [address for address in found if address not in known]


class Links(HTMLParser):
    """Every address of this portal that a page names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "form":
            self.found += [value for _, value in attrs if value and value[0] in "/?"]


@dataclass
class Seen:
    """What one person was answered."""

    pages: dict[str, str] = field(default_factory=dict)  # HTML by address
    failures: dict[str, str] = field(default_factory=dict)  # pages that say what is wrong
    routes: set[str] = field(default_factory=set)  # that answered anything, a page or not


def crawl(portal: Browser, table: Map, *, most: int, queries: bool = True) -> Seen:
    """Ask every route without a parameter and follow the links.

    Of a route at most ``most`` addresses are asked, of each word of its query one; without
    ``queries`` none of a route that was asked. A route that no link leads to is asked for what
    nobody has.
    """
    seen, counts = Seen(), Counter[tuple[str, str]]()
    waiting = table.plain()
    known = set(waiting)
    while waiting or (waiting := table.unasked(seen.routes, known)):
        address = waiting.pop(0)
        known.add(address)
        marks = [each for each in table.marks(address) if counts[each] < (1 if each[1] else most)]
        if not marks or marks[0][0] in NO_PAGES:
            continue
        if not queries and "?" in address and marks[0][0] in seen.routes:
            continue
        with portal.client.stream("GET", address, follow_redirects=False) as answer:
            is_page = answer.headers.get("content-type", "").startswith("text/html")
            html = answer.read().decode() if is_page else ""
            there = answer.headers.get("location", "")
        seen.routes.add(marks[0][0])
        counts.update(dict.fromkeys(marks, 1 if is_page and not there else most))
        if answer.is_error and is_page:
            seen.failures[address] = html
        elif "<!doctype" in html[:100] and not there:
            seen.pages[address] = html
        for link in [*Links(html).found, there]:
            url = urlsplit(urljoin(address, link))
            whole = url.path + (f"?{url.query}" if url.query else "")
            if link and not url.netloc and whole not in known:
                known.add(whole)
                waiting.append(whole)
    return seen


def asking(html: str) -> set[str]:
    """Addresses of the forms of a page that have something to type in."""
    found = set()
    for text in FORM.findall(html):
        opened = attributes(text[: text.index(">")])
        kinds = {attributes(each).get("type", "text") for each in INPUT.findall(text)}
        if opened.get("method") == "post" and (kinds - NOT_TYPED or "<textarea" in text):
            found.add(opened["action"])
    return found


def browser_without_scripts(url: str, language: str) -> Browser:
    client = httpx.Client(base_url=url, timeout=60, trust_env=False)
    client.cookies.set("lang", language)
    return Browser(client)


# -- states of a page in a browser -----------------------------------------------------------------

SETTLED_MS = 120
PATIENCE_MS = 10_000
TYPED = ":is(input:not([type=hidden], [type=checkbox], [type=radio], [type=file]), textarea)"
FORMS = f"form[method=post]:has({TYPED})"
MENUS = "summary"
SWAPS = "[data-hx-get][data-hx-target]:is(a, button)"
KEYS = """(selector) => [...document.querySelectorAll(selector)].map((node) => {
  const box = node.getBoundingClientRect(), of = (name) => node.getAttribute(name) || "";
  if (!box.width || !box.height || !node.checkVisibility({ visibilityProperty: true })) return null;
  const text = [node.tagName, node.className, node.parentNode.className, node.closest("[id]")?.id,
                of("data-hx-target"), of("data-hx-get"), of("action"), of("aria-label")].join(" ");
  return [Boolean(node.closest("main")), text.replace(/\\d[\\d-]*/g, "#")];
})"""  # of controls by their place; null for one that nobody sees
COUNT_SWAPS = """
  window.swaps = 0;
  addEventListener("htmx:after:swap", () => { window.swaps += 1; });
"""
LOST = """() => {
  const node = document.activeElement;
  if (!node || node === document.body || node === document.documentElement) return "nowhere";
  return node.checkVisibility() ? "" : `at an unseen ${node.tagName} ${node.id}`;
}"""


def lost_focus(page: Page) -> str:
    """Where the focus is if nobody sees it, else ''."""
    return str(page.evaluate(LOST))


def open_page(page: Page, address: str) -> None:
    page.goto(address, wait_until="load")
    page.wait_for_timeout(SETTLED_MS)


def press(page: Page, control: Locator) -> None:
    """Work a control by the keyboard and wait until what it swaps is there."""
    before = page.evaluate("window.swaps")
    control.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("before => window.swaps !== before", arg=before, timeout=PATIENCE_MS)
    page.wait_for_timeout(SETTLED_MS)


@dataclass
class States:
    """The states that the pages of a person have, each of them once for all pages together."""

    known: set[tuple[str, str, str]] = field(default_factory=set)

    def fresh(self, page: Page, about: str, selector: str) -> list[int]:
        """Which of these a person sees whose like was not worked before, by their place."""
        found = []
        for at, key in enumerate(page.evaluate(KEYS, selector)):
            if key is None:
                continue
            whole = (about if key[0] else "", selector, key[1])
            if whole not in self.known:
                self.known.add(whole)
                found.append(at)
        return found


def opened(page: Page, menus: list[int]) -> Iterator[str]:
    """Open what opens, one after another, and close it again."""
    for at in menus:
        menu = page.locator(MENUS).nth(at)
        menu.click()
        yield f"opened «{menu.inner_text()}»"
        menu.click()


def swapped(page: Page, address: str, controls: list[int]) -> Iterator[str]:
    """Work each control that swaps a part of the page or fills the dialog."""
    for at in controls:
        open_page(page, address)
        control = page.locator(SWAPS).nth(at)
        name = control.inner_text() or control.get_attribute("aria-label")
        press(page, control)
        yield f"swapped by «{name}»"


def refused(page: Page, address: str, forms: list[int]) -> Iterator[str]:
    """Send each form with nothing in it."""
    for at in forms:
        open_page(page, address)
        form = page.locator(FORMS).nth(at)
        action = form.get_attribute("action")
        for box in form.locator(TYPED).all():
            box.fill("")
        form.locator("[type=submit]").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(SETTLED_MS)
        yield f"sent {action} empty"


def carry_cookies(cookies: dict[str, str], context: BrowserContext, url: str) -> None:
    """Have the browser be who has these cookies."""
    context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
    )
