"""Words of mails, and their way out: at least once, with one key."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hub.services
from hub.errors import ChannelDown, RecipientRejected
from hub.plugins.api import Delivery
from hub.services.mail import (
    NOTICE,
    PATHS,
    KeepsMails,
    Letterhead,
    MailOrder,
    Mails,
    kept_mail,
    kept_mails,
    order_mail,
    word,
)
from hub.services.notice_words import Letter
from hub.store import tables
from hub.web.kit.i18n import catalog

HEAD = Letterhead(address="https://hub.example", sender="Энергосбыт")
UNTIL = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)
ORDER = MailOrder(
    "confirm", "confirm:1", "anna@example.org", "ru",
    token="t0ken", valid_until=UNTIL, full_name="Анна <b>Ким</b>",
)  # fmt: skip
TEMPLATES = Path(hub.services.__file__).parent / "templates" / "mail"


class Post:
    """A notifier that does what a test says."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.sent = []

    async def deliver(self, desk, message, to):
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.sent.append((message.key, to))
        return Delivery()


def order(store, clock, what=ORDER):
    with store.write() as unit:
        return order_mail(unit, what, clock())


def row_of(store):
    with store.read() as unit:
        return unit.session.get(tables.Outbox, 1)


def test_a_confirmation_in_russian():
    message = word(ORDER, HEAD)
    assert message.subject == "Подтвердите E-mail для личного кабинета"
    assert message.link == "https://hub.example/register/confirm/t0ken"
    assert "26 ноября 2026, 12:05 (Москва, стандартное время)" in message.text
    assert message.text.count(message.link) == 1
    assert "Анна <b>Ким</b>" in message.text
    assert "Анна &lt;b&gt;Ким&lt;/b&gt;" in message.html
    assert f'href="{message.link}"' in message.html
    assert "<img" not in message.html
    assert "[[" not in message.text + message.html


@pytest.mark.parametrize("language", ["ru", "en", "", "xx"])
@pytest.mark.parametrize("template", PATHS)
def test_every_mail_has_words_in_every_language(template, language):
    letter = Letter("meter", "magnet", "Магнит", "x", UNTIL, UNTIL, None, "Дом", "Europe/Moscow")
    told = letter if template == NOTICE else None
    order = MailOrder(template, "k", "a@b.c", language, valid_until=UNTIL, letter=told)
    message = word(order, HEAD)
    assert message.subject
    assert message.html.startswith("<!doctype html>")
    russian = "Начало: 26 ноября" if template == NOTICE else "Здравствуйте"
    assert (russian in message.text) == (language != "en")


@pytest.mark.parametrize(("spoken", "name"), [("ru", "Узел учета"), ("en", "Metering hub")])
def test_a_letter_is_signed_with_the_name_of_the_pages(spoken, name):
    order = MailOrder("taken", "k", "a@b.c", spoken)
    plain = word(order, Letterhead("https://hub.example"))
    assert plain.text.endswith(f"\n\n{name}\nhttps://hub.example\n")
    assert f">{name}<br>" in plain.html
    assert catalog(spoken).gettext("Metering hub") == name
    assert "Энергосбыт" in word(order, HEAD).text


def test_every_text_is_used():
    assert {path.name for path in TEMPLATES.glob("*.txt")} == {
        f"{template}.{language}.txt" for template in PATHS for language in ("ru", "en")
    }


async def test_a_mail_goes_out_and_forgets_its_token(store, clock):
    order(store, clock)
    assert row_of(store).body["sealed"]
    assert "t0ken" not in str(row_of(store).body)
    post = Post()
    assert await Mails(store, post, HEAD, clock).deliver_due() == 1
    assert post.sent == [("confirm:1", "anna@example.org")]
    assert row_of(store).done_at == clock()
    assert row_of(store).body["sealed"] == ""
    assert await Mails(store, post, HEAD, clock).deliver_due() == 0


async def test_a_channel_that_is_down_is_tried_again_and_again_later(store, clock):
    order(store, clock)
    post = Post(ChannelDown(), ChannelDown())
    mails = Mails(store, post, HEAD, clock)
    assert await mails.deliver_due() == 0
    assert row_of(store).error.startswith("delivery.channel_down")
    assert row_of(store).body["sealed"]
    assert await mails.deliver_due() == 0
    assert row_of(store).attempts == 1  # not yet due
    clock.advance(seconds=30)
    await mails.deliver_due()
    clock.advance(seconds=59)
    assert await mails.deliver_due() == 0
    assert row_of(store).attempts == 2
    clock.advance(seconds=1)
    assert await mails.deliver_due() == 1


async def test_a_refused_recipient_is_kept_as_an_error(store, clock):
    order(store, clock)
    post = Post(RecipientRejected())
    await Mails(store, post, HEAD, clock).deliver_due()
    assert row_of(store).error.startswith("delivery.recipient_rejected")
    assert row_of(store).done_at == clock()
    assert row_of(store).body["sealed"] == ""


async def test_one_failure_does_not_hold_up_the_next(store, clock):
    order(store, clock)
    order(store, clock, MailOrder("taken", "taken:1", "b@example.org"))
    post = Post(ChannelDown())
    assert await Mails(store, post, HEAD, clock).deliver_due() == 1
    assert post.sent == [("taken:1", "b@example.org")]


async def test_a_key_is_ordered_once_and_kept_once(store, clock):
    assert order(store, clock)
    assert not order(store, clock)
    keeps = KeepsMails(store)
    await Mails(store, keeps, HEAD, clock).deliver_due()
    with store.write() as unit:  # the process died between handing over and saying so
        unit.cursor().execute("UPDATE outbox SET done_at = NULL, claimed_until = NULL")
    clock.advance(minutes=5)
    with store.write() as unit:
        unit.session.get(tables.Outbox, 1).body = {
            **row_of(store).body,
            "sealed": unit.secrets.seal("t0ken", table="outbox", row="confirm:1", field="token"),
        }
    assert await Mails(store, keeps, HEAD, clock).deliver_due() == 1
    kept = kept_mails(store)
    assert len(kept) == 1
    assert kept_mail(store, kept[0].id) == kept[0]
    assert kept_mail(store, 99) is None


async def test_a_seal_of_other_keys_is_given_up_and_said(store, clock):
    order(store, clock)
    with store.write() as unit:
        row = unit.session.get(tables.Outbox, 1)
        sealed = unit.secrets.seal("t0ken", table="outbox", row="another", field="token")
        row.body = {**row.body, "sealed": sealed}
    assert await Mails(store, Post(), HEAD, clock).deliver_due() == 0
    assert row_of(store).error.startswith("store.seal_broken")
    assert row_of(store).done_at - clock() == timedelta(0)
