"""SMS over the HTTP gateway of any provider: address, body and answer are settings.

``url`` and ``body`` are texts with ``{to}``, ``{text}`` and ``{key}``; what stands there is
encoded for its place. A JSON body has them between quotation marks. The answer says what became
of it: its status, and two patterns that are looked for in its text.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import SecretStr, model_validator

from hub.plugins.api import (
    ChannelDown,
    Delivery,
    Desk,
    HubError,
    Message,
    NotifierSpec,
    PluginCard,
    PluginSettings,
    RecipientRejected,
    Secret,
    hookimpl,
    setting,
)

PLACE = re.compile(r"\{(to|text|key)\}")
NUMBER = re.compile(r"\+?[1-9]\d{9,14}")
RUSSIAN_TRUNK = re.compile(r"8\d{10}")  # as people in Russia write +7
GOOD, BAD_REQUEST, SERVER_ERROR = 200, 400, 500
AUTH_TROUBLE = {401, 403}
LINE_LENGTH = 134  # two parts of 67 Cyrillic letters


class Format(StrEnum):
    """How the body is sent; ``none``: everything stands in the address, asked by GET."""

    JSON = "json"
    FORM = "form"
    NONE = "none"


class SmsSettings(PluginSettings):
    """The gateway of one provider."""

    url: Secret = setting(
        label="Address of the gateway",
        example="https://sms.example.org/send?to={to}&text={text}",
    )
    format: Format = setting(Format.JSON, label="Format of the body")
    body: str = setting(
        '{"phone": "{to}", "message": "{text}", "id": "{key}"}',
        label="Body",
        hint="{to}, {text} and {key} are put in.",
    )
    headers: Secret = setting(
        SecretStr(""),
        label="Headers",
        hint="One a line, as 'Authorization: Bearer …'.",
    )
    accepted: str = setting("", label="Answer of an accepted message holds (pattern)")
    refused: str = setting(
        "", label="Answer of a number that can't be reached holds (pattern)", advanced=True
    )

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if urlsplit(self.url.get_secret_value()).scheme not in {"http", "https"}:
            raise ValueError("the address begins with https://")
        for pattern in (self.accepted, self.refused):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no pattern: {error}") from error
        if self.format is Format.JSON:
            json.loads(_filled(self.body, {"to": "1", "text": "x", "key": "k"}, _in_json))
        _headers(self.headers.get_secret_value())
        return self


class SmsNotifier:
    """Hands one line to the gateway."""

    def __init__(self, settings: SmsSettings) -> None:
        self.settings = settings
        self.headers = _headers(settings.headers.get_secret_value())

    async def deliver(self, desk: Desk, message: Message, to: str) -> Delivery:
        """Send the message's line; the same key may come twice only if no answer came."""
        values = {"to": to, "text": message.line, "key": message.key}
        url = _filled(self.settings.url.get_secret_value(), values, lambda text: quote(text, ""))
        try:
            answer = await self._send(desk, url, values)
        except HubError as error:
            raise ChannelDown("The SMS gateway does not answer; it is tried again.") from error
        text = answer.text()
        if self.settings.refused and re.search(self.settings.refused, text):
            raise RecipientRejected
        good = GOOD <= answer.status < BAD_REQUEST and re.search(self.settings.accepted, text)
        if good:
            return Delivery(message.key)
        if BAD_REQUEST <= answer.status < SERVER_ERROR and answer.status not in AUTH_TROUBLE:
            raise RecipientRejected(f"The SMS gateway refused the number ({answer.status}).")
        raise ChannelDown(f"The SMS gateway answered {answer.status}; it is tried again.")

    async def _send(self, desk: Desk, url: str, values: Mapping[str, str]) -> Any:
        http, body = desk.http, self.settings.body
        if self.settings.format is Format.NONE:
            return await http.get(url, headers=self.headers)
        if self.settings.format is Format.FORM:
            form = {
                name: _filled(value, values, str)
                for name, value in parse_qsl(body, keep_blank_values=True)
            }
            return await http.send("POST", url, form=form, headers=self.headers, once=True)
        told = json.loads(_filled(body, values, _in_json))
        return await http.send("POST", url, json=told, headers=self.headers, once=True)


def _filled(template: str, values: Mapping[str, str], encode: Callable[[str], str]) -> str:
    return PLACE.sub(lambda place: encode(values[place[1]]), template)


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _headers(lines: str) -> dict[str, str]:
    found = {}
    for line in filter(None, (each.strip() for each in lines.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ValueError("a header is 'Name: value', one a line")
        found[name.strip()] = value.strip()
    return found


def check_address(text: str) -> str:
    """Give a number as +79000000000, or raise ValueError."""
    number = re.sub(r"[\s()-]", "", text)
    if RUSSIAN_TRUNK.fullmatch(number):
        number = f"+7{number[1:]}"
    if not NUMBER.fullmatch(number):
        raise ValueError(f"{text!r} is not a phone number")
    return number if number.startswith("+") else f"+{number}"


def _hosts(settings: SmsSettings) -> frozenset[str]:
    return frozenset({urlsplit(settings.url.get_secret_value()).hostname or ""})


@hookimpl
def hub_plugin() -> PluginCard:
    return PluginCard(id="sms", title="SMS", requires_api=(1, 0))


@hookimpl
def hub_notifiers() -> Sequence[NotifierSpec[SmsSettings]]:
    return [
        NotifierSpec(
            id="sms",
            title="SMS",
            settings=SmsSettings,
            hosts=_hosts,
            build=SmsNotifier,
            check_address=check_address,
            line_length=LINE_LENGTH,
            costs=True,
        )
    ]
