"""What the demo's consumer did on the portal on the day it was made; the utility answered."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hub.cli.demo_books import HEAT, LODGE, MANUAL
from hub.domain.rules import Often, RuleKind
from hub.services.appeals import Appeals, Draft
from hub.services.bookkeeping import Bookkeeping
from hub.services.drafts import Drafts, NewFile
from hub.services.exchange import Exchange
from hub.services.notices import Notices
from hub.services.rules import Rules, TypedRule
from hub.services.submissions import Submissions
from hub.store import points as stored
from hub.store import told as kept

if TYPE_CHECKING:
    from hub.plugins.manager import Plugins
    from hub.services.passwords import Passwords
    from hub.store.unit import Store

PHOTO = Path(__file__).with_name("demo_meter.webp")  # drawn, no real meter
NEWS_FOR = timedelta(days=7)  # what is older has been read
RULES = (
    ("Дом, ввод 380 В", RuleKind.MONTH_ENERGY, TypedRule("100")),
    ("Дом, ввод 380 В", RuleKind.VOLTAGE, TypedRule("253", "207", Often.DAY.value)),
    ("Склад", RuleKind.SILENCE, TypedRule("24")),
)


async def act(
    store: "Store", plugins: "Plugins", passwords: "Passwords", supplier_id: int, user_id: int
) -> None:
    """Read old notifications, send readings and an appeal, have them carried; set rules."""
    await asyncio.to_thread(_write, store, user_id)
    await asyncio.to_thread(_set_rules, store, user_id)
    exchange = Exchange(store, plugins, passwords)
    while await exchange.run_due():
        pass
    books = Bookkeeping(store, supplier_id, passwords, actor="demo")
    for sent in await asyncio.to_thread(books.submissions):
        if sent.point == MANUAL:
            reason = "Показание T1 не видно на фото. Пришлите его еще раз."
            await asyncio.to_thread(books.refuse, sent.id, reason)
        elif sent.point == HEAT:
            await asyncio.to_thread(books.accept, sent.id)
    while await exchange.run_due():
        pass


def _set_rules(store: "Store", user_id: int) -> None:
    """Ask to be told of what the meters will show: one of them has never answered."""
    rules = Rules(store)
    points = {each.name: each.id for each in rules.points(user_id)}
    for name, kind, typed in RULES:
        rules.add(user_id, points[name], kind, typed)


def _write(store: "Store", user_id: int) -> None:
    notices, submissions, appeals = Notices(store), Submissions(store), Appeals(store)
    with store.read() as unit:
        points = stored.of_user(unit, user_id)
        contracts = {row.contract_id for row in points}
        old = [
            row.id
            for contract_id in contracts
            for row in kept.unread_of(unit, user_id, contract_id)
            if notices.clock() - row.published_at > NEWS_FOR
        ]
    for notice_id in old:
        notices.mark_read(user_id, notice_id or 0)
    typed = {
        LODGE: {"": "20815,4"},
        HEAT: {"": "131,08"},
        MANUAL: {"T1": "9310,5", "T2": "4402,1"},
    }
    for row in points:
        if row.number in typed:
            key = f"demo/{row.number}"
            submissions.submit(user_id, row.id, key, typed[row.number], confirmed=True)
    home = next(row.contract_id for row in points if row.number == MANUAL)
    place = f"/contracts/{home}/appeals/new"
    Drafts(store).attach(user_id, place, {}, [NewFile("Водомер.webp", PHOTO.read_bytes())])
    appeals.create(
        user_id,
        home,
        Draft(
            key="demo",
            email="orlova@example.org",
            phone="+7 900 000-00-14",
            subject="Перерасчет за ноябрь",
            text="В счете больше воды, чем показал счетчик. Прошу проверить.",
        ),
        place,
    )
