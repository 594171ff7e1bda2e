"""Town Power's side of tests/plugins/townpower: a small server with moods.

It keeps what it is sent by key, as a careful supplier does, and counts what reaches it.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOGIN, PASSWORD = "town-7", "letter-of-town"
TOKEN = "t0wn"
METER, WATER = "m-1", "w-1"
HALF = timedelta(minutes=30)
A_PAGE = 100


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


class Town:
    """What Town Power knows, and the mood it is in.

    ``mood``: well, slow (answers when it is let go), fails (500), html, half (of a page).
    ``forgets``: what is posted is kept, and the answer is lost.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.mood = "well"
        self.forgets = False
        self.go = threading.Event()
        self.held = 0  # requests that wait to be let go
        self.asked = 0
        self.began = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.roubles = "-1284.50"
        self.as_of = datetime.now(UTC)
        self.half_hours = [
            (self.began - timedelta(days=3) + HALF * at, 100 + at % 48 * 7) for at in range(144)
        ]
        self.readings: list[dict[str, Any]] = []
        for zone, value, basis in (("T1", "3124.027", "accepted"), ("T2", "1527.796", "accepted")):
            self._reading(METER, zone, value, basis)
        self._reading(WATER, "", "100.000", "average")
        self.notices: list[dict[str, Any]] = []
        self.sent: dict[str, dict[str, Any]] = {}  # submissions by key
        self.decisions: list[dict[str, Any]] = []
        self.appeals: dict[str, dict[str, Any]] = {}  # by key
        self.files: dict[str, dict[str, str]] = {}  # by address
        self.changes: list[str] = []  # keys of appeals, in the order they changed
        self.posts: list[str] = []  # keys, however often the same came
        self.tell("planned_work", "Cables are replaced", "No power on Friday from 10 to 14.")

    def _reading(self, point: str, zone: str, value: str, basis: str) -> None:
        on = (self.began - timedelta(days=20)).date().isoformat()
        self.readings.append(
            {"id": len(self.readings) + 1, "point": point, "zone": zone, "on": on,
             "value": value, "basis": basis}
        )  # fmt: skip

    # -- what its people do

    def tell(self, kind: str, title: str, text: str) -> None:
        with self.lock:
            self.notices.append(
                {"id": len(self.notices) + 1, "kind": kind, "at": stamp(datetime.now(UTC)),
                 "title": title, "text": text}
            )  # fmt: skip

    def decide(self, key: str, state: str, reason: str = "") -> None:
        with self.lock:
            sent = self.sent[key]
            self.decisions.append(
                {"id": sent["id"], "key": key, "state": state, "reason": reason,
                 "at": stamp(datetime.now(UTC))}
            )  # fmt: skip
            if state == "accepted":
                for zone, value in sent["values"].items():
                    self.readings.append(
                        {"id": len(self.readings) + 1, "point": sent["point"], "zone": zone,
                         "on": sent["on"], "value": value, "basis": "accepted"}
                    )  # fmt: skip

    def answer(
        self, key: str, text: str, state: str = "answered", words: str = "Answered",
        files: list[dict[str, str]] | None = None,
    ) -> None:  # fmt: skip
        with self.lock:
            now = stamp(datetime.now(UTC))
            appeal = self.appeals[key]
            appeal |= {"state": state, "state_in_words": words, "at": now}
            self._say(appeal, [now, "B. Clerk", text], files or [])
            self.changes.append(key)

    def _say(self, appeal: dict[str, Any], said: list[str], files: list[dict[str, str]]) -> None:
        """Add to a thread; what is in a file is told apart from the thread."""
        for file in files:
            number, place = len(self.files) + 1, len(appeal["thread"])
            self.files[f"/appeals/{appeal['id']}/files/{number}"] = file
            appeal["files"].append({"id": number, "message": place, "name": file["name"]})
        appeal["thread"].append(said)

    @contextmanager
    def in_mood(self, mood: str) -> Iterator[None]:
        self.go.clear()
        self.mood = mood
        try:
            yield
        finally:
            self.mood = "well"
            self.go.set()

    # -- what it is asked

    def get(self, path: str, after: int) -> Any:
        facts = {
            "/card": {
                "name": "Town Power", "phones": ["8 800 555-01-01"], "email": "ask@town.example",
                "hours": "Mo-Fr 9-18", "address": "1, Town square",
            },
            "/contract": {"number": "TP-7", "holder": "A. Customer", "address": "7, Mill lane"},
            "/balance": {"roubles": self.roubles, "as_of": stamp(self.as_of)},
            "/points": [
                {"id": METER, "name": "Mill", "number": "TP-7-1", "serial": "41888848",
                 "resource": "electricity", "unit": "kWh", "reports": True, "zones": ["T1", "T2"],
                 "digits": 6, "decimals": 3, "time_zone": "Europe/Samara"},
                {"id": WATER, "name": "Water of the mill", "number": "TP-7-2", "serial": "W-77",
                 "resource": "water", "unit": "m3", "reports": False, "zones": [],
                 "digits": 5, "decimals": 3, "time_zone": ""},
            ],
        }  # fmt: skip
        if path in facts:
            return facts[path]
        if path in self.files:
            return self.files[path]
        lists: dict[str, list[Any]] = {
            "/readings": self.readings,
            "/notices": self.notices,
            "/decisions": self.decisions,
            "/appeals": [self.appeals[key] for key in self.changes],
            f"/points/{METER}/half-hours": [
                {"from": stamp(at), "kwh": f"{wh / 1000:.3f}"} for at, wh in self.half_hours
            ],
        }
        if path in lists:
            items = lists[path][after : after + A_PAGE]
            end = after + len(items)
            return {"items": items, "next": end, "more": end < len(lists[path])}
        for appeal in self.appeals.values():
            if path == f"/appeals/{appeal['id']}":
                return appeal
        return None

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        now = stamp(datetime.now(UTC))
        key = body["key"]
        self.posts.append(key)
        if path == "/readings":
            if any(value.startswith("-") for value in body["values"].values()):
                return 422, {"reason": "less than nothing"}
            kept = self.sent.setdefault(key, {"id": len(self.sent) + 1, "state": "taken", **body})
            return 202, {"id": kept["id"], "state": kept["state"]}
        if path == "/appeals":
            if key not in self.appeals:
                self.appeals[key] = {
                    "id": len(self.appeals) + 1, "key": key, "subject": body["subject"],
                    "state": "in_work", "state_in_words": "In work", "at": now,
                    "thread": [], "files": [],
                }  # fmt: skip
                self._say(self.appeals[key], [now, "", body["text"]], body["files"])
                self.changes.append(key)
            return 201, self.appeals[key]
        (appeal,) = (
            each for each in self.appeals.values() if path.startswith(f"/appeals/{each['id']}/")
        )
        self._say(appeal, [now, "", body["text"]], body["files"])
        self.changes.append(appeal["key"])
        return 201, appeal


