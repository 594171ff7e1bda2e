"""«Уведомления» of the profile: what is shown, mailed and sent as SMS, and when not."""

import re
from datetime import UTC, datetime

import httpx
import pytest
from litestar.testing import TestClient
from portal import PART, Browser, words

from hub.app import create_app
from hub.domain.notices import AT_FIRST, Channel, Source
from hub.services.publishing import News, publish
from hub.store import accounts, notify, outbox, tables

PAGE = "/account/notifications"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def own(portal, anna):
    browser = portal()
    browser.sign_in()
    return browser


@pytest.fixture
def contract(store, anna):
    now = datetime.now(UTC)
    with store.write() as unit:
        supplier = tables.Supplier(connector="house", title="Сбыт", created_at=now)
        unit.session.add(supplier)
        unit.session.flush()
        row = tables.Contract(user_id=anna, supplier_id=supplier.id, name="Дом", number="1",
                              remote_id="1", linked_at=LONG_AGO)  # fmt: skip
        unit.session.add(row)
        unit.session.flush()
        return row.id


def come(store, contract, source, title):
    now = datetime.now(UTC)
    with store.write() as unit:
        news = News(contract_id=contract, source=source, key=title, kind="other", title=title,
                    text="", published_at=now)  # fmt: skip
        publish(unit, news, now)


def chosen(store, user):
    with store.read() as unit:
        return notify.choices(unit, user)


def ticked(page: str) -> set[str]:
    boxes = re.findall(r'<input type="checkbox" name="(\w+\.\w+)"([^>]*)>', page)
    return {name for name, rest in boxes if "checked" in rest}


def sent(store) -> list[outbox.Work]:
    with store.write() as unit:
        return outbox.claim(unit, ["mail", "sms"])


def names(choices) -> set[str]:
    return {f"{source.value}.{channel.value}" for source, channel in choices}


@pytest.mark.clause("P2.channels")
@pytest.mark.parametrize("headers", [{}, PART])
def test_each_source_has_a_choice_for_each_channel(own, store, anna, headers):
    page = own.open(PAGE).text
    assert ticked(page) == names(AT_FIRST)
    for label in ("Портал", "E-mail", "SMS", "От поставщика", "От приборов", "Обращения"):
        assert label in words(page)
    wanted = {
        "supplier.portal": "1",
        "meter.email": "1",
        "quiet_from": "22:00",
        "quiet_to": "08:00",
    }
    answer = own.client.post(
        PAGE,
        data={**wanted, "_csrf_token": own.fill(page, PAGE, {})["_csrf_token"]},
        headers=headers,
    )
    assert answer.status_code in {200, 303}
    assert names(chosen(store, anna)) == {"supplier.portal", "meter.email"}
    assert ticked(own.open(PAGE).text) == {"supplier.portal", "meter.email"}


def post(own, **fields):
    page = own.open(PAGE).text
    typed = dict.fromkeys(ticked(page), "1") | {"quiet_from": "22:00", "quiet_to": "08:00"}
    token = own.fill(page, PAGE, {})["_csrf_token"]
    return own.client.post(PAGE, data={**typed, **fields, "_csrf_token": token})


@pytest.mark.clause("P2.sources")
@pytest.mark.parametrize(
    ("group", "sources"),
    [
        ("supplier", {Source.SUPPLIER, Source.READING, Source.APPEAL}),
        ("meters", {Source.METER, Source.RULE}),
    ],
)
def test_supplier_and_meters_are_turned_off_and_on_separately(own, store, anna, group, sources):
    assert post(own, turn=f"{group}.off").status_code == 303
    assert chosen(store, anna) == {each for each in AT_FIRST if each[0] not in sources}
    assert post(own, turn=f"{group}.on").status_code == 303
    assert chosen(store, anna) == AT_FIRST


@pytest.mark.clause("N2.off")
@pytest.mark.parametrize(
    ("group", "off", "on"),
    [("supplier", Source.SUPPLIER, Source.METER), ("meters", Source.METER, Source.SUPPLIER)],
)
def test_what_is_turned_off_is_neither_shown_nor_sent(own, store, contract, group, off, on):
    come(store, contract, off, "Раньше")
    sent(store)
    post(own, turn=f"{group}.off")
    come(store, contract, off, "Лишнее")
    come(store, contract, on, "Нужное")
    listed = words(own.open(f"/contracts/{contract}/notifications").text)
    assert "Нужное" in listed
    assert "Лишнее" not in listed
    assert "Раньше" not in listed
    assert "1 непрочитанное" in listed
    assert "Лишнее" not in words(own.open(f"/contracts/{contract}").text)
    mails = [work for work in sent(store) if work.body["template"] == "notice"]
    assert len(mails) == (1 if on is Source.SUPPLIER else 0)  # letters of meters are off at first
    post(own, turn=f"{group}.on")
    again = words(own.open(f"/contracts/{contract}/notifications").text)
    assert "Лишнее" in again
    assert "Раньше" in again


