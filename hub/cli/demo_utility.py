"""The demo's utility: invented people, points that report by themselves, and their meters.

What the utility has in its books of them and of the others is in ``demo_books``.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from hub.cli.demo_happenings import AT_HOUSE, AT_WORKSHOP, scenario
from hub.plugins.api import PointFact, SupplierCard, TransformerCard, TransformerFact

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
HOME: Final = "76382940-232"
WORKSHOP: Final = "76382941-118"
FLAT: Final = "76382942-017"
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
    """A point of a contract and how its virtual meter is made; ``facts`` as a connector tells.

    ``former``: the meter was taken away, and the next one of this number put in its place.
    ``serial``: of a meter that never answers, known from its papers alone.
    """

    contract: str  # its number
    name: str
    number: str
    place: str
    tariffs: int
    current_ratio: int = 1
    facts: dict[PointFact, str] = field(default_factory=dict)
    transformers: tuple[TransformerCard, ...] = ()
    tariff: str = ""  # of the books
    former: bool = False
    serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLine:
    """A TCP line with meters at ``address`` on; ``options`` are the simulator's.

    ``happened``: the text of a scenario, '' where nothing out of the way has happened. Meters that
    never answer come last: there is nothing at their addresses.
    """

    address: int
    seed: int
    options: dict[str, str]
    meters: tuple[DemoMeter, ...]
    happened: str = ""

    @property
    def answering(self) -> int:
        """Count the meters that are there."""
        return sum(not meter.serial for meter in self.meters)


def transformers(since: date) -> tuple[TransformerCard, ...]:
    """Give the three current transformers 200/5 of the workshop's input."""
    return tuple(
        TransformerCard(
            kind="current",
            phase=phase,
            from_on=since,
            facts={
                TransformerFact.MODEL: "Т-0,66 УЗ",
                TransformerFact.SERIAL: f"55120{phase}",
                TransformerFact.REGISTRY_NUMBER: "17551-06",
                TransformerFact.PLACE: f"РУ-0,4 кВ, панель 3, фаза {phase}",
                TransformerFact.COMMISSIONED_ON: since.isoformat(),
                TransformerFact.VERIFIED_ON: "2023-01-16",
                TransformerFact.NEXT_VERIFICATION_ON: "2031-01-15",
                TransformerFact.NOMINAL_VOLTAGE: "0,66 кВ",
                TransformerFact.PRIMARY_CURRENT: "200 А",
                TransformerFact.SECONDARY_CURRENT: "5 А",
                TransformerFact.FREQUENCY: "50 Гц",
                TransformerFact.ACCURACY_CLASS: "0,5S",
                **({TransformerFact.COMMENT: "Заменен после поверки"} if phase == 2 else {}),  # noqa: PLR2004
            },
        )
        for phase in (1, 2, 3)
    )


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
            happened=scenario(AT_HOUSE, today),
            meters=(
                DemoMeter(
                    contract=HOME, name="Дом, ввод 380 В", number="ТУ-0411",
                    place="Щит учета на фасаде", tariffs=3, tariff="Три зоны",
                    facts={
                        PointFact.MODEL: "Меркурий 234 ARTM-01",
                        PointFact.REGISTRY_NUMBER: "48266-11",
                        PointFact.RELAY_STATE: "Включено",
                        PointFact.COMMISSIONED_ON: "2021-06-18",
                        PointFact.VERIFIED_ON: "2021-03-02",
                        PointFact.NEXT_VERIFICATION_ON: "2037-03-02",
                        PointFact.TARIFF: "Трехзонный, население",
                        PointFact.ACCURACY_CLASS: "1,0/2,0",
                        PointFact.NOMINAL_VOLTAGE: "3*230/400",
                        PointFact.BASE_MAX_CURRENT: "5/60",
                        PointFact.POWER_LIMIT: "15",
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
                    contract=HOME, name="Гараж", number="ТУ-0412",
                    place="Гараж, ввод", tariffs=2, tariff="День и ночь",
                    facts={
                        PointFact.MODEL: "Меркурий 230 ART-01",
                        PointFact.REGISTRY_NUMBER: "23345-07",
                        PointFact.TARIFF: "День и ночь, население",
                        PointFact.ACCURACY_CLASS: "1,0/2,0",
                        PointFact.NOMINAL_VOLTAGE: "3*230/400",
                    },
                ),
                DemoMeter(
                    contract=FLAT, name="Квартира 17", number="ТУ-0530",
                    place="Этажный щит, 4 этаж", tariffs=2, tariff="День и ночь",
                    facts={PointFact.TARIFF: "День и ночь, население"},
                ),
                # The utility knows nothing of this one but that it is there.
                DemoMeter(contract=HOME, name="Баня", number="ТУ-0414", place="", tariffs=2),
                DemoMeter(
                    contract=WORKSHOP, name="Насосная", number="ТУ-0843", place="Насосная, щит 1",
                    tariffs=2, former=True,
                ),
                DemoMeter(
                    contract=WORKSHOP, name="Насосная", number="ТУ-0843", place="Насосная, щит 1",
                    tariffs=2,
                    facts={PointFact.MODEL: "Меркурий 230 ART-01"},
                ),
                DemoMeter(
                    contract=FLAT, name="Подвал", number="ТУ-0531", place="Подвал, щит дома",
                    tariffs=2, tariff="День и ночь",
                ),
            ),
        ),
        DemoLine(
            address=31,
            seed=5,
            options=options(tariffs="3", load="workshop", firmware="9.0.0", constant="1000"),
            happened=scenario(AT_WORKSHOP, today),
            meters=(
                DemoMeter(
                    contract=WORKSHOP, name="Цех, ввод 1", number="ТУ-0840",
                    place="РУ-0,4 кВ, панель 3", tariffs=3, current_ratio=40,
                    transformers=transformers(date(2023, 2, 1)),
                    facts={
                        PointFact.MODEL: "Меркурий 234 ARTM-03",
                        PointFact.TARIFF: "Третья ценовая категория",
                        PointFact.ACCURACY_CLASS: "0,5S/1,0",
                        PointFact.NOMINAL_VOLTAGE: "3*230/400",
                        PointFact.BASE_MAX_CURRENT: "5/10",
                        PointFact.POWER_LIMIT: "45",
                        PointFact.CURRENT_RATIO: "200/5",
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
                    contract=WORKSHOP, name="Солнечная крыша", number="ТУ-0841",
                    place="Чердак, щит инвертора", tariffs=1,
                    facts={
                        PointFact.MODEL: "Меркурий 234 ARTM2-00",
                        PointFact.TARIFF: "Микрогенерация",
                    },
                ),
                DemoMeter(
                    contract=WORKSHOP, name="Склад", number="ТУ-0842", place="Склад, тамбур",
                    tariffs=1, serial="40117325",
                    facts={PointFact.MODEL: "Меркурий 230 AM-01"},
                ),
            ),
        ),
    )  # fmt: skip


LINKED: Final = (
    ("Дом на Садовой", "76382940", "Sadovaya-14"),
    ("Мастерская", "76382941", "Masterskaya-8"),
)
FREE: Final = ("76382942", "Kvartira-17")  # a contract left for the visitor to add
