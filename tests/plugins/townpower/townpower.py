"""A whole supplier connector: a hub plugin for Town Power, which answers JSON over HTTP.

    POST /session                  login, password -> token, account, number
    GET  /card /contract /balance /points
    GET  /readings /notices /decisions /appeals       ?after=N -> items, next, more
    GET  /points/ID/half-hours                        ?after=N -> items, next, more
    POST /readings                 key, point, on, values -> id, state
    POST /appeals                  key, subject, text, email, phone, files -> appeal
    POST /appeals/ID/words         the same -> appeal
    GET  /appeals/ID, /appeals/ID/files/ID

Numbers with decimals are text, and so are files (base64). What can't be taken is 422 with a reason.
"""

import base64
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from hub.plugins import api

SCHEME = "townpower/1"
MAY = frozenset(
    {
        api.Does.CARD, api.Does.CONTRACT, api.Does.BALANCE, api.Does.POINTS, api.Does.READINGS,
        api.Does.PROFILE, api.Does.NOTICES, api.Does.SUBMIT, api.Does.SUBMISSIONS,
        api.Does.APPEALS, api.Does.APPEAL_REPLIES, api.Does.APPEAL_FILES,
    }
)  # fmt: skip
STATES = {
    "taken": api.SubmissionState.QUEUED,
    "accepted": api.SubmissionState.ACCEPTED,
    "refused": api.SubmissionState.REFUSED,
}


class TownInstallation(api.PluginSettings):
    address: str = api.setting(label="supplier.address", example="https://customers.town.example")


class TownAccount(api.PluginSettings):
    login: str = api.setting(label="supplier.login")
    password: api.Secret = api.setting(label="supplier.password")


def read(answer, make):
    """Put an answer into the hub's words; what does not fit is never guessed at."""
    if answer.status == 404:
        raise api.Missing
    if answer.status >= 500:
        raise api.SupplierDown
    try:
        return make(answer.json())
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise api.AnswerChanged("Town Power answered in another form than agreed.") from error


class TownPower:
    def __init__(self, installation, account):
        self.address = installation.address.rstrip("/")
        self.account = account
        self.headers = None

    async def sign_in(self, desk):
        typed = {
            "login": self.account.login,
            "password": self.account.password.get_secret_value(),
        }
        answer = await desk.http.send("POST", f"{self.address}/session", json=typed)
        if answer.status == 401:
            raise api.CredentialsRejected
        token, found = read(answer, lambda told: (told["token"], account(told)))
        self.headers = {"authorization": f"Bearer {token}"}
        return found

    async def answer(self, desk, challenge, reply):
        raise api.NotSupported("Town Power asks for login and password, and nothing else.")

    def does(self, account):
        return MAY

    async def ask(self, desk, path, make, **params):
        if self.headers is None:
            await self.sign_in(desk)
        url = f"{self.address}{path}"
        answer = await desk.http.get(url, params=params, headers=self.headers)
        return read(answer, make)

    async def ask_page(self, desk, path, since, make):
        if since and since.scheme != SCHEME:
            raise api.CursorLost
        return await self.ask(
            desk,
            path,
            lambda told: api.Page(
                items=tuple(make(item) for item in told["items"]),
                next=api.Cursor(SCHEME, str(told["next"])),
                more=told["more"],
            ),
            after=since.body if since else "0",
        )

    async def tell(self, desk, path, body, make):
        if self.headers is None:
            await self.sign_in(desk)
        url = f"{self.address}{path}"
        answer = await desk.http.send("POST", url, json=body, headers=self.headers, once=True)
        if answer.status == 422:
            raise api.SubmissionRejected(read(answer, lambda told: str(told["reason"])))
        if answer.status >= 300:
            raise api.SubmissionUncertain
        return read(answer, make)

    async def card(self, desk):
        return await self.ask(desk, "/card", card)

    async def contract(self, desk):
        return await self.ask(desk, "/contract", contract)

    async def balance(self, desk):
        return await self.ask(desk, "/balance", balance)

    async def points(self, desk):
        return await self.ask(desk, "/points", lambda told: [point(each) for each in told])

    async def readings(self, desk, since):
        return await self.ask_page(desk, "/readings", since, reading)

    async def profile(self, desk, point_id, since):
        return await self.ask_page(desk, f"/points/{point_id}/half-hours", since, slot)

    async def notices(self, desk, since):
        return await self.ask_page(desk, "/notices", since, notice)

    async def submit(self, desk, submission, consent):
        body = {
            "key": submission.key,
            "point": submission.point_id,
            "on": submission.taken_on.isoformat(),
            "values": {zone: str(value) for zone, value in submission.values.items()},
        }
        return await self.tell(desk, "/readings", body, receipt)

    async def submissions(self, desk, since):
        return await self.ask_page(desk, "/decisions", since, decision)

    async def topics(self, desk):
        return {}

    async def create_appeal(self, desk, draft, consent):
        return await self.tell(desk, "/appeals", words(draft), appeal)

    async def reply(self, desk, remote_id, draft, consent):
        return await self.tell(desk, f"/appeals/{remote_id}/words", words(draft), appeal)

    async def appeals(self, desk, since):
        return await self.ask_page(desk, "/appeals", since, appeal)

    async def appeal(self, desk, remote_id):
        return await self.ask(desk, f"/appeals/{remote_id}", appeal)

    async def appeal_file(self, desk, remote_id, file_id):
        path = f"/appeals/{remote_id}/files/{file_id}"
        return await self.ask(desk, path, attachment)


