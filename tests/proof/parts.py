"""Where the processor time of a page goes: run by the proof with the interpreter of the wheel.

    python tests/proof/parts.py COOKIES REQUESTS PATH…    # HUB_* as for hub serve

The application is asked without a socket, its handlers in this very thread, and a timer that
counts processor time looks at the stack again and again; what the outermost known function is
decides whose the moment was. Prints JSON: by path, the milliseconds a request that each part took.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from types import FrameType
from typing import Any

from litestar.utils import sync

from hub.app import create_app
from hub.cli.opening import open_plugins, open_store, read_settings

TICK_S = 0.001
WARM_UP = 50
SESSION, STORE, SUMS, WORDS, TEMPLATE, OTHER = PARTS = (
    "session", "store", "sums and rules", "words of the page", "template and charts",
    "routing, middleware",
)  # fmt: skip


def part_of(frame: FrameType | None) -> str:
    """Name the part that a stack is in."""
    seen: set[str] = set()
    while frame is not None:
        code = frame.f_code
        name = code.co_filename.replace("\\", "/")
        if "/hub/web/kit/visitor.py" in name and code.co_name == "visitor":
            return SESSION
        for folder, part in (
            ("/hub/web/kit/respond.py", TEMPLATE),
            ("/hub/store/", STORE),
            ("/hub/services/", SUMS),
            ("/hub/web/features/", WORDS),
        ):
            if folder in name and not name.endswith(".html"):
                seen.add(part)
        frame = frame.f_back
    return next((part for part in (TEMPLATE, STORE, SUMS, WORDS) if part in seen), OTHER)


async def in_this_thread(call: Any, *args: Any, **kwargs: Any) -> Any:
    return call(*args, **kwargs)


async def ask(app: Any, path: str, cookies: str) -> None:
    """Ask for a page as the server does, and take the answer."""
    query = path.partition("?")[2]
    path = path.partition("?")[0]
    headers = [(b"host", b"hub"), (b"cookie", cookies.encode()), (b"accept-language", b"ru")]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "method": "GET",
        "http_version": "1.1", "scheme": "http", "server": ("hub", 80), "client": ("hub", 1),
        "root_path": "", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": headers, "state": {},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"{path} answered {message['status']}.")

    await app(scope, receive, send)


async def measure(app: Any, path: str, cookies: str, requests: int) -> dict[str, float]:
    """Milliseconds a request of each part; their sum is measured without the timer's load."""
    for _ in range(WARM_UP):
        await ask(app, path, cookies)
    begin = time.process_time()
    for _ in range(requests):
        await ask(app, path, cookies)
    whole = (time.process_time() - begin) / requests * 1000
    found: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _number, frame: found.update([part_of(frame)]))
    signal.setitimer(signal.ITIMER_PROF, TICK_S, TICK_S)
    for _ in range(requests):
        await ask(app, path, cookies)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return {part: whole * found[part] / max(found.total(), 1) for part in PARTS}


async def main(cookies: str, requests: int, paths: list[str]) -> None:
    sync.sync_to_thread = in_this_thread  # type: ignore[assignment]
    settings = read_settings()
    with open_store(settings) as store:
        app = create_app(settings, store, open_plugins(settings))
        told = {path: await measure(app, path, cookies, requests) for path in paths}
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