def test_quiet_hours_are_kept_and_shown(own, store, anna):
    assert post(own, quiet="1", quiet_from="23:30", quiet_to="6:15").status_code == 303
    with store.read() as unit:
        assert notify.quiet_of(accounts.user_by_id(unit, anna)) == (23 * 60 + 30, 6 * 60 + 15)
    page = own.open(PAGE).text
    assert 'value="23:30"' in page
    assert 'value="06:15"' in page
    post(own)
    with store.read() as unit:
        assert notify.quiet_of(accounts.user_by_id(unit, anna)) is None


@pytest.mark.parametrize(
    ("hours", "said"),
    [(("25:00", "08:00"), "Напишите часы и минуты"), (("", "08:00"), "Напишите часы и минуты"),
     (("08:00", "08:00"), "Тихие часы длились бы сутки")],
)  # fmt: skip
def test_quiet_hours_that_are_none_are_refused_and_nothing_is_lost(own, store, anna, hours, said):
    answer = post(own, quiet="1", quiet_from=hours[0], quiet_to=hours[1], **{"meter.email": "1"})
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert "meter.email" in ticked(answer.text)
    assert f'value="{hours[0]}"' in answer.text
    assert chosen(store, anna) == AT_FIRST


def test_without_a_confirmed_phone_the_page_says_what_to_do(own, store, anna):
    page = own.open(PAGE).text
    assert "SMS приходят только на подтвержденный телефон" in words(page)
    assert 'href="/account#phone-form"' in page
    nobody_can_tick(page)
    post(own, **{"meter.sms": "1"})
    assert (Source.METER, Channel.SMS) not in chosen(store, anna)


def nobody_can_tick(page: str) -> None:
    boxes = re.findall(r'<input type="checkbox" name="\w+\.sms"([^>]*)>', page)
    assert len(boxes) == len(Source)
    assert all("disabled" in box for box in boxes)


def test_without_a_gateway_the_page_says_so(settings, store, plugins, anna):
    app = create_app(settings.model_copy(update={"demo": False}), store, plugins)
    with TestClient(app) as client:
        own = Browser(httpx.Client(base_url=client.base_url, transport=client._transport))
        own.sign_in()
        page = own.open(PAGE).text
        assert "SMS здесь не подключены" in words(page)
        nobody_can_tick(page)
        assert 'id="phone-form"' not in own.open("/account").text
        assert "SMS" not in words(own.open("/account/security").text)
        answer = own.client.post(
            "/account/phone", data={"_csrf_token": own.fill(page, PAGE, {})["_csrf_token"]}
        )
        assert answer.status_code == 404


def test_somebody_elses_choices_stay_theirs(own, store, anna, portal):
    post(own, turn="meters.off")
    with store.read() as unit:
        assert notify.choices(unit, anna + 1) == AT_FIRST


def test_a_box_is_kept_as_soon_as_it_is_ticked_and_said(own, store, anna):
    """As the table sends it: the quiet hours that are typed meanwhile stay typed."""
    post(own, quiet="1", quiet_from="23:30", quiet_to="6:15")
    page = own.open(PAGE).text
    token = own.fill(page, PAGE, {})["_csrf_token"]
    boxes = dict.fromkeys(ticked(page) - {"appeal.email"}, "1")
    typed = {**boxes, "part": "matrix", "quiet": "1", "quiet_from": "2", "_csrf_token": token}
    answer = own.client.post(PAGE, data=typed, headers=PART)
    assert answer.status_code == 200
    assert "Сохранено. Обращения, E-mail: выключено." in words(answer.text)
    assert answer.text.lstrip().startswith('<section class="card flush" id="matrix"')
    assert names(chosen(store, anna)) == names(AT_FIRST) - {"appeal.email"}
    assert 'value="23:30"' in own.open(PAGE).text
    answer = own.client.post(PAGE, data=typed | {"appeal.email": "1"}, headers=PART)
    assert "Сохранено. Обращения, E-mail: включено." in words(answer.text)
    assert chosen(store, anna) == AT_FIRST
    answer = own.client.post(PAGE, data=typed | {"turn": "meters.off"}, headers=PART)
    assert 'value="meters.on"' in answer.text
