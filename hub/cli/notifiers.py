"""What carries messages to people, made from the settings: mails over SMTP, SMS over a gateway."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hub.plugins.api import Notifier
    from hub.plugins.manager import Plugins
    from hub.services.carrying import Carrier
    from hub.settings import Settings
    from hub.store.unit import Store
    from hub.wire.http import Web


def carriers(
    settings: "Settings", store: "Store", plugins: "Plugins", web: "Web"
) -> "list[Carrier]":
    """Give what delivers mails and SMS; the demo keeps both on a page.

    Mails that can't be sent yet wait, which is said on stderr.
    """
    from hub.errors import ChannelDown
    from hub.services.clock import utc_now
    from hub.services.desk import desk_for
    from hub.services.mail import KeepsMails, Letterhead, Mails
    from hub.services.texting import Texts
    from hub.wire.http import Outgoing

    head = Letterhead(settings.base_url, settings.brand)
    if settings.demo:
        keeps = KeepsMails(store)
        return [Mails(store, keeps, head), Texts(store, keeps, head, desk=desk_for("sms", utc_now))]
    found: list[Carrier] = []
    if settings.smtp_url is None:
        click.echo(
            "HUB_SMTP_URL is not set, so letters wait; set it and start again to send them.",
            err=True,
        )
    else:
        spec = plugins.notifier("email")
        mailer = spec.build(spec.settings(url=settings.smtp_url, sender=settings.mail_from))
        found.append(Mails(store, mailer, head))
    if settings.sms_url is not None:
        notifier, hosts, length = _sms(settings, plugins)
        http = web.client(Outgoing("sms", hosts, ChannelDown))
        desk = desk_for("sms", utc_now, http=http)
        found.append(Texts(store, notifier, head, desk=desk, line_length=length))
    return found


def _sms(settings: "Settings", plugins: "Plugins") -> "tuple[Notifier, frozenset[str], int | None]":
    """Give the notifier, the hosts that it reaches and the length of its line."""
    from pydantic import ValidationError

    spec = plugins.notifier("sms")
    try:
        made = spec.settings(
            url=settings.sms_url,
            format=settings.sms_format,
            body=settings.sms_body,
            headers=settings.sms_headers,
            accepted=settings.sms_accepted,
            refused=settings.sms_refused,
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = f"HUB_SMS_{str(first['loc'][0]).upper()}" if first["loc"] else "HUB_SMS_…"
        raise click.UsageError(f"{name} is wrong: {first['msg']}") from error
    return spec.build(made), spec.hosts(made), spec.line_length
