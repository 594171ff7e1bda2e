"""Every page of the application's route table in every state of a demo: axe-core, the Nu validator,
html-validate, sideways scroll, zoom, focus.

A demo of its own. Its people are a guest, who has letters with links, someone without a contract,
who turns the second factor on, and the demo's consumer, one of whose suppliers is down.
Pages are found by links from the routes without parameters; a new route is walked by itself.
Findings are printed, figures count them. Needs java and node, and fetches the validators by npm.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pyotp
from e2e import walking
from e2e.browsers import chromium, overflow
from e2e.demos import running
from e2e.rules import AXE_SCRIPT, broken
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Error, Page
from portal import Browser

from hub.cli.demo_utility import EMAIL, PASSWORD
from proof.figures import ROOT, SCRATCH, Figure

MOST = 12  # pages of a route: the demo has so many points
LANGUAGES, THEMES, WIDTHS = ("ru", "en"), ("light", "dark"), (1440, 390)
NARROW, ZOOMED = 320, 720  # 720: a window of 1440 px at 200 %
NEWCOMER, OWN = "newcomer@example.org", "Nobody-yet-2026"
LETTER_S = 30
LOOKS = (Path(__file__).parent / "walk_looks.js").read_text(encoding="utf-8")


@dataclass
class Found:
    """What was walked and what was found: lines by kind."""

    found: dict[str, list[str]] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    states: int = 0
    alike: int = 0  # of the states: they showed nothing that was not looked at before
    looks: int = 0
    presses: int = 0

    def note(self, kind: str, line: str) -> None:
        self.found.setdefault(kind, []).append(line)
        print(f"{kind}: {line}", flush=True)

    def count(self, kind: str) -> int:
        return len(self.found.get(kind, ()))

    def add(self, other: "Found") -> None:
        for kind, lines in other.found.items():
            self.found.setdefault(kind, []).extend(lines)
        self.pages |= other.pages
        self.states += other.states
        self.alike += other.alike
        self.looks += other.looks
        self.presses += other.presses


@dataclass
class Walk(Found):
    """All of it; ``documents`` are HTML by where it is from."""

    table: walking.Map = field(kw_only=True)
    routes: set[str] = field(default_factory=set)
    documents: dict[str, str] = field(default_factory=dict)


# -- pages as a browser without scripts has them --------------------------------------------------


def letters(url: str) -> list[str]:
    """Links of the letters, newest first."""
    guest = walking.browser_without_scripts(url, "ru")
    found = []
    for at in dict.fromkeys(re.findall(r"/demo/mail/\d+", guest.open("/demo/mail").text)):
        found += re.findall(r'href="(?:http://[^/"]*)?(/[^"]*)"', guest.open(at).text)
    return found


def wait_for_letter(url: str, start: str, before: set[str]) -> str:
    """Give the link of a letter that was not there before."""
    for _ in range(LETTER_S * 2):
        for link in letters(url):
            if link.startswith(start) and link not in before:
                return link
        time.sleep(0.5)
    raise RuntimeError(f"No letter came with a link to {start}…")


def people(url: str, language: str) -> dict[str, Browser]:
    """Who walks in a language; each asked for letters, whose links are walked too."""
    guest, newcomer, consumer = (walking.browser_without_scripts(url, language) for _ in "123")
    email, before = f"{language}-{NEWCOMER}", set(letters(url))
    newcomer.send("/register", email=email, full_name="Новый Человек", phone="+7 900 000-00-00",
                  password=OWN, password_again=OWN, consent="1")  # fmt: skip
    link = wait_for_letter(url, "/register/confirm/", before)
    newcomer.send(link)
    if not newcomer.session:
        newcomer.sign_in(email, OWN)
    guest.send("/register", email=f"again-{email}", full_name="Новый Человек",
               phone="+7 900 000-00-00", password=OWN, password_again=OWN, consent="1")  # fmt: skip
    guest.send("/recover", email=EMAIL)
    consumer.sign_in(EMAIL, PASSWORD)
    consumer.send("/account", "/account/email", email=f"new-{language}@example.org",
                  email_password=PASSWORD)  # fmt: skip
    wait_for_letter(url, "/account/email/", before)
    wait_for_letter(url, "/recover/", set())  # asked for again within a minute, none is sent
    return {"guest": guest, "newcomer": newcomer, "consumer": consumer}


def half_in(url: str, language: str, newcomer: Browser, walk: Walk) -> Browser:
    """Turn the second factor on; give who has typed the password and owes the code."""
    page = newcomer.send("/account/security", "/account/factor").text
    page = page if "<code>" in page else newcomer.open("/account/security").text
    walk.documents[f"{language} setting the factor up"] = page
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret, "the key of the second factor is on the page"
    fields = newcomer.fill(page, "/account/factor/on", {"code": "1"})
    refused = newcomer.client.post("/account/factor/on", data=fields)
    walk.documents[f"{language} a wrong code"] = refused.text
    fields["code"] = pyotp.TOTP(secret[1].replace(" ", "")).now()
    walk.documents[f"{language} codes"] = newcomer.client.post(
        "/account/factor/on", data=fields, follow_redirects=True
    ).text
    half = walking.browser_without_scripts(url, language)
    half.sign_in(f"{language}-{NEWCOMER}", OWN)
    return half


def asked(walk: Walk, who: str, portal: Browser, most: int = MOST) -> walking.Seen:
    """Walk without scripts; keep what the validators are to read."""
    seen = walking.crawl(portal, walk.table, most=most)
    walk.routes |= seen.routes
    for address, html in (seen.pages | seen.failures).items():
        walk.documents[f"{who} {address}"] = html
        for action in walking.asking(html):
            name = f"{who} sent {walk.table.route(action) or action} empty"
            if name in walk.documents:
                continue
            fields = portal.fill(html, action, {})
            keep = {"_csrf_token", "key", "supplier", "language", "back", "next"}
            data = {each: value if each in keep else "" for each, value in fields.items()}
            answer = portal.client.post(action, data=data, follow_redirects=False)
            if "<!doctype" in answer.text[:100]:
                walk.documents[name] = answer.text
    return seen


# -- validators ------------------------------------------------------------------------------------


def validate(walk: Walk) -> None:
    """Write the documents out and have them read by both validators."""
    frontend = ROOT / "frontend"
    if not (frontend / "node_modules" / "vnu-jar").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=frontend, check=True)
    folder = SCRATCH / "walk"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = {}
    for at, (name, html) in enumerate(walk.documents.items()):
        (folder / f"{at}.html").write_text(html, encoding="utf-8")
        names[f"{at}.html"] = name
    jar = frontend / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    said = subprocess.run(
        ["java", "-jar", jar, "--stdout", "--exit-zero-always", "--format", "json", folder],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for message in json.loads(said)["messages"]:
        name = names[message["url"].rsplit("/", 1)[-1]]
        walk.note("nu", f"{name}: {message['message']} {message.get('extract', '')[:120]!r}")
    said = subprocess.run(
        ["node_modules/.bin/html-validate", "--config", "html-validate.mjs", "--formatter", "json",
         *sorted(str(each) for each in folder.glob("*.html"))],
        cwd=frontend, check=False, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for result in json.loads(said):
        for message in result["messages"]:
            name = names[result["filePath"].rsplit("/", 1)[-1]]
            walk.note("html-validate", f"{name}: {message['ruleId']} {message['message']}")


# -- pages in a browser ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Who walks, and where."""

    name: str
    cookies: dict[str, str]
    addresses: list[str]


