"""Every error the hub raises on purpose, sorted by what the caller does next.

``retry`` and ``blame`` are what the collector, the backoff and the pages read; the class name
is for people. ``str(error)`` is one plain English sentence with the next step, for the command
line and the logs; what a browser shows comes from the catalog by ``code``.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from typing_extensions import override


class Retry(StrEnum):
    """When the same act may work."""

    NEVER = "never"
    LATER = "later"
    NOW = "now"


class Blame(StrEnum):
    """Whose matter it is."""

    USER = "user"
    DEVICE = "device"
    LINE = "line"
    REMOTE = "remote"
    PLUGIN = "plugin"
    HUB = "hub"


class HubError(Exception):
    """Base of all; never raised itself. Keyword details fill the class's sentence."""

    code: ClassVar[str] = ""
    retry: ClassVar[Retry] = Retry.NEVER
    blame: ClassVar[Blame] = Blame.HUB
    sentence: ClassVar[str] = ""

    def __init__(self, detail: str = "", /, **details: object) -> None:
        if not self.code:
            message = f"{type(self).__name__} is a base class; raise one of its kinds"
            raise TypeError(message)
        super().__init__(detail)
        self.detail = detail
        self.details: Mapping[str, object] = details

    @override
    def __str__(self) -> str:
        return self.detail or self.sentence


# -- domain ------------------------------------------------------------------------------------


class DomainError(HubError):
    """A rule of metering was broken by the data."""


class PeriodUnsupported(DomainError):
    code = "profile.period_unsupported"
    blame = Blame.DEVICE
    sentence = (
        "The meter's profile period does not divide a day, so its half-hours can't be placed; "
        "set a period of 1 to 60 minutes that divides 1440 in the meter."
    )


class BadSerial(DomainError):
    code, blame = "meter.bad_serial", Blame.USER
    sentence = "A serial number has 1 to 20 letters and digits; check it against the meter's face."


class SlotOverlap(DomainError):
    code, blame = "profile.slot_overlap", Blame.DEVICE
    sentence = "Two different records of the profile claim the same slot; read the span again."


class BadSchedule(DomainError):
    code = "tariff.bad_schedule"
    sentence = (
        "A zone schedule has rules with a zone, times from 00:00 to 24:00 and days "
        "all, workdays or weekend; correct the rule."
    )


class ConsentSpent(DomainError):
    code, blame = "consent.spent", Blame.USER
    sentence = (
        "The leave to change this meter was used or has run out; nothing was sent. "
        "Look at the meter's state, then order it anew."
    )


class BadOrder(DomainError):
    code, blame = "consent.bad_order", Blame.USER
    sentence = "This can't be ordered of a meter; correct the order."


# -- store -------------------------------------------------------------------------------------


class StoreError(HubError):
    """The database can't do it."""


class Conflict(StoreError):
    code, blame = "store.conflict", Blame.USER
    sentence = "This was changed by somebody else meanwhile; reload and try again."


class Missing(StoreError):
    code, blame = "store.missing", Blame.USER
    sentence = "There is no such thing, or it is not yours."


class StoreUnavailable(StoreError):
    code, retry = "store.unavailable", Retry.LATER
    sentence = "The database can't be opened or written; check the folder's rights and free space."


class SchemaOutdated(StoreError):
    code = "store.schema_outdated"
    sentence = "The database is of another version of the hub; run 'hub db upgrade'."


class BlockDamagedError(StoreError):
    code = "store.block_damaged"
    sentence = (
        "A stored block of the profile is damaged; "
        "run 'hub db check' to find and re-read such days."
    )


class KeysMissing(StoreError):
    code = "store.keys_missing"
    sentence = "There are no keys for sealed secrets; set HUB_KEYS or run 'hub keys new'."


class SealBroken(StoreError):
    code = "store.seal_broken"
    sentence = (
        "A sealed secret can't be opened with the present keys; restore HUB_KEYS or set it anew."
    )


# -- plugins -----------------------------------------------------------------------------------


class PluginError(HubError):
    """A plugin is at fault."""

    blame = Blame.PLUGIN


