"""``make screenshots`` takes these too: one picture an article of «Помощь», in each language.

They are of a running demo, in the light theme, and go into hub/web/static/help/.
"""

from pathlib import Path

from playwright.sync_api import Browser

import hub.web
from hub.web.features.help.articles import ARTICLES

FOLDER = Path(hub.web.__file__).parent / "static" / "help"
PAGE, PHONE = (1000, 720), (390, 780)
# What the article is about, large enough to be read on a phone.
WITHOUT_RAIL = """() => {
  document.querySelector(".rail").style.display = "none";
  const frame = document.querySelector(".frame");
  frame.style.gridTemplateColumns = "minmax(0, 1fr)";
  frame.style.background = "none";
}"""


def addresses(home: str, point: str, manual: str) -> dict[str, str]:
    """Return the page of each article; ``manual`` is a point whose readings people submit."""
    return {
        "start": "/register",
        "recover": "/recover",
        "contracts": "/contracts/new",
        "home": home,
        "submit": f"{manual}/submit",
        "readings": f"{point}/readings",
        "profile": f"{point}/profile",
        "journal": f"{point}/journal",
        "notifications": f"{home}/notifications",
        "appeals": f"{home}/appeals",
        "account": "/account",
        "files": point,
        "phone": home,
    }


def take(browser: Browser, url: str, cookies: list, pages: dict[str, str]) -> None:
    """Take all pictures; ``cookies`` are of somebody signed in."""
    if pages.keys() != {article.slug for article in ARTICLES}:
        raise RuntimeError("Every article of the help needs a page to be pictured.")
    FOLDER.mkdir(exist_ok=True)
    for language in ("ru", "en"):
        for slug, address in pages.items():
            wide, high = PHONE if slug == "phone" else PAGE
            own = browser.new_context(
                locale=language,
                color_scheme="light",
                viewport={"width": wide, "height": high},
            )
            if slug not in {"start", "recover"}:
                own.add_cookies(cookies)
            page = own.new_page()
            page.goto(f"{url}/language/{language}?next={address}")
            page.wait_for_load_state("networkidle")
            if slug not in {"start", "recover", "contracts", "phone"}:
                page.evaluate(WITHOUT_RAIL)
            page.screenshot(path=FOLDER / f"{slug}.{language}.png")
            own.close()