@dataclass
class Trip(Found):
    """All people in one language and one width of the window.

    A state that shows no kind of element that was not looked at before is left to the rules that
    cost little; axe-core's are for the others, in both themes.
    """

    url: str = field(kw_only=True)
    language: str = field(kw_only=True)
    width: int = field(kw_only=True)
    table: walking.Map = field(kw_only=True)
    kinds: set[str] = field(default_factory=set)

    def look(self, page: Page, about: str) -> None:
        """Hold the page as it stands against the rules."""
        self.states += 1
        page.evaluate("scrollTo(0, 0)")  # else the bar on top lies on what is scrolled
        kinds = set(page.evaluate("looks.kinds()"))
        if kinds <= self.kinds:
            self.alike += 1
        else:
            self.kinds |= kinds
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                self.looks += 1
                for each in broken(page):
                    self.note("axe", f"{about}, {self.width} {theme}: {each}")
        for name in page.evaluate("looks.twice()"):
            self.note("twice", f"{about}: id {name}")
        for name in page.evaluate("looks.moving()"):
            self.note("moving", f"{about}: {name}")
        wide = NARROW if self.width < ZOOMED else ZOOMED
        page.set_viewport_size({"width": wide, "height": 450})
        kind = "scroll" if wide == NARROW else "zoom"
        if (over := overflow(page)) > 0:
            self.note(kind, f"{about}: {over} px at {wide} px")
        for line in page.evaluate("looks.cut()"):
            self.note(kind, f"{about}, {wide} px: {line}")
        page.set_viewport_size({"width": self.width, "height": 900})

    def look_for_focus(self, page: Page, about: str) -> None:
        self.presses += 1
        if lost := walking.lost_focus(page):
            self.note("focus", f"{about}: {lost}")

    def walk_page(self, page: Page, address: str, who: str, states: walking.States) -> None:
        about, route = f"{who} {address}", self.table.route(address)
        walking.open_page(page, address)
        menus, swaps, forms = (
            states.fresh(page, route, each)
            for each in (walking.MENUS, walking.SWAPS, walking.FORMS)
        )
        self.look(page, about)
        for state in walking.opened(page, menus):
            self.look(page, f"{about} {state}")
        for state in walking.swapped(page, address, swaps):
            self.look_for_focus(page, f"{about} {state}")
            self.look(page, f"{about} {state}")
        for state in walking.refused(page, address, forms):
            if page.locator("[role=alert]").first.is_visible():  # else it is another page
                self.look_for_focus(page, f"{about} {state}")
            self.look(page, f"{about} {state}")

    def go(self, chrome: Chromium, person: Person) -> None:
        context: BrowserContext = chrome.new_context(
            base_url=self.url,
            locale=self.language,
            viewport={"width": self.width, "height": 900},
            reduced_motion="reduce",
            service_workers="block",
        )
        context.add_init_script(walking.COUNT_SWAPS)
        context.add_init_script(LOOKS)
        context.add_init_script(AXE_SCRIPT)
        walking.carry_cookies(person.cookies, context, self.url)
        page, states = context.new_page(), walking.States()
        for address in person.addresses:
            self.pages.add(f"{person.name} {address}")
            try:
                self.walk_page(page, address, f"{self.language} {person.name}", states)
            except Error as error:
                where = f"{self.language} {person.name} {address} {self.width}"
                self.note("stuck", f"{where}: {error.message[:300]}")
        context.close()


