"""The rules of axe-core that pages are held against: WCAG 2.2 A and AA and best practice."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OPTIONS = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
RUN = """async (options) => {
  const menus = [...document.querySelectorAll("details[open] > .pop")];
  if (menus.some((menu) => menu.checkVisibility())) options.rules["target-size"].enabled = false;
  const { violations } = await axe.run(options);
  const where = (each) => each.nodes.slice(0, 3).map((node) => node.target.join(" "));
  return violations.map((each) => `${each.id} at ${where(each).join(", ")}`);
}"""


def broken(page: Page) -> list[str]:
    """Name each rule that the page breaks as it stands, and the first places.

    An open menu may lie on a control and leave little of it: its opener wanted that, so sizes of
    targets are not judged then. Pages loaded with ``AXE_SCRIPT`` are judged sooner.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(RUN, OPTIONS)
    return found
