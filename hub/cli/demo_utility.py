"""The demo's utility: invented people, contracts, points and the virtual meters behind them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from hub.plugins.api import Point, PointFact, SupplierCard
from hub.services.bookkeeping import BookedContract

DRIVER: Final = "mercury234"
ZONE: Final = "Europe/Samara"
CLOCK_BASE: Final = 240  # the meters keep local winter time

SUPPLIER: Final = SupplierCard(
    name="Энергосбыт Заречье",
    phones=("8 800 555-01-00",),
    email="help@zarechye.example",
    site="https://zarechye.example",
    address="г. Заречье, ул. Набережная, 2",
    hours="пн–пт 8:00–20:00",
)
EMERGENCY_PHONE: Final = "8 800 555-01-12"

FULL_NAME: Final = "Орлова Марина Сергеевна"
EMAIL: Final = "orlova@example.org"
PASSWORD: Final = "Zarechye-2026"

# Hours of the meters' own schedules, so that registers and half-hours tell the same story.
THREE_ZONES: Final = (
    {"zone": "T2", "from": "23:00", "to": "07:00", "days": "all"},
    {"zone": "T1", "from": "07:00", "to": "10:00", "days": "all"},
    {"zone": "T3", "from": "10:00", "to": "17:00", "days": "all"},
    {"zone": "T1", "from": "17:00", "to": "21:00", "days": "all"},
    {"zone": "T3", "from": "21:00", "to": "23:00", "days": "all"},
)
TWO_ZONES: Final = (
    {"zone": "T1", "from": "07:00", "to": "23:00", "days": "all"},
    {"zone": "T2", "from": "23:00", "to": "07:00", "days": "all"},
)
SCHEDULES: Final = {
    3: ("Три зоны", THREE_ZONES),
    2: ("День и ночь", TWO_ZONES),
    1: ("", ()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMeter:
    """A point of a contract and how its virtual meter is made; ``facts`` as a connector tells."""

    contract: str  # the login it belongs to
    name: str
    number: str
    place: str
    tariffs: int
    current_ratio: int = 1
    facts: dict[PointFact, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLine:
    """A TCP line with meters at ``address`` on; ``options`` are the simulator's."""

    address: int
    seed: int
    options: dict[str, str]
    meters: tuple[DemoMeter, ...]


def options(**words: str) -> dict[str, str]:
    """Options of all lines, and what one line has of its own."""
    return {"clock_base": str(CLOCK_BASE), "turnaround_ms": "8", **words}


def lines(today: date) -> tuple[DemoLine, ...]:
    """Give the lines of the utility. One line lost its power for a morning ten days ago."""
    dark = date.fromordinal(today.toordinal() - 10)
    return (
        DemoLine(
            address=11,
            seed=7,
            options=options(tariffs="3", load="house", firmware="9.0.0", constant="1000"),
            meters=(
                DemoMeter(
                    contract="76382940", name="Дом, ввод 380 В", number="ТУ-0411",
                    place="Щит учета на фасаде", tariffs=3,
                    facts={
                        PointFact.MODEL: "Меркурий 234 ARTM-01",
                        PointFact.REGISTRY_NUMBER: "48266-11",
                        PointFact.COMMISSIONED_ON: "2021-06-18",
                        PointFact.VERIFIED_ON: "2021-03-02",
                        PointFact.NEXT_VERIFICATION_ON: "2037-03-02",
                        PointFact.TARIFF: "Трехзонный, население",
                        PointFact.ACCURACY_CLASS: "1,0/2,0",
                        PointFact.NOMINAL_VOLTAGE: "3*230/400",
                        PointFact.BASE_MAX_CURRENT: "5/60",
                        PointFact.POWER_LIMIT: "15 кВт",
                    },
                ),
            ),
        ),
        DemoLine(
            address=21,
            seed=11,
            options=options(
                tariffs="2", load="flat", firmware="2.3.4", constant="500", directions="1",
                outage=f"{dark.isoformat()}T06:40/{dark.isoformat()}T11:50",
            ),
            meters=(
                DemoMeter(
                    contract="76382940", name="Гараж", number="ТУ-0412",
                    place="Гараж, ввод", tariffs=2,
                    facts={
                        PointFact.MODEL: "Меркурий 230 ART-01",
                        PointFact.REGISTRY_NUMBER: "23345-07",
                        PointFact.TARIFF: "День и ночь, население",
                        PointFact.ACCURACY_CLASS: "1,0/2,0",
                        PointFact.NOMINAL_VOLTAGE: "3*230/400",
                    },
                ),
                DemoMeter(
                    contract="76382942", name="Квартира 17", number="ТУ-0530",
                    place="Этажный щит, 4 этаж", tariffs=2,
                    facts={PointFact.TARIFF: "День и ночь, население"},
                ),
            ),
        ),
        DemoLine(
            address=31,
            seed=5,
            options=options(tariffs="3", load="workshop", firmware="9.0.0", constant="5000"),
            meters=(
                DemoMeter(
                    contract="76382941", name="Цех, ввод 1", number="ТУ-0840",
                    place="РУ-0,4 кВ, панель 3", tariffs=3, current_ratio=30,
                    facts={
                        PointFact.MODEL: "Меркурий 234 ARTM-00",
                        PointFact.TARIFF: "Третья ценовая категория",
                        PointFact.ACCURACY_CLASS: "0,5S/1,0",
                        PointFact.NOMINAL_VOLTAGE: "3*230/400",
                        PointFact.BASE_MAX_CURRENT: "5/10",
                        PointFact.POWER_LIMIT: "45 кВт",
                        PointFact.CURRENT_RATIO: "30",
                    },
                ),
            ),
        ),
        DemoLine(
            address=41,
            seed=3,
            options=options(tariffs="1", load="pv", firmware="9.0.0", constant="1000"),
            meters=(
                DemoMeter(
                    contract="76382941", name="Солнечная крыша", number="ТУ-0841",
                    place="Чердак, щит инвертора", tariffs=1,
                    facts={
                        PointFact.MODEL: "Меркурий 234 ARTM2-00",
                        PointFact.TARIFF: "Микрогенерация",
                    },
                ),
            ),
        ),
    )  # fmt: skip


def contracts(points: dict[str, tuple[Point, ...]], now: datetime) -> tuple[BookedContract, ...]:
    """Give the books; ``points`` by login, with the serials that the meters themselves told."""
    return (
        BookedContract(
            login="76382940", password="Sadovaya-14", number="76-382940-232",
            holder="Орлова М. С.", address="г. Заречье, ул. Садовая, 14", since=date(2021, 6, 18),
            balance_kopecks=-128_450, balance_at=now, points=points["76382940"],
        ),
        BookedContract(
            login="76382941", password="Masterskaya-8", number="76-382941-118",
            holder="Орлова М. С.", address="г. Заречье, Промышленный пр., 8",
            since=date(2023, 2, 1), balance_kopecks=1_520_000, balance_at=now,
            points=points["76382941"],
        ),
        BookedContract(
            login="76382942", password="Kvartira-17", number="76-382942-017",
            holder="Орлова М. С.", address="г. Заречье, ул. Лесная, 3, кв. 17",
            since=date(2019, 9, 1), balance_kopecks=0, balance_at=now, points=points["76382942"],
        ),
    )  # fmt: skip


LINKED: Final = (
    ("Дом на Садовой", "76382940", "Sadovaya-14"),
    ("Мастерская", "76382941", "Masterskaya-8"),
)
FREE: Final = ("76382942", "Kvartira-17")  # a contract left for the visitor to add
