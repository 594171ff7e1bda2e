"""What the demo's utility has in its books: prices, contracts, readings, bills, words.

All of it is entered by the same services that ``hub house`` calls, dated as it happened, and
reaches the pages only through the supplier's connector. People and sums are invented.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from hub.cli.demo_utility import EMAIL, FLAT, FREE, HOME, LINKED, WORKSHOP, ZONE
from hub.domain.calendar import month_end
from hub.plugins.api import (
    Account,
    AppealDraft,
    AppealState,
    NoticeKind,
    Point,
    PointFact,
    Resource,
    Submission,
)
from hub.services.bookkeeping import BookedContract, Bookkeeping, Charge, NewNotice, Taken
from hub.services.books import HouseBooks

if TYPE_CHECKING:
    from hub.services.passwords import Passwords
    from hub.store.unit import Store

MONTHS: Final = 4  # of history in the books
WATER, LODGE, MANUAL = "ТУ-0413", "ТУ-0844", "ИСТ Автомобилист"
GAS, HEAT = "ТУ-0421", "ТУ-0861"
COLD, PLAIN = "Холодная вода", "Однотарифный"
PRICES: Final = (  # tariff, zone ('': a month), roubles a year ago, and since the last July
    ("Три зоны", "T1", "7.09", "7.71"),
    ("Три зоны", "T2", "2.36", "2.57"),
    ("Три зоны", "T3", "5.12", "5.58"),
    ("День и ночь", "T1", "5.89", "6.43"),
    ("День и ночь", "T2", "3.21", "3.49"),
    (PLAIN, "T1", "5.12", "5.58"),
    (COLD, "T1", "44.85", "48.50"),
    (COLD, "", "28", "30"),
)
GROUPED: Final = str.maketrans({",": "\N{NO-BREAK SPACE}", ".": ","})
DEBT_TEXT: Final = (
    "По договору {number} не оплачено {sum} ₽. Пожалуйста, внесите оплату до конца месяца. Если вы "
    "уже оплатили, сообщение можно не учитывать."
)
WORKS_TEXT: Final = (
    "{day} с 10:00 до 14:00 на Садовой и Промышленном проезде не будет электричества: меняем "
    "провода. Отключите приборы, которым вредит внезапное включение."
)
PRICES_TEXT: Final = (
    "С 1 июля действуют новые цены. Они указаны в каждой строке счета. Показания на 1 июля можно "
    "было передать до 5 июля."
)


Act = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Calendar:
    """A clock that the history is written by; it ends at the instant the demo is made."""

    now: datetime
    at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.now

    def __call__(self) -> datetime:
        return self.at

    def go(self, day: date, hour: int) -> None:
        """Go to a local hour of a day, or to the end if that is still to come."""
        local = datetime.combine(day, time(hour), ZoneInfo(ZONE))
        self.at = min(local.astimezone(UTC), self.now)


@dataclass(frozen=True, slots=True)
class Said:
    """An appeal of the past: how many days ago, what, and what came of it."""

    days_ago: int
    subject: str
    text: str
    answer: str
    state: AppealState
    hours_later: int = 20


APPEALS: Final = (
    Said(
        75, "Неверная фамилия в счете", "В счете опечатка в фамилии, прошу исправить.",
        "Исправили, следующий счет будет верным.", AppealState.CLOSED,
    ),
    Said(
        40, "Перенос счетчика", "Хочу перенести счетчик с фасада в дом.",
        "По правилам счетчик частного дома стоит на границе участка. Перенести его в дом нельзя.",
        AppealState.REFUSED,
    ),
    Said(
        12, "Моргает свет по вечерам", "После 19 часов свет моргает во всем доме уже неделю.",
        "Проверили ввод, подтянули контакты на опоре. Напишите, если повторится.",
        AppealState.ANSWERED,
    ),
    Said(
        2, "Справка об отсутствии долга", "Прошу выдать справку для субсидии.", "",
        AppealState.IN_WORK,
    ),
)  # fmt: skip


def window_of(today: date) -> tuple[int, int]:
    """Give the days on which readings are taken; the day of the making is among them."""
    return max(1, today.day - 4), min(31, today.day + 6)


def paper_points(today: date) -> dict[str, tuple[tuple[Point, str], ...]]:
    """Give the points that people read, by contract, each with its tariff."""
    first, last = window_of(today)
    water = Point(
        id="", name="Холодная вода", number=WATER, meter_serial="18-204417",
        resource=Resource.WATER, unit="m3", place="Подпол, ввод", whole_digits=5,
        decimal_digits=3, submit_from_day=first, submit_to_day=last,
        facts={
            PointFact.MODEL: "СВК 15-3-2", PointFact.COMMISSIONED_ON: "2021-06-18",
            PointFact.VERIFIED_ON: "2021-04-12",
            # Soon due: the page says so.
            PointFact.NEXT_VERIFICATION_ON: (today + timedelta(days=24)).isoformat(),
            PointFact.TARIFF: "Холодная вода, население", PointFact.NORM_MONTH: "5.6",
        },
    )  # fmt: skip
    manual = Point(
        id="", name="ИСТ Автомобилист", number=MANUAL, meter_serial="41888840",
        tariff_zones=("T1", "T2"), whole_digits=6, decimal_digits=3, submit_from_day=first,
        submit_to_day=last,
        # What the manual of the cabinet shows on its own page of a point.
        facts={
            PointFact.MODEL: "Меркурий 234 ART(M)", PointFact.REGISTRY_NUMBER: "75755-19",
            PointFact.COMMISSIONED_ON: "2020-12-01", PointFact.ACCURACY_CLASS: "0,2S/0,5",
            PointFact.NOMINAL_VOLTAGE: "3*230/400", PointFact.BASE_MAX_CURRENT: "5/60",
            PointFact.RELAY_STATE: "Включено", PointFact.CURRENT_RATIO: "1.0000",
            PointFact.VOLTAGE_RATIO: "1.0000", PointFact.LOSS_FACTOR: "1",
            PointFact.NORM_HOUR: "0", PointFact.NORM_DAY: "6", PointFact.NORM_MONTH: "0",
        },
    )  # fmt: skip
    lodge = Point(
        id="", name="Сторожка", number=LODGE, meter_serial="00718233", place="Сторожка, у двери",
        whole_digits=5, decimal_digits=1, submit_from_day=first, submit_to_day=last,
        facts={PointFact.MODEL: "СО-505", PointFact.TARIFF: "Однотарифный"},
    )  # fmt: skip
    gas = Point(
        id="", name="Газ, котел", number=GAS, meter_serial="30512288", resource=Resource.GAS,
        unit="m3", place="Котельная", whole_digits=5, decimal_digits=3,
        # Not open today: the page says when it opens.
        submit_from_day=(today + timedelta(days=9)).day,
        submit_to_day=(today + timedelta(days=13)).day,
        facts={PointFact.MODEL: "СГМН-1-G6", PointFact.TARIFF: "Газ, отопление"},
    )  # fmt: skip
    heat = Point(
        id="", name="Отопление", number=HEAT, meter_serial="1904417", resource=Resource.HEAT,
        unit="Gcal", place="Тепловой пункт", whole_digits=5, decimal_digits=2,
        submit_from_day=first, submit_to_day=last, facts={PointFact.MODEL: "ТЭМ-104"},
    )  # fmt: skip
    return {
        HOME: ((water, COLD), (gas, ""), (manual, "")),
        WORKSHOP: ((lodge, PLAIN), (heat, "")),
    }


def contracts(begin: datetime) -> tuple[BookedContract, ...]:
    """Give the contracts without their points; ``begin``: when the books were taken over."""
    home, workshop = LINKED
    return (
        BookedContract(
            login=home[1], password=home[2], number=HOME, holder="Орлова М. С.",
            address="г. Заречье, ул. Садовая, 14", since=date(2021, 6, 18),
            balance_kopecks=-91_250, balance_at=begin,
        ),
        BookedContract(
            login=workshop[1], password=workshop[2], number=WORKSHOP, holder="Орлова М. С.",
            address="г. Заречье, Промышленный пр., 8", since=date(2023, 2, 1),
            balance_kopecks=1_520_000, balance_at=begin,
        ),
        BookedContract(
            login=FREE[0], password=FREE[1], number=FLAT, holder="Орлова М. С.",
            address="г. Заречье, ул. Лесная, 3, кв. 17", since=date(2019, 9, 1),
            balance_at=begin,
        ),
    )  # fmt: skip


class History:
    """Writes the books' past, in order."""

    def __init__(
        self, store: "Store", supplier_id: int, passwords: "Passwords", now: datetime
    ) -> None:
        self.calendar = Calendar(now)
        self.today = now.astimezone(ZoneInfo(ZONE)).date()
        self.books = Bookkeeping(store, supplier_id, passwords, self.calendar, actor="demo")
        self.desk = HouseBooks(store, supplier_id, passwords, self.calendar)

    async def write(self, smart: Sequence[tuple[str, Point, str]]) -> None:
        """Enter everything; ``smart``: contract, point and tariff of those that report."""
        months = _months(self.today)
        await asyncio.to_thread(self._set_up, months[0], smart)
        for day, act in sorted(self._acts(months), key=lambda each: each[0]):
            self.calendar.go(day, 11)
            await act()
        self.calendar.at = self.calendar.now

    def _set_up(self, first: date, smart: Sequence[tuple[str, Point, str]]) -> None:
        self.calendar.go(first, 9)
        july = date(self.today.year - (self.today.month < 7), 7, 1)  # noqa: PLR2004
        for tariff, zone, before, since in PRICES:
            self.books.set_price(tariff, zone, Decimal(before), july.replace(year=july.year - 1))
            self.books.set_price(tariff, zone, Decimal(since), july)
        for contract in contracts(self.calendar()):
            self.books.enter(contract)
        paper = paper_points(self.today)
        for number in (HOME, WORKSHOP, FLAT):
            for contract_number, point, tariff in smart:
                if contract_number == number:
                    self.books.add_point(number, point, tariff)
            for point, tariff in paper.get(number, ()):
                self.books.add_point(number, point, tariff)
        manual = {"T1": Decimal("3124.027"), "T2": Decimal("1527.796")}
        self.books.record(HOME, MANUAL, Taken(manual, date(2023, 2, 10)))
        begin = first - timedelta(days=5)
        for number, name, value in (
            (HOME, WATER, "412.730"), (HOME, GAS, "8120.440"), (WORKSHOP, LODGE, "20418.0"),
            (WORKSHOP, HEAT, "118.42"),
        ):  # fmt: skip
            self.books.record(number, name, Taken({"": Decimal(value)}, begin))

    def _acts(self, months: Sequence[date]) -> list[tuple[date, Act]]:
        """List what happened and when; each is a coroutine function."""
        acts: list[tuple[date, Act]] = []
        day_of_month = window_of(self.today)[0]
        for index, month in enumerate(months):
            sent = month.replace(day=min(day_of_month, month_end(month).day))
            water = Decimal("412.730") + (index + 1) * Decimal("9.418")
            lodge = Decimal("20418.0") + (index + 1) * Decimal("86.4")
            acts += [
                (sent, self._readings(HOME, WATER, water, sent)),
                (sent, self._readings(WORKSHOP, LODGE, lodge, sent)),
                (month_end(month) + timedelta(days=1), self._bills(month)),
                (month_end(month) + timedelta(days=9), self._payments(index)),
            ]
        acts += [(self._ago(each.days_ago), self._appeal(each)) for each in APPEALS]
        acts += [(self._ago(each), self._notice(each)) for each in (65, 21, 6, 1)]
        return [each for each in acts if each[0] <= self.today]

    def _ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _readings(self, number: str, point: str, value: Decimal, on: date) -> Act:
        async def act() -> None:
            """Send as the consumer did then, and accept as the clerk did."""
            account = await self.desk.by_number(number)
            point_id = next(
                each.id for each in await self.desk.points(account) if each.number == point
            )
            submission = Submission(
                key=f"demo/{point}/{on}", point_id=point_id, taken_on=on, values={"": value}
            )
            await self.desk.submit(account, submission)
            for sent in await asyncio.to_thread(self.books.submissions):
                await asyncio.to_thread(self.books.accept, sent.id)

        return act

    def _bills(self, month: date) -> Act:
        async def act() -> None:
            rent = Charge("Аренда места под шкаф учета", 64_000)
            await asyncio.to_thread(self.books.charge, HOME, month)
            await asyncio.to_thread(self.books.charge, WORKSHOP, month, [rent])

        return act

    def _payments(self, index: int) -> Act:
        async def act() -> None:
            reference = f"Банк {index + 1}"
            if index < MONTHS - 2:  # the last bills of the house are not paid
                await asyncio.to_thread(self.books.pay, HOME, 48_000, None, reference)
            await asyncio.to_thread(self.books.pay, WORKSHOP, 110_000, None, reference)

        return act

    def _appeal(self, said: Said) -> Act:
        async def act() -> None:
            account: Account = await self.desk.by_number(HOME)
            draft = AppealDraft(
                key=f"demo/{said.days_ago}", subject=said.subject, text=said.text, email=EMAIL,
                phone="+7 900 000-00-14",
            )  # fmt: skip
            told = await self.desk.create_appeal(account, draft)
            if said.answer:
                self.calendar.at += timedelta(hours=said.hours_later)
                await asyncio.to_thread(
                    lambda: self.books.answer(
                        int(told.number), said.answer, state=said.state, due=None
                    )
                )

        return act

    def _notice(self, days_ago: int) -> Act:
        async def act() -> None:
            await asyncio.to_thread(
                self.books.publish, await asyncio.to_thread(self._news, days_ago)
            )

        return act

    def _news(self, days_ago: int) -> NewNotice:
        """Word what was published so long ago."""
        owed = -(self.books.contract(HOME).balance_kopecks or 0)
        debt = NewNotice(
            kind=NoticeKind.DEBT, number=HOME, title="Задолженность по договору",
            text=DEBT_TEXT.format(number=HOME, sum=f"{owed / 100:,.2f}".translate(GROUPED)),
        )  # fmt: skip
        day = self.today + timedelta(days=8)
        begin = datetime.combine(day, time(10), ZoneInfo(ZONE)).astimezone(UTC)
        works = NewNotice(
            kind=NoticeKind.PLANNED_WORK, title=f"Плановые работы {day:%d.%m.%Y}",
            text=WORKS_TEXT.format(day=f"{day:%d.%m.%Y}"), from_at=begin,
            to_at=begin + timedelta(hours=4),
        )  # fmt: skip
        prices = NewNotice(kind=NoticeKind.OTHER, title="Новые цены", text=PRICES_TEXT)
        return {65: prices, 21: debt, 6: works, 1: debt}[days_ago]


def _months(today: date) -> tuple[date, ...]:
    """List the first days of the whole months before this one."""
    found: list[date] = []
    month = today.replace(day=1)
    for _ in range(MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        found.insert(0, month)
    return tuple(found)
