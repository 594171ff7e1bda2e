"""E-mail over SMTP: the only plugin with a connection of its own.

Settings hold one address, ``smtp://user:password@host:587`` (STARTTLS where the server has it and
always before a password is said) or ``smtps://…:465``, and the sender.
"""

import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from hub.plugins.api import (
    ChannelDown,
    Delivery,
    Desk,
    Message,
    NotifierSpec,
    PluginCard,
    PluginSettings,
    RecipientRejected,
    Secret,
    hookimpl,
    setting,
)

TIMEOUT = 30.0
NEVER = 500  # replies from here on are for good
PORTS = {"smtp": 587, "smtps": 465}
ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


class EmailSettings(PluginSettings):
    """Where mails are handed over, and from whom they are."""

    url: Secret = setting(label="email.url", example="smtp://user:password@mail.example.org:587")
    sender: str = setting(label="email.sender", example="Metering Hub <hub@example.org>")


class EmailNotifier:
    def __init__(self, settings: EmailSettings) -> None:
        self.url = urlsplit(settings.url.get_secret_value())
        self.sender = settings.sender

    async def deliver(self, desk: Desk, message: Message, to: str) -> Delivery:
        """Hand one mail to the server. The same key gives the same Message-ID."""
        mail = compose(message, self.sender, to, desk.now().timestamp())
        secure = self.url.scheme == "smtps"
        client = SMTP(
            hostname=self.url.hostname,
            port=self.url.port or PORTS.get(self.url.scheme, 587),
            use_tls=secure,
            start_tls=True if self.url.password and not secure else None,
            timeout=TIMEOUT,
        )
        try:
            async with client:
                if self.url.username and self.url.password:
                    await client.login(unquote(self.url.username), unquote(self.url.password))
                await client.send_message(mail)
        except SMTPRecipientsRefused as error:
            raise _refusal(error.recipients) from error
        except SMTPResponseException as error:
            raise ChannelDown(f"The mail server said {error.code}; it is tried again.") from error
        except (SMTPException, OSError) as error:
            raise ChannelDown from error
        return Delivery(mail["Message-ID"])


def _refusal(refused: list[SMTPRecipientRefused]) -> RecipientRejected | ChannelDown:
    """Tell 'no such mailbox' from 'not now' (greylisting answers 450)."""
    if all(each.code >= NEVER for each in refused):
        return RecipientRejected()
    return ChannelDown("The mail server wants to be asked again later.")


def compose(message: Message, sender: str, to: str, at: float) -> EmailMessage:
    """Put the message into a mail with a text and an HTML part."""
    mail = EmailMessage()
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2] or "localhost"
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = formatdate(at)
    mail["Message-ID"] = f"<{sha256(message.key.encode()).hexdigest()[:32]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    return mail


def check_address(text: str) -> str:
    """Give the normal form of an address, or raise ValueError."""
    address = text.strip()
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"{text!r} is not an e-mail address")
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _hosts(settings: EmailSettings) -> frozenset[str]:
    return frozenset({urlsplit(settings.url.get_secret_value()).hostname or ""})


@hookimpl
def hub_plugin() -> PluginCard:
    return PluginCard(id="email", title="E-mail", requires_api=(1, 0))


@hookimpl
def hub_notifiers() -> Sequence[NotifierSpec[EmailSettings]]:
    return [
        NotifierSpec(
            id="email",
            title="E-mail",
            settings=EmailSettings,
            hosts=_hosts,
            build=EmailNotifier,
            check_address=check_address,
        )
    ]