def travel(trip: Trip, people: list[Person]) -> Found:
    """Make a trip in a process of its own."""
    began = time.monotonic()
    with chromium() as chrome:
        for person in people:
            trip.go(chrome, person)
            print(f"{trip.language} {trip.width} {person.name}: {trip.states} states, "
                  f"{trip.looks} looks, {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    return trip


def walked(walk: Walk, url: str) -> None:
    everyone: dict[str, list[Person]] = {}
    for language in LANGUAGES:
        seen: list[tuple[str, Browser, list[str]]] = []
        portals = people(url, language)
        for who, portal in portals.items():
            found = asked(walk, f"{language} {who}", portal)
            seen.append((who, portal, [*found.pages, *found.failures]))
        half = half_in(url, language, portals["newcomer"], walk)
        asked(walk, f"{language} half in", half, most=1)
        seen.append(("half in", half, ["/login/code"]))
        everyone[language] = [
            Person(who, {each.name: each.value or "" for each in portal.client.cookies.jar}, there)
            for who, portal, there in seen
        ]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        trips = [
            pool.submit(
                travel,
                Trip(url=url, language=language, width=width, table=walk.table),
                everyone[language],
            )
            for width in WIDTHS
            for language in LANGUAGES
        ]
        for trip in trips:
            walk.add(trip.result())


def told(walk: Walk) -> Iterator[Figure]:
    def none(name: str, kinds: str, of: str) -> Figure:
        count = sum(walk.count(kind) for kind in kinds.split())
        return Figure(name, f"{count} in {of}", "0", met=count == 0)

    routes = set(walk.table.paths) - walking.NO_PAGES
    left = routes - walk.routes
    yield Figure("routes asked by GET that were walked", f"{len(routes - left)} of {len(routes)}",
                 "all", met=not left)  # fmt: skip
    looks = (
        f"{walk.looks} looks at {walk.states} states of {len(walk.pages)} pages, of which "
        f"{walk.alike} show nothing of a kind not looked at"
    )
    yield none("violations of axe-core, WCAG 2.2 A and AA and best practice, light and dark, "
               "Russian and English, 1440 and 390 px", "axe twice", looks)  # fmt: skip
    documents = f"{len(walk.documents)} documents"
    yield none("messages of the Nu validator", "nu", documents)
    yield none("errors of html-validate", "html-validate", documents)
    states = f"{walk.states} states"
    yield none("sideways scroll or cut words at 320 px", "scroll", states)
    yield none("sideways scroll, cut or overlapping words at 200 % zoom", "zoom", states)
    yield none("movement although less of it is asked for", "moving", states)
    yield none(
        "focus lost after a swap or a refused form", "focus stuck", f"{walk.presses} presses"
    )


def figures() -> Iterable[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(table=walking.Map(walking.routes(Path(folder))))
    shutil.rmtree(SCRATCH / "demo-for-walk", ignore_errors=True)
    with running("demo-for-walk") as url:
        walked(walk, url)
    validate(walk)
    yield from told(walk)
