"""A browser without scripts before the real portal: cookies, forms of pages, redirects."""

import asyncio
import re
from collections.abc import Mapping
from html import unescape

import httpx

from hub.services.mail import KeepsMails, Letterhead, Mails, kept_mails
from hub.web.kit.visitor import SESSION_COOKIE

PART = {"hx-request": "true", "hx-request-type": "partial"}
INPUT = re.compile(r"<input\b([^>]*)>")
SELECT = re.compile(r'<select\b[^>]*name="([^"]*)"[^>]*>(.*?)</select>', re.DOTALL)
FORM = re.compile(r'<form\b[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
PASSWORD = "Correct horse"


def attributes(text: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'([a-z-]+)="([^"]*)"', text)}


def words(html: str) -> str:
    """What a person reads, with plain spaces."""
    seen = re.sub(r"<(script|svg|title).*?</\1>", " ", html, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", seen)
    return re.sub(r"\s+", " ", unescape(text))


class Browser:
    """Follows links and sends forms as their page has them."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def open(self, path: str, **headers: str):
        return self.client.get(path, follow_redirects=False, headers=headers)

    def fill(self, page: str, action: str, typed: Mapping[str, str]) -> dict[str, str]:
        """Fields of a form of the page as it came, with what was typed."""
        bodies = {unescape(where): body for where, body in FORM.findall(page)}
        fields = {}
        for text in INPUT.findall(bodies[action]):
            found = attributes(text)
            if found.get("type") not in {"checkbox", "radio"} or "checked" in text:
                fields[found["name"]] = found.get("value", "")
        for name, options in SELECT.findall(bodies[action]):
            chosen = [attributes(text) for text in re.findall(r"<option\b([^>]*)>", options)
                      if " selected" in text]  # fmt: skip
            fields[name] = chosen[0]["value"] if chosen else ""
        return {**fields, **typed}

    def send(self, path: str, action: str = "", headers: Mapping[str, str] | None = None, **typed):
        """Open the page, fill its form in and send it; the answer is not followed."""
        page = self.open(path).text
        data = self.fill(page, action or path, typed)
        return self.client.post(
            action or path, data=data, headers=dict(headers or {}), follow_redirects=False
        )

    def sign_in(self, email: str = "anna@example.org", password: str = PASSWORD, **more):
        return self.send("/login", email=email, password=password, **more)

    @property
    def session(self) -> str | None:
        return self.client.cookies.get(SESSION_COOKIE)


def deliver(store) -> None:
    """Carry the letters that are due."""
    mails = Mails(store, KeepsMails(store), Letterhead("http://hub.test"))
    asyncio.run(mails.deliver_due())


def links(store) -> list[str]:
    """Links of the letters, newest first, as paths."""
    return [mail.link.removeprefix("http://hub.test") for mail in kept_mails(store)]