class PluginBroken(PluginError):
    code = "plugin.broken"
    blame = Blame.PLUGIN
    sentence = "The plugin can't be used; 'hub plugin list' says why."


class PluginTooNew(PluginError):
    code = "plugin.too_new"
    sentence = "The plugin needs a newer hub; upgrade metering-hub or install an older plugin."


class PluginTooOld(PluginError):
    code = "plugin.too_old"
    sentence = "The plugin was made for an older hub; install a newer version of it."


class ContractBroken(PluginError):
    code = "plugin.contract_broken"
    sentence = "The plugin did what the plugin contract forbids; report it to its maker."


# -- the line ----------------------------------------------------------------------------------


class LinkError(HubError):
    """The line did not carry the words."""

    retry, blame = Retry.LATER, Blame.LINE


class LineBusy(LinkError):
    code = "line.busy"
    sentence = "Another collector holds this line; stop it, or wait a minute for its lease to end."


class LineDown(LinkError):
    code = "line.down"
    sentence = (
        "The line can't be opened or broke off; check the address, the cable and the gateway."
    )


class ReplyTimeout(LinkError):
    code = "line.reply_timeout"
    retry = Retry.NOW
    sentence = "No answer; check the address, the wiring and that the meter has power."


class FrameGarbled(LinkError):
    """Bytes came, but no frame; ``received`` carries them."""

    code = "line.garbled"
    retry = Retry.NOW
    sentence = (
        "Answers arrive damaged; check speed, parity and line termination, "
        "and that no other master talks on the line."
    )

    def __init__(self, detail: str = "", /, *, received: bytes = b"") -> None:
        super().__init__(detail)
        self.received = received


class Abandoned(LinkError):
    code = "line.abandoned"
    sentence = "The visit was stopped before its end; what was read is kept."


class BadLine(LinkError):
    code = "line.bad_address"
    retry, blame = Retry.NEVER, Blame.USER
    sentence = (
        "A line is written tcp://host:port, serial:///dev/ttyUSB0?baud=9600, rfc2217://host:port "
        "or listen://host:port/NAME."
    )


# -- the device --------------------------------------------------------------------------------


class DeviceError(HubError):
    """The meter answered, and the answer is no."""

    retry, blame = Retry.LATER, Blame.DEVICE


class Refused(DeviceError):
    code = "device.refused"
    sentence = "The meter refused the request."


class AccessDenied(DeviceError):
    code = "device.access_denied"
    retry, blame = Retry.NEVER, Blame.USER
    sentence = "The meter refused the password; check it (and its level) and set it anew."


class NotSupported(DeviceError):
    code = "device.not_supported"
    retry = Retry.NEVER
    sentence = "This meter can't do that."


class ChannelClosed(DeviceError):
    code = "device.channel_closed"
    retry = Retry.NOW
    sentence = "The meter closed the channel; it is opened again at the next visit."


class DeviceFault(DeviceError):
    code = "device.fault"
    sentence = "The meter reports an internal fault; read its status word and call service."


class WrongDevice(DeviceError):
    """Another model, another protocol, or another serial than stored."""

    code = "device.wrong_device"
    retry, blame = Retry.NEVER, Blame.USER
    sentence = "Another meter answers at this address; check the serial number and the address."


class CursorLost(DeviceError):
    code = "device.cursor_lost"
    retry = Retry.NOW
    sentence = "The place to go on from is gone; reading starts from the oldest record kept."


# -- suppliers ---------------------------------------------------------------------------------


class SupplierError(HubError):
    """The supplier's system said no, or nothing."""

    blame = Blame.REMOTE


class CredentialsRejected(SupplierError):
    code = "supplier.credentials_rejected"
    blame = Blame.USER
    sentence = "The supplier did not accept the login or password; type the password again."


class ChallengeNeeded(SupplierError):
    """The supplier asks for something that only the user can answer; ``challenge`` says what."""

    code = "supplier.challenge_needed"
    blame = Blame.USER
    sentence = "The supplier asks a question that has to be answered before it lets anybody in."

    def __init__(self, detail: str = "", /, *, challenge: object = None) -> None:
        super().__init__(detail)
        self.challenge = challenge


