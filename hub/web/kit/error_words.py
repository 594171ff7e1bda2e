"""What a person reads when the hub or a supplier says no: by the error's code, then by blame."""

from hub.errors import Blame, HubError
from hub.web.kit.forms import FieldError
from hub.web.kit.i18n import N_, gettext

# code: what happened; what it means and what to do
WORDS: dict[str, tuple[str, str]] = {
    "account.sign_in_refused": (
        N_("E-mail or password is wrong"),
        N_("Check the keyboard layout and type the password again."),
    ),
    "account.too_many_attempts": (
        N_("Too many attempts"),
        N_("Wait a few minutes and try again."),
    ),
    "supplier.credentials_rejected": (
        N_("The supplier did not accept the login or password"),
        N_("Check the keyboard layout and type the password again. We kept the rest."),
    ),
    "supplier.down": (
        N_("The supplier does not answer"),
        N_("Nothing is lost: try again in a few minutes. We kept everything but the password."),
    ),
    "supplier.rate": (
        N_("The supplier asks to wait"),
        N_("There were too many requests. Try again in a few minutes."),
    ),
    "supplier.answer_changed": (
        N_("The supplier's answer could not be understood"),
        N_("This is not your fault. The administrator will see it; try again later."),
    ),
    "store.conflict": (
        N_("This has been changed meanwhile"),
        N_("Reload the page and try again."),
    ),
    "store.missing": (
        N_("There is no such page"),
        N_("The link may be out of date, or you have no access to this meter."),
    ),
}
BY_BLAME: dict[Blame, tuple[str, str]] = {
    Blame.USER: (N_("That can't be done"), N_("Check what was entered and send it again.")),
    Blame.REMOTE: WORDS["supplier.down"],
    Blame.PLUGIN: WORDS["supplier.answer_changed"],
}
OURS = (
    N_("The fault is ours, you did everything right"),
    N_("Try again in a minute. What you entered is kept."),
)


def error_words(error: HubError) -> FieldError:
    """Write the alert for a form: ``short`` is the fact, ``text`` the next step."""
    fact, step = WORDS.get(error.code) or BY_BLAME.get(error.blame, OURS)
    return FieldError(text=gettext(step), short=gettext(fact))
