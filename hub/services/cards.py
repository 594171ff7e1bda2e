"""Cards of suppliers and of transformers, as JSON columns keep them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.domain.contracts import https_link
from hub.plugins.api import SupplierCard, TransformerCard, TransformerFact

LONGEST_TEXT = 500
CARD_TEXTS = ("name", "email", "site", "address", "hours")


def card_of(title: str, card: Mapping[str, Any]) -> SupplierCard:
    """Read a stored card; fields that are not there are empty, and so is a site that is no link."""
    text = {key: str(card.get(key, ""))[:LONGEST_TEXT] for key in CARD_TEXTS}
    return SupplierCard(
        name=text["name"] or title,
        phones=tuple(str(phone)[:LONGEST_TEXT] for phone in card.get("phones", ())),
        email=text["email"],
        site=https_link(text["site"]),
        address=text["address"],
        hours=text["hours"],
    )


def card_dict(card: SupplierCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "phones": list(card.phones),
        "email": card.email,
        "site": card.site,
        "address": card.address,
        "hours": card.hours,
    }


def transformer_of(card: Mapping[str, Any]) -> TransformerCard:
    """Read a stored transformer; see ``transformer_dict``."""
    return TransformerCard(
        kind=card["kind"],
        phase=card["phase"],
        facts={TransformerFact(name): value for name, value in card["facts"].items()},
        from_on=_day(card["from_on"]),
        to_on=_day(card["to_on"]),
    )


def transformer_dict(card: TransformerCard) -> dict[str, Any]:
    """Write a transformer for a JSON column."""
    return {
        "kind": card.kind,
        "phase": card.phase,
        "facts": {name.value: value for name, value in card.facts.items()},
        "from_on": card.from_on.isoformat() if card.from_on else "",
        "to_on": card.to_on.isoformat() if card.to_on else "",
    }


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