def account(told):
    return api.Account(remote_id=str(told["account"]), label=told["number"])


def card(told):
    return api.SupplierCard(
        name=told["name"],
        phones=tuple(told["phones"]),
        email=told["email"],
        hours=told["hours"],
        address=told["address"],
    )


def contract(told):
    return api.Contract(number=told["number"], holder=told["holder"], address=told["address"])


def balance(told):
    return api.Balance(api.Money(Decimal(told["roubles"])), instant(told["as_of"]))


def point(told):
    return api.Point(
        id=told["id"],
        name=told["name"],
        number=told["number"],
        meter_serial=told["serial"],
        resource=api.Resource(told["resource"]),
        unit=told["unit"],
        smart=told["reports"],
        tariff_zones=tuple(told["zones"]),
        whole_digits=told["digits"],
        decimal_digits=told["decimals"],
        time_zone=told["time_zone"],
    )


def reading(told):
    return api.SupplierReading(
        point_id=told["point"],
        zone=told["zone"],
        taken_on=date.fromisoformat(told["on"]),
        value=Decimal(told["value"]),
        source="theirs",
        calculated=api.Basis(told["basis"]) if told["basis"] else None,
        remote_id=str(told["id"]),
    )


def slot(told):
    return api.SupplierSlot(
        starts_at=instant(told["from"]),
        minutes=30,
        energy={api.Channel.ACTIVE_IMPORT: Decimal(told["kwh"])},
        ratios_applied=True,
    )


def notice(told):
    return api.Notice(
        remote_id=str(told["id"]),
        kind=api.NoticeKind(told["kind"]),
        published_at=instant(told["at"]),
        title=told["title"],
        text=told["text"],
    )


def receipt(told):
    return api.Receipt(STATES[told["state"]], str(told["id"]))


def decision(told):
    return api.SubmissionNews(
        remote_id=str(told["id"]),
        key=told["key"],
        state=STATES[told["state"]],
        changed_at=instant(told["at"]),
        reason=told["reason"],
    )


def words(draft):
    return {
        "key": draft.key,
        "subject": draft.subject,
        "text": draft.text,
        "email": draft.email,
        "phone": draft.phone,
        "files": [
            {"name": file.name, "content": base64.b64encode(file.content).decode()}
            for file in draft.attachments
        ],
    }


def appeal(told):
    return api.Appeal(
        remote_id=str(told["id"]),
        key=told["key"],
        number=str(told["id"]),
        subject=told["subject"],
        state=api.AppealState(told["state"]),
        remote_state=told["state_in_words"],
        changed_at=instant(told["at"]),
        thread=tuple((instant(at), who, said) for at, who, said in told["thread"]),
        files=tuple(
            api.ThreadFile(remote_id=str(file["id"]), message=file["message"], name=file["name"])
            for file in told["files"]
        ),
    )


def attachment(told):
    content = base64.b64decode(told["content"], validate=True)
    return api.Attachment(name=told["name"], media_type="", content=content)


def instant(text):
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without its zone")
    return at


@api.hookimpl
def hub_plugin():
    return api.PluginCard(id="townpower", title="Town Power", requires_api=(1, 0))


@api.hookimpl
def hub_supplier_connectors():
    return [
        api.SupplierSpec(
            id="townpower",
            title="Town Power",
            regions=(),
            installation=TownInstallation,
            account=TownAccount,
            link_by=api.LinkBy.ACCOUNT,
            hosts=lambda installation: frozenset({urlsplit(installation.address).hostname}),
            build=TownPower,
            may=MAY,
        )
    ]
