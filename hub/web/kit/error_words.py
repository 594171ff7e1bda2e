"""What a person reads when the hub or a supplier says no: by the error's code, then by blame."""

from collections.abc import Mapping

from hub.errors import Blame, HubError, InputRefused
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
    "account.not_confirmed": (
        N_("The e-mail is not confirmed yet"),
        N_("Open the link from the letter, or have the letter sent again."),
    ),
    "account.input_refused": (
        N_("Something in the form is not right"),
        N_("Correct the fields that are named and send it again."),
    ),
    "account.email_taken": (
        N_("There is already a user with this E-mail"),
        N_("Sign in, or use another address."),
    ),
    "account.link_spent": (
        N_("This link no longer works"),
        N_("It was used or has expired. Ask for a new letter."),
    ),
    "token.refused": (
        N_("The token is not accepted"),
        N_("It is not known, was revoked or has expired. Make a new one in the profile."),
    ),
    "token.too_narrow": (
        N_("The token does not allow this"),
        N_("Make a token that does, in the profile."),
    ),
    "contract.already_linked": (
        N_("This contract is already in your list"),
        N_("Nothing has to be added."),
    ),
    "contract.still_on_the_way": (
        N_("Something that you sent has not reached the supplier yet"),
        N_("Unlinked now, it would be lost. The contract can be unlinked once it has arrived."),
    ),
    "supplier.credentials_rejected": (
        N_("The supplier did not accept the login or password"),
        N_("Check the keyboard layout and type the password again. We kept the rest."),
    ),
    "supplier.challenge_needed": (
        N_("The supplier asks a question first"),
        N_("This version can't answer it; sign in on the supplier's own site once, then here."),
    ),
    "supplier.submission_rejected": (
        N_("The supplier did not accept it"),
        N_("Its reason stands beside it. Correct what you sent, or ask the supplier."),
    ),
    "supplier.submission_uncertain": (
        N_("It is not known yet whether the supplier got it"),
        N_("The hub looks for it at the supplier and never sends it twice by itself."),
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
    "consent.bad_order": (
        N_("This cannot be ordered of a meter"),
        N_("Correct the order and give it again."),
    ),
    "consent.spent": (
        N_("This order was carried out already, or has run out"),
        N_("Look at the meter's state, then give the order anew."),
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


# code of a field: what is wrong, shortly; the same with what to do
FIELD_WORDS: dict[str, tuple[str, str]] = {
    "account.email_wrong": (
        N_("not an address"),
        N_("This is not an e-mail address. Write it like anna@example.org."),
    ),
    "account.email_taken": (
        N_("there is such a user already"),
        N_("A user with this E-mail already exists. Check the address, or sign in."),
    ),
    "account.name_wrong": (
        N_("is empty or too long"),
        N_("Write the full name, at most 120 characters."),
    ),
    "account.choice_wrong": (
        N_("choose again"),
        N_("There is no such choice. Choose another one."),
    ),
    "account.phone_in_use": (
        N_("codes at sign-in go to another phone"),
        N_("Codes at sign-in go to another phone. Turn them off in «Sign-in and security» first."),
    ),
    "account.phone_unconfirmed": (
        N_("no phone is confirmed"),
        N_("Confirm a phone in «My data» first."),
    ),
    "account.time_wrong": (
        N_("not a time"),
        N_("Write hours and minutes, like 22:00."),
    ),
    "account.quiet_all_day": (
        N_("the same as the beginning"),
        N_("The quiet hours would last a day. To get nothing at all, turn the channels off above."),
    ),
    "account.word_wrong": (
        N_("type the word"),
        N_("Type the word as it is written above, so that nothing is deleted by mistake."),
    ),
    "account.consent_missing": (
        N_("agree or do not register"),
        N_("Without your consent the portal may not keep your data, so it can't register you."),
    ),
    "account.phone_empty": (
        N_("is empty"),
        N_("Write the phone number, like +7 900 000-00-00."),
    ),
    "account.phone_wrong": (
        N_("not a phone number"),
        N_("Write the number like +7 900 000-00-00."),
    ),
    "account.password_short": (
        N_("is too short"),
        N_("The password needs at least 8 characters. Add some; a sentence will do."),
    ),
    "account.password_long": (
        N_("is too long"),
        N_("The password may have at most 1024 characters. Shorten it."),
    ),
    "account.passwords_differ": (
        N_("the passwords differ"),
        N_("The passwords differ. Type the second again, or show it with the eye."),
    ),
    "account.code_wrong": (
        N_("is wrong"),
        N_("The code is wrong, old or was used. Type a new one; of an app, check the clock."),
    ),
    "account.factor_is_on": (
        N_("is on already"),
        N_("A code is asked for already. Turn it off before you set up another app."),
    ),
    "account.password_not_current": (
        N_("is wrong"),
        N_("This is not your present password. Check the keyboard layout and type it again."),
    ),
    "contract.supplier_unknown": (
        N_("is not chosen"),
        N_("Choose the supplier from the list."),
    ),
    "contract.name_empty": (
        N_("is empty"),
        N_("Give the contract a name by which you will know it."),
    ),
    "contract.login_empty": (N_("is empty"), N_("Type the login that the supplier gave you.")),
    "contract.password_empty": (
        N_("is empty"),
        N_("Type the password that the supplier gave you."),
    ),
    "contract.password_again": (N_("type it again"), N_("Type the password again.")),
    "contract.login_wrong": (
        N_("does not fit this supplier"),
        N_("This supplier's logins look different. Check it against the bill."),
    ),
    "contract.password_wrong": (
        N_("does not fit this supplier"),
        N_("This supplier's passwords look different. Check it against the letter."),
    ),
    "appeal.subject_empty": (
        N_("there is no subject"),
        N_("Say in a few words what it is about."),
    ),
    "appeal.subject_long": (
        N_("is too long"),
        N_("Shorten it to 200 characters; the rest belongs in the description."),
    ),
    "appeal.text_empty": (
        N_("nothing is written"),
        N_("Describe what happened and what you ask for."),
    ),
    "appeal.text_long": (
        N_("is too long"),
        N_("Shorten it to 5000 characters."),
    ),
    "file.empty": (
        N_("a file is empty"),
        N_("There is nothing in the file. Choose another."),
    ),
    "file.large": (
        N_("a file is too large"),
        N_("A file may have 10 MB. Take the photo in a smaller size, or leave it out."),
    ),
    "file.kind": (
        N_("a file is of another kind"),
        N_("Only JPEG, PNG, WebP and PDF are taken; what a file is, we see by its content."),
    ),
    "file.many": (
        N_("too many files"),
        N_("At most 5 go with one message. Remove one, or send the rest with the next message."),
    ),
    "file.full": (
        N_("there is no room left"),
        N_("Your files already take 200 MB here. Send this one to the supplier by e-mail."),
    ),
    "token.name_wrong": (
        N_("is empty or too long"),
        N_("Say in at most 60 characters which program it is for."),
    ),
    "token.too_many": (
        N_("there are 20 tokens already"),
        N_("There are 20 tokens already. Revoke one that you do not need."),
    ),
    "token.allows_nothing": (
        N_("nothing is chosen"),
        N_("Choose at least one thing that the program may do."),
    ),
    "token.no_contract": (
        N_("no contract is chosen"),
        N_("Choose at least one contract, or all of them."),
    ),
    "rule.point_wrong": (
        N_("can't be looked at"),
        N_("This point does not tell what the rule needs. Choose another point or another rule."),
    ),
    "rule.too_many": (
        N_("there are 50 rules already"),
        N_("There are 50 rules already. Remove one that you do not need."),
    ),
    "rule.limit_wrong": (
        N_("is not a limit"),
        N_("Write a number above zero, like 12.5, with at most three decimals."),
    ),
    "rule.hours_wrong": (
        N_("is not a number of hours"),
        N_("Write whole hours, from 2 to 720."),
    ),
    "rule.volts_wrong": (
        N_("is not a voltage"),
        N_("Write volts, like 207."),
    ),
    "rule.volts_narrow": (
        N_("is too near to the lower limit"),
        N_("Write a voltage at least 5 % above the lower one."),
    ),
    "span.turned": (
        N_("is not a span of days"),
        N_("The first day is not after the last, and the last not far in the future."),
    ),
    "span.long": (
        N_("is too long"),
        N_("Ask for fewer days at a time."),
    ),
    "reading.not_taken": (
        N_("readings are not taken here"),
        N_("The supplier takes no readings of this point, or its meter is read by itself."),
    ),
    "reading.other_register": (
        N_("there is no such register"),
        N_("Send exactly the registers that the point has."),
    ),
    "reading.not_a_number": (
        N_("is not a reading"),
        N_("Write the digits that the meter shows, like 4821.5."),
    ),
    "reading.too_long": (
        N_("has too many digits"),
        N_("The meter shows fewer digits before the point. Check it against the meter."),
    ),
    "reading.too_fine": (
        N_("has too many decimals"),
        N_("The meter shows fewer digits after the point. Check it against the meter."),
    ),
    "reading.lower": (
        N_("is lower than the previous one"),
        N_("Check it against the meter; if it is right, write to the supplier."),
    ),
    "reading.window_closed": (
        N_("readings are not taken today"),
        N_("Send them on the days that the supplier takes them."),
    ),
    "reading.rolled_over": (
        N_("the meter went past its last digit"),
        N_("If it did begin from zero again, confirm it."),
    ),
    "reading.too_high": (
        N_("is far more than usual"),
        N_("Check it against the meter; if it is right, confirm it."),
    ),
}
FIELD_OTHER = (N_("can't be accepted"), N_("Check what was entered and send it again."))


def field_words(refused: InputRefused) -> Mapping[str, FieldError]:
    """Write the errors under the fields of a form."""
    words = {name: FIELD_WORDS.get(key, FIELD_OTHER) for name, key in refused.fields.items()}
    return {
        name: FieldError(gettext(text), gettext(short)) for name, (short, text) in words.items()
    }


def error_words(error: HubError) -> FieldError:
    """Write the alert for a form: ``short`` is the fact, ``text`` the next step."""
    fact, step = WORDS.get(error.code) or BY_BLAME.get(error.blame, OURS)
    return FieldError(text=gettext(step), short=gettext(fact))
