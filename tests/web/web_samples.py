"""View models with data in every state, for tests that render the templates."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.services.live import LivePage
from hub.services.points import Connection, Contact, PointCard
from hub.services.processing import read_text
from hub.web.features.access import views as access
from hub.web.features.account import rule_views as rules
from hub.web.features.account import token_views as tokens
from hub.web.features.account import views as account
from hub.web.features.appeals import views as appeals
from hub.web.features.contracts import views as contracts
from hub.web.features.demo import views as demo
from hub.web.features.help.articles import ARTICLES
from hub.web.features.home import views as home
from hub.web.features.journal import views as journal
from hub.web.features.live.present import live_view
from hub.web.features.load_profile import views as profile
from hub.web.features.notifications import views as notifications
from hub.web.features.points import views as points
from hub.web.features.registers import views as registers
from hub.web.features.submissions import views as submissions
from hub.web.features.transformers import views as transformers
from hub.web.kit.charts import Flag, ProfilePoint
from hub.web.kit.forms import FieldError, Form
from hub.web.kit.messages import STATES, AppealRow, NoticeRow, State
from hub.web.kit.sending import Sending
from hub.web.kit.shell import Shell, ShellContract
from hub.web.kit.small_charts import DayBar, HourBar
from hub.web.kit.views import Change, Choice, Growing, PeriodBar, PointHead, RegisterText

ZONE = ZoneInfo("Europe/Samara")
NOW = datetime(2026, 11, 24, 9, 47, tzinfo=ZONE)
LAST = datetime(2026, 11, 24, 9, 32, tzinfo=ZONE)
NAMES = {1: "пик", 2: "ночь", 3: "полупик"}


def zone_at(hour: int) -> int:
    if hour < 7 or hour >= 23:
        return 2
    return 1 if hour < 10 or 17 <= hour < 21 else 3


def half_hours(start: datetime, count: int, flags: Mapping[int, Flag] | None = None):
    """``count`` half-hours with the power of their index; flags by index."""
    found = []
    for at in range(count):
        flag = (flags or {}).get(at, Flag.MEASURED)
        begin = start + timedelta(minutes=30 * at)
        known = flag not in {Flag.MISSING, Flag.FUTURE}
        kw = Decimal(at % 17) + Decimal("0.5") if known else None
        found.append(ProfilePoint(begin, 30, kw, zone_at(begin.hour), flag))
    return found


DAY = datetime(2026, 11, 19, tzinfo=ZONE)
FLAGS = {
    **dict.fromkeys(range(10, 20), Flag.MISSING),
    **dict.fromkeys(range(25, 28), Flag.ESTIMATED),
    30: Flag.PARTIAL,
    **dict.fromkeys(range(44, 48), Flag.FUTURE),
}
POINTS = half_hours(DAY, 48, FLAGS)


def shell(section: str = "home", *, contracts_too: bool = True) -> Shell:
    return Shell(
        full_name="Орлова Марина Сергеевна",
        email="m.orlova@pochta.example",
        contracts=(
            ShellContract(1, "Дом на Садовой", "Энергосбыт Заречье", "76-382940-232", unread=2),
            ShellContract(2, "<Мастерская>", "ТеплоГрад", "0041-77 310"),
        )
        if contracts_too
        else (),
        current_id=1 if contracts_too else None,
        section=section,
        unread=2,
        demo=True,
    )


def head(current: str, state: str = "online") -> PointHead:
    tabs = (
        ("info", "Общая информация"),
        ("readings", "Показания"),
        ("profile", "Профиль мощности"),
    )
    return PointHead(
        id=7,
        name="Цех, ввод 1",
        list_href="/contracts/1/points",
        model="Меркурий 234 ART(M)",
        serial="41888840",
        ratio="150/5",
        state=state,
        last_at=None if state == "waiting" else LAST,
        now=NOW,
        tabs=tuple(Choice(label, f"/points/7/{key}", key == current) for key, label in tabs),
    )


def period(action: str) -> PeriodBar:
    return PeriodBar(
        label="19 ноября",
        action=action,
        first=date(2026, 11, 19),
        last=date(2026, 11, 19),
        previous=f"{action}?from=2026-11-18",
        following=None,
        hidden=(("step", "30"),),
    )


REGISTERS = (RegisterText("T1 пик", "3 124,02", 1), RegisterText("T2 ночь", "1 527,79", 2))
GROWING = Growing(12, 90, "/contracts/1?block=growing")
SCALES = (Choice("Сутки", "/points/7/profile?scale=day", True), Choice("Неделя", "/points/7/week"))


BARS = [
    DayBar(date(2026, 11, 1), "1", {1: Decimal(3), 2: Decimal(1)}, True, None, Decimal(4), "/x"),
    DayBar(date(2026, 11, 2), "2", {1: Decimal(2)}, False, Decimal(5), None, "/x"),
    DayBar(date(2026, 11, 3), "3", None, href="/x"),
]


def bad_form() -> Form:
    return Form(
        {"email": "m.orlova@pochta.example", "full_name": 'Орлова "М"'},
        {"email": FieldError("Пользователь с таким E-mail уже существует", "уже есть")},
    )


def notices_view(*, rows: bool = True) -> notifications.NoticesView:
    """Make the list of notifications: unread and read ones, or nothing unread."""
    made = [
        NoticeRow(
            f"/notifications/{number}", "triangle-alert", number < 2, f"Работы {number}",
            "Отключение с 10 до 14." if number else "", "Поставщик", NOW, number == 1,
        )
        for number in range(3)
    ]  # fmt: skip
    here = "/contracts/1/notifications"
    filters = (Choice("Все", here, rows), Choice("Непрочитанные", f"{here}?show=unread", not rows))
    return notifications.NoticesView(
        1, int(rows), tuple(made) if rows else (), filters, here if rows else None,
        f"{here}?page=3" if rows else None, NOW,
    )  # fmt: skip


def notice_view() -> notifications.NoticeView:
    """Make a notification with everything that one can have."""
    return notifications.NoticeView(
        "/contracts/1/notifications", "Работы", "Поставщик", NOW, ("Первая", "Вторая"), NOW,
        NOW + timedelta(hours=4), "/appeals/1", "/points/1", NOW,
    )  # fmt: skip


def rules_view() -> rules.RulesView:
    """Make the rules of two points, one of them off."""
    rows = (
        rules.RuleRow(
            1, "Мощность выше 5\u00a0кВт", "раз в день", "Сработало вчера", "activity", True
        ),
        rules.RuleRow(2, "Нет данных <24 ч", "один раз", "Не срабатывало", "unplug", False),
    )
    groups = (rules.RuleGroup(1, "Ввод 1", "Дом", rows), rules.RuleGroup(2, "Цех", "Дом", rows[:1]))
    return rules.RulesView(groups, True)


def rule_form_view(kind: str, *, failed: bool = False) -> rules.RuleFormView:
    """Make the form of a new rule, refused, or of one that is changed."""
    if not failed:
        form = Form({"low": "207", "high": "253", "often": "day"})
        return rules.RuleFormView(
            "/account/rules/1", kind, (), (), form, "Напряжение", "Ввод 1", chooses=True
        )
    kinds = (("power", "Мощность"), ("voltage", "Напряжение"))
    form = Form({"high": "много", "point": "1"}, {"high": FieldError("Число.", "не число")})
    points = (("1", "Ввод 1"), ("2", "Цех"))
    return rules.RuleFormView("/account/rules/new", kind, kinds, points, form, chooses=True)


def tokens_view() -> tokens.TokensView:
    """Make a token that works, and one that has expired."""
    good = ("Таблица <учета>", "hub_a1B2c3", "Показания", "все договоры", "до 1 марта", "вчера")
    return tokens.TokensView(
        (tokens.TokenRow(1, *good, expired=False), tokens.TokenRow(2, *good, expired=True))
    )


def token_form_view(**more) -> tokens.TokenFormView:
    """Make the form of a new token, refused."""
    wrong = dict.fromkeys(("name", "scopes", "which", "proof"), FieldError("Так нельзя.", "нет"))
    form = Form({"which": "chosen", "scope_read_points": "1", "days": "90"}, wrong)
    scopes = (("scope_read_points", "Точки", "их названия"),)
    return tokens.TokenFormView(
        scopes, (("contract_1", "Дом"),), (("90", "90 дней"),), form, **more
    )


def state(name: str) -> State:
    label, kind, symbol, about = STATES[name]
    return State(label, kind, symbol, about)


def appeals_view(*, rows: bool = True) -> appeals.AppealsView:
    """Make the list of appeals in every state, or none at a supplier that takes none."""
    made = [
        AppealRow(f"/appeals/{number}", str(number or ""), "Тема", NOW, state(name))
        for number, name in enumerate(STATES)
    ]
    if not rows:
        return appeals.AppealsView((), None, None, None, NOW)
    here = "/contracts/1/appeals"
    return appeals.AppealsView(tuple(made), f"{here}/new", here, f"{here}?page=3", NOW)


FILES = (
    appeals.FileRow(1, "щит.jpg", 2_201_000, "/appeals/files/1", "eye"),
    appeals.FileRow(2, "акт.pdf", 0, None, "file-text"),
    appeals.FileRow(3, "схема", -1, None, "file-text", lost=True),
)


def writing(action: str) -> appeals.Writing:
    """Make a form that was left, with a file, and refused."""
    return appeals.Writing(action, bad_form(), NOW, FILES[:1], NOW)


def thread_context(name: str) -> dict[str, object]:
    view = thread_view(name)
    return {"view": view, "writing": view.writing}


def thread_view(name: str) -> appeals.ThreadView:
    """Make an appeal with a message of each side."""
    waits = name == "waiting"
    said = (
        appeals.Bubble("", "Моргает свет\nпо вечерам", NOW, waits=waits),
        appeals.Bubble("Энергосбыт", "Проверили", NOW, waits=False, files=FILES),
    )
    return appeals.ThreadView(
        id=1, back="/contracts/1/appeals", number="" if waits else "14", subject="Свет",
        state=state(name), begun=NOW, due_on=NOW.date() if name == "in_work" else None,
        bubbles=said, files=(), live=waits,
        writing=writing("/appeals/1/reply") if name == "in_work" else None,
        uncertain=name == "uncertain", reason="Не к нам" if name == "refused" else "", now=NOW,
    )  # fmt: skip


def home_view(*, growing: bool = True, usage: bool = True) -> home.HomeView:
    meters = tuple(
        home.MeterRow(f"/points/{at}/info", f"Прибор {at}", "Электроснабжение", "zap", "41882107",
                      state, None if state == "waiting" else LAST - timedelta(days=3), registers,
                      "кВт·ч", NOW.date() if state == "manual" else None,
                      sending=sending_state(at) if state == "manual" else None)
        for at, (state, registers) in enumerate(
            [("online", REGISTERS), ("silent", REGISTERS), ("waiting", ()), ("manual", REGISTERS)]
        )
    )  # fmt: skip
    return home.HomeView(
        contract_name="Дом на Садовой",
        now=NOW,
        as_of=LAST,
        usage=home.Usage(
            today_kwh=Decimal("3.6"), today_until=LAST, today_delta=Decimal("-0.2"),
            hours=[HourBar(h, Decimal(h) if h < 9 else None, zone_at(h), h == 8, Decimal(1))
                   for h in range(24)],
            zones=[(1, "пик"), (2, "ночь")], month_kwh=Decimal(212), month_first=date(2026, 11, 1),
            month_last=date(2026, 11, 24), month_delta=Decimal(19),
            month_delta_first=date(2026, 10, 1), month_delta_last=date(2026, 10, 24),
            running=[None, *(Decimal(9 * d) for d in range(1, 24))],
            whole=[True] * 12 + [False] + [True] * 11, forecast=Decimal(268),
            running_before=[Decimal(10 * d) for d in range(1, 32)], days_in_month=30,
            known=1100, expected=1123, href="/points/7/profile",
        ) if usage else None,
        meters=meters,
        points_href="/contracts/1/points",
        supplier=home.SupplierCard("Энергосбыт Заречье", "76-382940-232", "Орлова М. С.",
                                   "ул. Садовая, 14", "8 800 234-56-00", "пн–пт", "a@b.example"),
        balance=home.BalanceCard(128450, date(2026, 11, 1), (home.BalanceLine("Оплачено", -1),)),
        growing=GROWING if growing else None,
        asks=(home.Asks("unplug", "bad", "<Склад> молчит", "С 21-го.", "/points/7", "Что делать"),),
    )  # fmt: skip


def sending_state(point: int = 7, *, live: bool = False) -> Sending:
    """Make the state column of a point that people read."""
    return Sending(point, "Осталось 2 дня", "warn", "clock", "прием 15–25 ноября", True, True, live)


def form_part(*, failed: bool = False) -> submissions.FormPart:
    """Make the form of a meter with two zones, one of them odd, or one that has no number."""
    values = {"reading-7-0": "8540", "reading-7-1": "много" if failed else "3214"}
    wrong = FieldError("Напишите цифры.", "не показание")
    fields = tuple(
        submissions.ZoneField(
            f"reading-7-{at}", label, at + 1, "7,64\u00a0₽/кВт·ч", "8 412", None,
            values[f"reading-7-{at}"], 7, False, wrong if failed and at else None,
        )
        for at, label in enumerate(["T1 день", "T2 ночь"])
    )  # fmt: skip
    rows = [
        submissions.PreviewRow("128\u00a0кВт·ч", "977,92\u00a0₽"),
        submissions.PreviewRow(None, None, "не показание")
        if failed
        else submissions.PreviewRow("244\u00a0кВт·ч", None, odd=True),
    ]
    asks = [] if failed else [("T2 ночь: в 5 раз больше обычного.", "Сверьте цифры.")]
    errors = {"reading-7-1": wrong} if failed else {}
    return submissions.FormPart(
        "Показания за ноябрь", fields, date(2026, 10, 23), "кВт·ч",
        submissions.Preview(rows, None, "977,92\u00a0₽", asks, "00ff"), Form(values, errors), "k",
        "По ценам с 1 июля.", 30,
    )  # fmt: skip


def sent_part(name: str) -> submissions.SentPart:
    """Make what was sent last, in one state."""
    ways = {"sent": ("done", "now", "todo"), "refused": ("done", "done", "bad")}
    kinds = ways.get(name, ("now", "todo", "todo"))
    steps = tuple(submissions.Step(f"Шаг {kind}", "сегодня в 09:47", kind) for kind in kinds)
    notes = {
        "refused": ("bad", "circle-x", "Поставщик не принял показания", "Причина: «Ниже»."),
        "waiting": ("warn", "cloud-off", "Поставщик не отвечает", "Отправим сами."),
        "uncertain": ("warn", "circle-alert", "Неизвестно", "Ищем."),
    }
    return submissions.SentPart(
        "Показания за ноябрь переданы", REGISTERS, steps, name != "refused", notes.get(name),
        5 if name == "uncertain" else None,
        None if name == "waiting" else "/points/7/submit?again=1", "Исправить и передать",
        "/contracts/1/appeals/new" if name == "refused" else None,
    )  # fmt: skip


def submit_view(
    form: submissions.FormPart | None = None, sent: submissions.SentPart | None = None
) -> submissions.SubmitView:
    """Make the page of a form, of what was sent, or of neither."""
    days = ((date(2026, 11, 23), "past"), (NOW.date(), "today"), (date(2026, 11, 25), "next"))
    return submissions.SubmitView(
        7, "Гараж", "Меркурий 201.8", "07311954", "/contracts/1/points", "/points/7",
        sending_state(live=sent is not None), "Принимаем 15–25 ноября.", days, NOW, form, sent,
    )  # fmt: skip


def points_view() -> points.PointsView:
    states = ["online", "silent", "waiting", "manual"]
    rows = tuple(
        points.PointRow(at, f"Прибор {at}", "Меркурий 234", "41882107", "zap", state, frozenset(),
                        None if state == "waiting" else LAST,
                        () if state == "waiting" else REGISTERS,
                        "кВт·ч", Decimal(212) if state == "online" else None,
                        [Decimal(3), None, Decimal(4)],
                        sending=sending_state(at) if state == "manual" else None)
        for at, state in enumerate(states)
    )  # fmt: skip
    filters = (
        Choice("Все 4", "/contracts/1/points", True),
        Choice("Не на связи 1", "/contracts/1/points?state=silent"),
    )
    return points.PointsView("Дом", NOW, date(2026, 11, 1), rows, filters, Decimal(231))


def readings_view(*, growing: bool = False) -> registers.ReadingsView:
    qualities = [
        registers.Quality(0, 48, unread=True), registers.Quality(38, 48),
        registers.Quality(48, 48, 6, from_slots=True), registers.Quality(48, 48),
        registers.Quality(19, 48, running=True), registers.Quality(48, 48, from_slots=True),
        registers.Quality(48, 48, partial=2, from_slots=True),
    ]  # fmt: skip
    rows = [
        registers.ReadingRow(f"{at} ноября", date(2026, 11, at), date(2026, 11, at),
                             [Decimal("3124.03"), None],
                             [None if not q.known else Decimal(3)] * 2,
                             None if not q.known else Decimal(6), q, "/points/7/profile")
        for at, q in enumerate(qualities, 1)
    ]  # fmt: skip
    return registers.ReadingsView(
        head("readings"), period("/points/7/readings"), SCALES, ((1, "пик"), (2, "ночь")), BARS,
        rows,
        [Decimal(9), Decimal(9)], Decimal(18),
        registers.Quality(153, 240, from_slots=True), zone_words="Время местное.",
        growing=GROWING if growing else None,
    )  # fmt: skip


def profile_view(*, one_day=False, state="online", growing=False, month=False):
    slots = [
        profile.SlotRow(p.start, p.start + timedelta(minutes=30), p.zone, p.kw, None, p.kw, None,
                        None if p.kw is None else p.kw / 2, p.flag)
        for p in POINTS
    ]  # fmt: skip
    days = [
        profile.DayRow(date(2026, 11, at), [Decimal(1), None], None if not known else Decimal(3),
                       Decimal(4), known, 48, estimated, f"/points/7/profile?day=2026-11-{at}")
        for at, (known, estimated) in enumerate([(0, 0), (38, 0), (48, 6), (48, 0)], 10)
    ]  # fmt: skip
    kinds = ["full", "est", "part", "gap", "none", "future"]
    calendar = profile.Calendar(
        date(2026, 11, 1),
        [profile.CalendarDay(date(2026, 11, at), kind, 38, 48, at == 4, at == 1,
                             None if kind == "future" else "/x")
         for at, kind in enumerate(kinds, 1)],
        1090, 1123, ("Пропуск 19 ноября.",),
    )  # fmt: skip
    table = (
        profile.Table(day=date(2026, 11, 19), slots=slots, back_href="/points/7/profile")
        if one_day
        else profile.Table(days, (1, 2))
    )
    return profile.ProfileView(
        head=head("profile", state), period=period("/points/7/profile"), scales=SCALES,
        steps=SCALES,
        totals=profile.Totals(Decimal("968.1"), [profile.ZoneTotal(1, "пик", Decimal("244.3"))],
                              Decimal("43.62"), DAY, 34, 44, 30, kopecks=767_310,
                              change=Change(Decimal("54.2"), 6, "12 ноября")),
        points=POINTS, zone_names=NAMES, channels=("p_plus", "q_plus"), table=table,
        calendar=calendar, self_href="/points/7/profile?scale=day",
        data_href="/points/7/profile.json",
        zone_words="Время местное.", limit_kw=Decimal(20), growing=GROWING if growing else None,
        bars=BARS if month else (),
    )  # fmt: skip


EVENT_DAYS = (
    journal.EventDay(
        date(2026, 11, 23),
        (
            journal.EventRow(
                7,
                "package-open",
                "bad",
                "Тревога:",
                "Открыта крышка",
                "Сообщите.",
                "14:12–14:31",
                "19 мин",
                "",
                (("Байты", "05 24"),),
                "/contracts/1/appeals/new?point=7&event=7",
            ),
            journal.EventRow(
                6,
                "zap",
                "warn",
                "Внимание:",
                "Высокое напряжение <b>",
                "",
                "с 05:24",
                "идет",
                "по часам",
                (),
                None,
            ),
        ),
    ),
    journal.EventDay(
        date(2026, 11, 20),
        (
            journal.EventRow(
                5, "clock", "info", "", "Часы переведены", "", "03:03", "", "", (), None
            ),
        ),
    ),
)


LIVE_VALUES = {
    "1.7.0": "28880", "21.7.0": "9860", "41.7.0": "9040", "61.7.0": "9980",
    "3.7.0": "4960", "23.7.0": "3120", "43.7.0": "2780", "63.7.0": "-940",
    "9.7.0": "29300", "29.7.0": "10340", "49.7.0": "9460", "69.7.0": "10020",
    "32.7.0": "231.4", "52.7.0": "194.6", "72.7.0": "229.8",
    "31.7.0": "44.7", "51.7.0": "46.2", "71.7.0": "4.31",
    "13.7.0": "0.986", "33.7.0": "0.954", "53.7.0": "0.956", "73.7.0": "-0.996",
    "14.7.0": "49.98", "81.7.1": "120.3", "81.7.2": "239.8", "0-0:96.9.0": "-21",
}  # fmt: skip


def live(
    ago_s: int | None = 3, contact=Contact.OK, values=LIVE_VALUES, limit: int | None = 45000,
    *, paused=False, can=True, error="", since_s=0,
):  # fmt: skip
    at = None if ago_s is None else NOW - timedelta(seconds=ago_s)
    card = PointCard(
        id=7, contract_id=1, contract_name="Дом", name="Цех, ввод 1", number="1", serial="41888840",
        model="Меркурий 234", resource="electricity", unit="kWh", smart=True, joined=True, place="",
        time_zone="Europe/Samara", ratio=30, whole_digits=6, decimal_digits=2,
        connection=Connection(contact, LAST, LAST, NOW + timedelta(minutes=1), drift_s=2.0),
        latest=None,
    )  # fmt: skip
    shown = {code: Decimal(text) for code, text in values.items()} if at else {}
    recent = [] if at is None else [(at - timedelta(seconds=5 * n), Decimal(28000 + n * 100 % 700))
                                    for n in range(70) if n not in (20, 21, 22, 23)]  # fmt: skip
    page = LivePage(
        None, card, can, at, shown, tuple(reversed(recent)), limit and Decimal(limit), None,
        waiting=at is None, error_code=error, retry_at=NOW + timedelta(seconds=30),
    )  # fmt: skip
    return live_view(page, NOW, paused=paused, since=int(NOW.timestamp()) - since_s, first=True)


def journal_view(days=EVENT_DAYS) -> journal.JournalView:
    topics = (
        journal.Topic(Choice("Все", "/points/7/journal", True), 3),
        journal.Topic(Choice("Часы", "/points/7/journal?topic=clock", False), 1),
    )
    return journal.JournalView(
        head("journal"), period("/points/7/journal"), topics, days, 3, 3, ever=bool(days),
        zone_words="Время местное.", clock_words="Спешат.", older="/points/7/journal?after=1-1",
    )  # fmt: skip


def info_view(*, known: bool = True) -> points.InfoView:
    if not known:
        rows = (points.InfoRow("name", "Название ТУ", None),)
        return points.InfoView(head("info", "waiting"), (points.InfoGroup("Точка", rows),), ())
    rows = (
        points.InfoRow("name", "Название ТУ", "Цех, ввод 1", source="От поставщика", at=LAST),
        points.InfoRow("last_reading_at", "Дата последних показаний", LAST),
        points.InfoRow("last_readings", "Последние показания", "T1 – 3124,027, T2 – 1527,796"),
        points.InfoRow("relay_state", "Состояние реле", "Включено"),
        points.InfoRow("serial", "Заводской номер ТУ", "41888840", differs="у поставщика 1"),
        points.InfoRow("norm_day", "Суточный", Decimal(6), "кВт·ч"),
        points.InfoRow("next", "Дата следующей поверки", date(2027, 1, 12), mood="warn"),
    )
    return points.InfoView(
        head("info"), (points.InfoGroup("Точка", rows[:4]),),
        (points.InfoGroup("Прибор", rows[4:]),),
        date(2027, 1, 12), "/contracts/1/appeals/new",
        (points.Installed(date(2020, 12, 1), None, "Меркурий 234", "41888840"),
         points.Installed(date(2012, 1, 1), date(2020, 12, 1), "Меркурий 230", "09114025", "Снят")),
        past_view(), (points.Told("От поставщика", LAST, ("Название ТУ",)),),
    )  # fmt: skip


def transformers_view(*, told: bool = True) -> transformers.TransformersView:
    if not told:
        return transformers.TransformersView(head("transformers"), (), current_ratio=1)
    cells = (
        transformers.PhaseCell("118204"),
        transformers.PhaseCell(None),
        transformers.PhaseCell(date(2027, 1, 12), "warn"),
    )
    rows = (transformers.FactRow("serial", "Заводской номер", cells),)
    tables = (
        transformers.KindTable("current", "Трансформаторы тока", rows),
        transformers.KindTable("voltage", "Трансформаторы напряжения", ()),
    )
    due = (
        transformers.Due("current", 3, date(2027, 1, 12), 49),
        transformers.Due("voltage", 1, date(2026, 1, 12), -300),
    )
    return transformers.TransformersView(
        head("transformers"),
        (transformers.SetView("с 01.12.2020", True, tables),
         transformers.SetView("с 01.12.2012 по 01.12.2020", False, tables)),
        "150/5", 30, 1, date(2020, 12, 1), due,
    )  # fmt: skip


def change_view(*, fails: bool = False, **more) -> contracts.ChangeView:
    form = bad_form() if fails else Form({"name": "Дом"})
    return contracts.ChangeView(1, "Дом", "76-1", "Энергосбыт", form, "/contracts/1", **more)


def past_view() -> points.PastView:
    """Make readings that people sent: accepted, and refused with a reason."""
    tags = (("Принято", "ok", "circle-check"), ("Не принято", "bad", "circle-x"))
    rows = tuple(
        points.PastRow(date(2026, 10, 23), REGISTERS, tag, "передали вы", reason)
        for tag, reason in zip(tags, ("", "Ниже принятого"), strict=True)
    )
    return points.PastView(rows, "кВт·ч", sending_state(), "Принимаем 15–25 ноября.")


def contract_view(*, suppliers: bool = True) -> contracts.NewContractView:
    choices = (contracts.SupplierChoice("house", "Энергосбыт", "Номер лицевого счета"),)
    form = Form({"name": "Дача"}, {}, FieldError("Остальное мы сохранили.", "Поставщик не принял"))
    return contracts.NewContractView(
        choices if suppliers else (), form, "/contracts/1", "/contracts/2"
    )


SESSIONS = (
    account.SessionRow("a" * 64, "Firefox, Windows", "monitor", "203.0.113.7", own=True),
    account.SessionRow("b" * 64, "Chrome, Android", "smartphone", "вчера в 21:40", own=False),
)
SETTING_UP = account.FactorView(bad_form(), secret="JBSW Y3DP EHPK", qr="data:image/svg+xml,")
SOURCES = (
    account.SourceGroup("supplier", "От поставщика", any_on=True, rows=(account.SourceRow(
        "Обращения", "Ответ", (("appeal.portal", True), ("appeal.email", True), ("appeal.sms", 0)),
    ),)),
    account.SourceGroup("meters", "От приборов", any_on=False, rows=()),
)  # fmt: skip
ASKED = account.PhoneCard("8 900", "+79000000001", "+79000000002", proven=False, form=bad_form())
LETTER = demo.Letter(1, "m@pochta.example", "Подтвердите E-mail", NOW, "Текст <b>", "/register/x")

# name: page, context, section (None: without the frame)
PAGES: dict[str, tuple[str, dict[str, object], str | None]] = {
    "login": (
        "access/login.html",
        {"view": access.LoginView(bad_form(), "/", "a@b.example", "Secret-1")},
        None,
    ),
    "register": ("access/register.html", {"view": access.RegisterView(bad_form())}, None),
    "processing": (
        "access/processing.html",
        {"view": access.ProcessingView(read_text().parts["ru"], "3f2a")},
        None,
    ),
    "sent": ("access/sent.html", {"view": access.SentView("a@b.example", 24, 42, True)}, None),
    "sent-again": ("access/sent.html", {"view": access.SentView("a@b.example", 24)}, None),
    "confirm": ("access/confirm.html", {"view": access.ConfirmView("t")}, None),
    "confirm-spent": ("access/confirm.html", {"view": access.ConfirmView("t", usable=False)}, None),
    "confirm-elsewhere": (
        "access/confirm.html",
        {"view": access.ConfirmView("t", asks=True, form=bad_form())},
        None,
    ),
    "recover": ("access/recover.html", {"view": access.RecoverView(bad_form())}, None),
    "recover-sent": (
        "access/recover_sent.html",
        {"view": access.RecoverSentView("a@b.example", 60, demo=True)},
        None,
    ),
    "reset": ("access/reset.html", {"view": access.ResetView("t", form=bad_form())}, None),
    "reset-spent": ("access/reset.html", {"view": access.ResetView("t", usable=False)}, None),
    "account-data": (
        "account/data.html",
        {"view": account.DataView("a@b.example", bad_form())},
        "",
    ),
    "account-delete": ("account/delete.html", {"view": account.DeleteView(bad_form(), 2)}, ""),
    "account-security": (
        "account/security.html",
        {"view": account.SecurityView(SETTING_UP, SESSIONS, bad_form())},
        "",
    ),
    "account-factor": (
        "account/security.html",
        {"view": account.SecurityView(account.FactorView(bad_form(), "3 марта", 9), SESSIONS)},
        "",
    ),
    "account-codes": ("account/codes.html", {"view": account.CodesView(("abcde-23456",) * 10)}, ""),
    "account-email": ("account/email.html", {"view": account.EmailView("t", "new@b.example")}, ""),
    "account-email-spent": ("account/email.html", {"view": account.EmailView("t", "")}, ""),
    "account-phone-asked": (
        "account/data.html",
        {"view": account.DataView("a@b.example", phone=ASKED)},
        "",
    ),
    "account-phone-new": (
        "account/data.html",
        {
            "view": account.DataView(
                "a@b.example", phone=account.PhoneCard("900", "", "", proven=False)
            )
        },
        "",
    ),
    "account-phone-none": (
        "account/data.html",
        {
            "view": account.DataView(
                "a@b.example", phone=account.PhoneCard("", "", "", proven=False)
            )
        },
        "",
    ),
    "account-phone-proven": (
        "account/data.html",
        {
            "view": account.DataView(
                "a@b.example", phone=account.PhoneCard("1", "+7", "", proven=True)
            )
        },
        "",
    ),
    "account-sms": (
        "account/security.html",
        {"view": account.SecurityView(account.FactorView(bad_form(), phone="+79000000001"))},
        "",
    ),
    "account-sms-on": (
        "account/security.html",
        {"view": account.SecurityView(account.FactorView(bad_form(), "3", 9, phone="+7900"))},
        "",
    ),
    "account-sms-offered": (
        "account/security.html",
        {"view": account.SecurityView(account.FactorView(sms=True, offer="+79000000001"))},
        "",
    ),
    "account-sms-unproven": (
        "account/security.html",
        {"view": account.SecurityView(account.FactorView(sms=True))},
        "",
    ),
    "code-sms": ("access/code.html", {"view": access.CodeView(bad_form(), phone="01")}, None),
    "account-channels": (
        "account/channels.html",
        {"view": account.ChannelsView(SOURCES, "a@b.example", "+79000000001", True, bad_form())},
        "",
    ),
    "account-channels-plain": (
        "account/channels.html",
        {"view": account.ChannelsView(SOURCES, "a@b.example", "", False)},
        "",
    ),
    "account-channels-unproven": (
        "account/channels.html",
        {"view": account.ChannelsView(SOURCES[::-1], "a@b.example", "", True)},
        "",
    ),
    "account-rules": ("account/rules.html", {"view": rules_view()}, ""),
    "account-rules-none": ("account/rules.html", {"view": rules.RulesView((), True)}, ""),
    "account-rules-impossible": ("account/rules.html", {"view": rules.RulesView((), False)}, ""),
    "account-rule-new": (
        "account/rule_form.html",
        {"view": rule_form_view("power", failed=True)},
        "",
    ),
    "account-rule": (
        "account/rule_form.html",
        {"view": rule_form_view("voltage")},
        "",
    ),
    "account-rule-remove": (
        "account/rule_remove.html",
        {"view": rules.RemoveRuleView(1, "Мощность выше 5\u00a0кВт", "Ввод 1")},
        "",
    ),
    "account-tokens": ("account/tokens.html", {"view": tokens_view()}, ""),
    "account-tokens-none": ("account/tokens.html", {"view": tokens.TokensView(())}, ""),
    "account-token-new": ("account/token_form.html", {"view": token_form_view()}, ""),
    "account-token-sms": (
        "account/token_form.html",
        {"view": token_form_view(by_code=True, phone="+79000000001")},
        "",
    ),
    "account-token-made": (
        "account/token_form.html",
        {
            "view": tokens.TokenFormView(
                (), (), (), secret=f"hub_{'a1B2' * 11}"[:47], example="https://hub.test/api/v1"
            )
        },
        "",
    ),
    "account-token-revoke": (
        "account/token_revoke.html",
        {"view": tokens.RevokeView(1, "Таблица", "hub_a1B2c3")},
        "",
    ),
    "code": ("access/code.html", {"view": access.CodeView(bad_form())}, None),
    "account-alone": (
        "account/security.html",
        {"view": account.SecurityView(account.FactorView(), SESSIONS[:1])},
        "",
    ),
    "contract": ("contracts/new.html", {"view": contract_view()}, "home"),
    "contract-edit": ("contracts/edit.html", {"view": change_view(fails=True)}, "home"),
    "contract-password": ("contracts/password.html", {"view": change_view()}, "home"),
    "contract-password-by-code": (
        "contracts/password.html",
        {"view": change_view(by_code=True)},
        "home",
    ),
    "contract-unlink": ("contracts/unlink.html", {"view": change_view()}, "home"),
    "contract-unlink-by-code": (
        "contracts/unlink.html",
        {"view": change_view(by_code=True)},
        "home",
    ),
    "contract-unlink-waits": ("contracts/unlink.html", {"view": change_view(on_the_way=2)}, "home"),
    "contract-none": ("contracts/new.html", {"view": contract_view(suppliers=False)}, "home"),
    "home": ("home/main.html", {"view": home_view()}, "home"),
    "home-bare": ("home/main.html", {"view": home_view(growing=False, usage=False)}, "home"),
    "home-empty": ("home/empty.html", {}, "home"),
    "notifications": ("notifications/list.html", {"view": notices_view()}, "notifications"),
    "notifications-none": (
        "notifications/list.html",
        {"view": notices_view(rows=False)},
        "notifications",
    ),
    "notification": ("notifications/one.html", {"view": notice_view()}, "notifications"),
    "appeals": ("appeals/list.html", {"view": appeals_view()}, "appeals"),
    "appeals-none": ("appeals/list.html", {"view": appeals_view(rows=False)}, "appeals"),
    "appeal-new": (
        "appeals/new.html",
        {
            "writing": writing("/contracts/1/appeals/new"),
            "view": appeals.NewAppealView(
                "/",
                writing("/contracts/1/appeals/new"),
                "112",
                (("7", "Цех"),),
                appeals.AboutEvent(7, 6, "Магнит", "19 ноября в 14:03 магнит", "Цех", "Событие"),
            ),
        },
        "appeals",
    ),
    "appeal": ("appeals/thread.html", thread_context("in_work"), "appeals"),
    "appeal-waiting": ("appeals/thread.html", thread_context("waiting"), "appeals"),
    "appeal-uncertain": ("appeals/thread.html", thread_context("uncertain"), "appeals"),
    "appeal-refused": ("appeals/thread.html", thread_context("refused"), "appeals"),
    "submit": ("submissions/submit.html", {"view": submit_view(form_part())}, "points"),
    "submit-wrong": (
        "submissions/submit.html",
        {"view": submit_view(form_part(failed=True))},
        "points",
    ),
    "submit-closed": ("submissions/submit.html", {"view": submit_view()}, "points"),
    **{
        f"submit-{name}": (
            "submissions/submit.html",
            {"view": submit_view(sent=sent_part(name))},
            "points",
        )
        for name in ("waiting", "sent", "refused", "uncertain")
    },
    "points": ("points/list.html", {"view": points_view()}, "points"),
    "info": ("points/info.html", {"view": info_view()}, "points"),
    "info-unknown": ("points/info.html", {"view": info_view(known=False)}, "points"),
    "readings": ("registers/list.html", {"view": readings_view()}, "points"),
    "journal": ("journal/list.html", {"view": journal_view()}, "points"),
    "transformers": ("transformers/sets.html", {"view": transformers_view()}, "points"),
    "transformers-none": (
        "transformers/sets.html",
        {"view": transformers_view(told=False)},
        "points",
    ),
    "live": ("live/values.html", {"view": live()}, "points"),
    "live-last": ("live/values.html", {"view": live(40, paused=True)}, "points"),
    "live-stopped": ("live/values.html", {"view": live(40, since_s=700)}, "points"),
    "live-lost": (
        "live/values.html",
        {"view": live(90, Contact.FAILING, error="line.reply_timeout")},
        "points",
    ),
    "live-none": ("live/values.html", {"view": live(None)}, "points"),
    "live-feeding": (
        "live/values.html",
        {"view": live(values={"1.7.0": "-120.5", "32.7.0": "251"})},
        "points",
    ),
    "live-off": ("live/values.html", {"view": live(None, can=False)}, "points"),
    "journal-none": ("journal/list.html", {"view": journal_view(days=())}, "points"),
    "profile": ("load_profile/profile.html", {"view": profile_view(growing=True)}, "points"),
    "profile-day": ("load_profile/profile.html", {"view": profile_view(one_day=True)}, "points"),
    "profile-month": ("load_profile/profile.html", {"view": profile_view(month=True)}, "points"),
    "profile-silent": (
        "load_profile/profile.html",
        {"view": profile_view(state="silent")},
        "points",
    ),
    "help": ("help/contents.html", {"articles": ARTICLES}, None),
    "help-article": (
        "help/article.html",
        {
            "article": ARTICLES[0],
            "picture": "help/start.ru.png",
            "size": (1000, 720),
            "following": ARTICLES[1],
        },
        None,
    ),
    "offline": ("install/offline.html", {}, None),
    "mail": ("demo/mail.html", {"letters": (LETTER,)}, None),
    "mail-none": ("demo/mail.html", {"letters": ()}, None),
    "letter": ("demo/letter.html", {"letter": LETTER}, None),
}

# page name: fragments, whose element's id is the name with dashes
FRAGMENTS: dict[str, tuple[str, ...]] = {
    "login": ("login_form",),
    "register": ("register_form",),
    "sent": ("resend",),
    "confirm": ("confirm_form",),
    "recover": ("recover_form",),
    "reset": ("reset_form",),
    "code": ("code_form",),
    "account-data": ("tab", "data_form", "email_form", "archive"),
    "account-delete": ("delete_form",),
    "account-channels": ("tab", "choices"),
    "account-phone-asked": ("tab", "phone_form"),
    "account-tokens": ("tab",),
    "account-token-new": ("token_form",),
    "account-token-made": ("token_form",),
    "code-sms": ("code_form",),
    "account-security": ("tab", "password_form", "sessions", "factor"),
    "contract": ("contract_form",),
    "home": ("usage", "readings", "growing"),
    "points": ("point_rows",),
    "info": ("tab",),
    "readings": ("tab", "reading_rows", "growing"),
    "journal": ("tab",),
    "transformers": ("tab",),
    "live": ("live_now",),
    "profile": ("tab", "profile_totals", "profile_table", "profile_calendar", "growing"),
}