class SubmissionRejected(SupplierError):
    """The supplier said no to readings or to an appeal; the sentence is its reason."""

    code = "supplier.submission_rejected"
    blame = Blame.USER
    sentence = "The supplier did not accept what was sent and gave no reason; ask the supplier."


class SubmissionUncertain(SupplierError):
    """The answer was lost: it may have arrived, so it is looked for and never sent again."""

    code = "supplier.submission_uncertain"
    sentence = "It is not known whether the supplier got it; look at the supplier before sending."


class SupplierDown(SupplierError):
    code = "supplier.down"
    retry = Retry.LATER
    sentence = "The supplier does not answer; the hub tries again by itself."


class TooManyRequests(SupplierError):
    code = "supplier.rate"
    retry = Retry.LATER

    def __init__(self, after: timedelta) -> None:
        super().__init__(f"Too many requests; wait {int(after.total_seconds())} s.")
        self.after = after


class AnswerChanged(SupplierError):
    code = "supplier.answer_changed"
    sentence = "The supplier's answer is not as expected; report it to the connector's maker."


# -- delivery ----------------------------------------------------------------------------------


class DeliveryError(HubError):
    """A message did not reach its recipient."""

    blame = Blame.REMOTE


class RecipientRejected(DeliveryError):
    code = "delivery.recipient_rejected"
    blame = Blame.USER
    sentence = "The address does not accept messages; check it."


class ChannelDown(DeliveryError):
    code = "delivery.channel_down"
    retry = Retry.LATER
    sentence = "The mail server can't be reached; the hub tries again by itself."


# -- accounts ----------------------------------------------------------------------------------


class AccountError(HubError):
    """A person's request can't be granted."""

    blame = Blame.USER


class SignInRefused(AccountError):
    code = "account.sign_in_refused"
    sentence = "E-mail or password is wrong."


class NotConfirmed(AccountError):
    """Said only to somebody who knows the password."""

    code = "account.not_confirmed"
    sentence = "The e-mail is not confirmed yet; follow the link in the mail or ask for a new one."


class InputRefused(AccountError):
    """What was typed can't be taken; ``fields`` says for each field why, as a catalog key."""

    code = "account.input_refused"
    sentence = "Something in the form is not right; correct the fields that are named."

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("", **fields)
        self.fields = fields


class TooManyAttempts(AccountError):
    code = "account.too_many_attempts"
    retry = Retry.LATER
    sentence = "Too many attempts; wait a few minutes and try again."


class EmailTaken(AccountError):
    code = "account.email_taken"
    sentence = "There is already a user with this e-mail."


class LinkSpent(AccountError):
    code = "account.link_spent"
    sentence = "This link was used or has expired; ask for a new one."


class TokenRefused(AccountError):
    code = "token.refused"
    sentence = "The token is not known, was revoked or has expired; make a new one in the profile."


class TokenTooNarrow(AccountError):
    """The token is good, but not for this; ``scope`` is what it lacks."""

    code = "token.too_narrow"
    sentence = "The token does not allow this; make one that does."

    def __init__(self, detail: str = "", /, *, scope: str = "") -> None:
        super().__init__(detail)
        self.scope = scope


class ContractAlreadyLinked(AccountError):
    code = "contract.already_linked"
    sentence = "This contract is already in your list."


class StillOnTheWay(AccountError):
    code = "contract.still_on_the_way"
    retry = Retry.LATER
    sentence = "What was written has not reached the supplier yet; unlink the contract after that."


# -- running the hub ---------------------------------------------------------------------------


class RunError(HubError):
    """The hub's own processes can't run."""


class PortTaken(RunError):
    code, blame = "run.port_taken", Blame.USER
    sentence = "The port is in use; end the program that uses it, or choose another."


class ChildEnded(RunError):
    code = "run.child_ended"
    sentence = "A part of the hub ended by itself; its own message stands above."
