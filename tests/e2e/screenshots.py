"""``make screenshots``: every page, wide and light, narrow and dark, into docs/screenshots/.

Pictures are of a demo that is running at the address given, else of one started for it.
"""

import re
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urljoin

import help_pictures
from browsers import chromium
from browsing import sign_in
from demos import PATIENCE_S, running
from playwright.sync_api import Browser, Page

from hub.cli.demo_utility import EMAIL, PASSWORD

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "screenshots"
WIDTHS = {1440: 1000, 390: 844}
LOOKS = {(1440, "light"), (390, "dark")}  # of every page; the other two of SHOWN alone
SHOWN = {"home", "points", "profile", "readings"}
WORKSHOP = "Цех, ввод 1"  # through current transformers
TALLEST = 1900
THEMES = ("light", "dark")


def wait_for_history(page: Page, url: str) -> None:
    """Look at the main page until its strip of history is gone."""
    for _ in range(PATIENCE_S):
        page.goto(url)
        if not page.locator("#growing:visible").count():
            return
        time.sleep(1)
    raise RuntimeError("The meters' history was not read in five minutes; see the demo's output.")


def point_named(page: Page, name: str) -> str:
    """Find a point of any contract by its name, in the lists that a person has."""
    for contract in page.locator("#contracts > li > a").all():
        page.goto(urljoin(page.url, f"{contract.get_attribute('href')}/points"))
        found = page.get_by_role("link", name=re.compile(name)).first
        if found.count():
            return str(found.get_attribute("href"))
    raise RuntimeError(f"The demo has no point {name}.")


def addresses(page: Page, url: str) -> dict[str, str]:
    """Pages by the name of their picture, found as a person finds them."""
    page.goto(url)
    home = page.url.removeprefix(url)
    page.goto(f"{url}{home}/points")
    found = re.search(r"/points/\d+", page.content())
    if found is None:
        raise RuntimeError("The demo has no point.")
    point = found[0]
    through_transformers = point_named(page, WORKSHOP)
    today = date.today()  # noqa: DTZ011 - the demo runs by this machine's clock
    monday = today - timedelta(days=today.weekday() + 7)
    week = f"from={monday}&to={monday + timedelta(days=6)}"
    month = f"from={today.replace(day=1)}&to={today}"
    return {
        "home": home,
        "points": f"{home}/points",
        "info": point,
        "readings": f"{point}/readings",
        "readings-months": f"{point}/readings?scale=months",
        "profile": f"{point}/profile",
        "profile-week": f"{point}/profile?{week}",
        "profile-day": f"{point}/profile?from={monday}&to={monday}&day={monday}",
        "profile-month": f"{point}/profile?{month}",
        "transformers": f"{through_transformers}/transformers",
        "journal": f"{point}/journal",
        "live": f"{point}/live",
        "contract-new": "/contracts/new",
        "notifications": f"{home}/notifications",
        "appeals": f"{home}/appeals",
        "appeal-new": f"{home}/appeals/new",
        "me": "/account",
        "channels": "/account/notifications",
        "rules": "/account/rules",
        "rule-new": "/account/rules/new",
        "security": "/account/security",
        "tokens": "/account/tokens",
        "token-new": "/account/tokens/new",
        "delete": "/account/delete",
        "help": "/help",
        "help-profile": "/help/profile",
        "missing": "/points/999999",
        "mail": "/demo/mail",
    }


def picture(page: Page, url: str, address: str, name: str, width: int) -> None:
    """Take one picture: the page, but not more than two screens of it."""
    shown, _, theme = name.rsplit("-", maxsplit=2)
    if (width, theme) not in LOOKS and shown not in SHOWN:
        return
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    page.goto(f"{url}{address}")
    page.wait_for_load_state("networkidle")
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        raise RuntimeError(f"{address} is {wide} px wide in a window of {width}.")
    tall = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    page.screenshot(
        path=FOLDER / f"{name}.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": width, "height": max(tall, WIDTHS[width])},
    )


def take(browser: Browser, url: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    for theme in THEMES:
        context = browser.new_context(locale="ru-RU", color_scheme=theme)
        page = context.new_page()
        for width in WIDTHS:
            for name in ("login", "register"):
                picture(page, url, f"/{name}", f"{name}-{width}-{theme}", width)
        sign_in(page, url, EMAIL, PASSWORD)
        wait_for_history(page, url)
        shown = addresses(page, url)
        if theme == "light":
            page.goto(f"{url}{shown['points']}")
            form = re.search(r'href="(/points/\d+)/submit', page.content())
            if form is None:
                raise RuntimeError("The demo has no point whose readings are due.")
            pages = help_pictures.addresses(shown["home"], shown["info"], form[1])
            help_pictures.take(browser, url, context.cookies(), pages)
        for name, address in shown.items():
            for width in WIDTHS:
                picture(page, url, address, f"{name}-{width}-{theme}", width)
        context.close()


def main(words: list[str]) -> None:
    with chromium() as browser:
        if words:
            take(browser, words[0].rstrip("/"))
        else:
            with running("demo-for-pictures") as url:
                take(browser, url)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures are in {FOLDER}.")


if __name__ == "__main__":
    main(sys.argv[1:])
