"""How heavy the portal is for a browser: bytes of the first load, and a month's chart at a quarter
of the processor.

``hub serve`` of the installed wheel, one consumer with 20 points that have a year of half-hours.
The first load is a browser without any cache that is signed in: every response as it comes over
the wire, headers and fonts included. The chart is timed with the processor slowed down four times
by the browser's own means, from the start of the navigation to the end of drawing and from the
arrow key to the frame after its answer; the median of five loads with a warm cache. Layout shifts
are those that follow no input, as browsers count them.
"""

import shutil
import statistics
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from e2e.browsers import chromium
from playwright.sync_api import Browser, BrowserContext, Page

from hub.domain.calendar import month_end
from proof.figures import SCRATCH, Figure
from proof.installed import installed_python
from proof.server import Portal, served
from proof.utility import ZONE, Size, build

POINTS = 20
LOADS = 5
SLOWER = 4
WIRE_KB, CHART_MS, SHIFT = 150, 1000, 0.01
KB = 1024
SETTLED_S = 1.5
WATCH = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts.push(entry.value);
  }).observe({ type: "layout-shift", buffered: true });
  addEventListener("keydown", (event) => {
    performance.mark("key", { startTime: event.timeStamp });
    requestAnimationFrame(() => setTimeout(() => performance.mark("key-painted")));
  }, true);
"""
MARKED = "(name) => performance.getEntriesByName(name).length > 0"
AT = "(name) => performance.getEntriesByName(name)[0].startTime"


def first_load(context: BrowserContext, address: str) -> tuple[int, int]:
    """Bytes over the wire and requests of a page that this browser never saw."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(address, wait_until="load")
    time.sleep(SETTLED_S)
    page.close()
    return round(sum(sizes)), len(sizes)


def chart(page: Page, address: str) -> tuple[float, float, float]:
    """Milliseconds until the month is drawn, until a key is answered; the sum of shifts."""
    page.goto(address, wait_until="commit")
    page.wait_for_function(MARKED, arg="profile-drawn")
    drawn = page.evaluate(AT, "profile-drawn")
    page.focus(".plot.live")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(MARKED, arg="key-painted")
    key, painted = page.evaluate(AT, "key"), page.evaluate(AT, "key-painted")
    time.sleep(SETTLED_S)
    return drawn, painted - key, page.evaluate("shifts.reduce((a, b) => a + b, 0)")


def signed_in(browser: Browser, portal: Portal, width: int) -> BrowserContext:
    context = browser.new_context(locale="ru-RU", viewport={"width": width, "height": 900})
    context.add_cookies(
        [
            {"name": name, "value": value, "url": portal.url}
            for name, _, value in (each.partition("=") for each in portal.cookies.split("; "))
        ]
    )
    context.add_init_script(WATCH)
    return context


def of_browser(browser: Browser, portal: Portal, month: str) -> Iterable[Figure]:
    size, requests = first_load(signed_in(browser, portal, 1440), portal.url + portal.home)
    yield Figure(
        "first load of the main page over the wire",
        f"{size / KB:.1f} KB in {requests} requests",
        f"at most {WIRE_KB} KB",
        met=size <= WIRE_KB * KB,
    )
    for width in (1440, 390):
        context = signed_in(browser, portal, width)
        page = context.new_page()
        address = f"{portal.url}/points/1/profile?{month}"
        chart(page, address)  # warms the cache
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        took = [chart(page, address) for _ in range(LOADS)]
        drawn, answer = (statistics.median(each[at] for each in took) for at in (0, 1))
        whole = statistics.median(each[0] + each[1] for each in took)
        yield Figure(
            f"a month of half-hours drawn and answering a key, {width} px, processor {SLOWER} "
            "times slower",
            f"{whole:.0f} ms: drawn {drawn:.0f}, key {answer:.0f}",
            f"at most {CHART_MS} ms, median of {LOADS}",
            met=whole <= CHART_MS,
        )
        shift = max(each[2] for each in took)
        yield Figure(
            f"layout shift of that page, {width} px",
            f"{shift:.4f}",
            f"at most {SHIFT}",
            met=shift <= SHIFT,
        )
        context.close()


def database(now: datetime) -> Path:
    """Make the data once a day."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    folder = SCRATCH / "weight" / today.isoformat()
    if not folder.exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        build(folder, now, Size(points=POINTS, each=POINTS))
    return folder


def figures() -> Iterable[Figure]:
    now = datetime.now(UTC).replace(microsecond=0)
    first = now.astimezone(ZoneInfo(ZONE)).date().replace(day=1)
    month = f"from={first}&to={month_end(first)}"
    folder = database(now)
    with (
        installed_python() as python,
        served(python, folder) as portal,
        chromium() as browser,
    ):
        yield from of_browser(browser, portal, month)