class Handler(BaseHTTPRequestHandler):
    town: Town

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        pass

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        after = int(parse_qs(where.query).get("after", ["0"])[0])
        self._answer(lambda: self._found(where.path, after))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = urlsplit(self.path).path
        if path == "/session":
            right = (body["login"], body["password"]) == (LOGIN, PASSWORD)
            told = {"token": TOKEN, "account": 7, "number": "TP-7"}
            self._answer(lambda: (200, told) if right else (401, {"reason": "unknown"}))
            return
        self._answer(lambda: self.town.post(path, body), posted=True)

    def _found(self, path: str, after: int) -> tuple[int, Any]:
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"reason": "who is it?"}
        told = self.town.get(path, after)
        return (404, {}) if told is None else (200, told)

    def _answer(self, make: Any, *, posted: bool = False) -> None:
        town = self.town
        mood = town.mood
        with town.lock:
            town.asked += 1
        if mood == "slow":
            with town.lock:
                town.held += 1
            town.go.wait(60)
            with town.lock:
                town.held -= 1
        if mood == "fails":
            return self._send(500, b'{"oops": 1}', "application/json")
        if mood == "html":
            return self._send(200, b"<!doctype html><title>Maintenance</title>", "text/html")
        with town.lock:
            status, told = make()
        if posted and town.forgets:
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        body = json.dumps(told).encode()
        if mood == "half":
            return self._send(status, body[: len(body) // 2], "application/json", len(body))
        return self._send(status, body, "application/json")

    def _send(self, status: int, body: bytes, kind: str, length: int | None = None) -> None:
        try:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # whoever asked is gone
            self.close_connection = True
        if length is not None:
            self.close_connection = True


@contextmanager
def serving(town: Town) -> Iterator[str]:
    """Serve until the block ends; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("TownHandler", (Handler,), {"town": town}))
    server.daemon_threads = False  # closing waits for who still answers
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        town.go.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
