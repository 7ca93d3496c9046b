"""What may be entered: e-mail addresses, phone numbers, handles, names. Each function gives the
canonical form or refuses.
"""

from __future__ import annotations

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from shared.errors import BadUserInputError
from shared.text import clean_text

__all__ = ["bio", "display_name", "email", "handle", "nickname", "phone", "push_token"]

_MAX_EMAIL = 254  # RFC 5321, with the brackets taken off
# The longest is the JSON of a browser's subscription (RFC 8030: an endpoint and two keys).
_PUSH_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)
_HANDLE = re.compile(r"[a-z0-9_]{3,30}", re.ASCII)
# ASCII digits only, no letters and no extension, all of which the library would take
_PHONE = re.compile(r"\+[0-9 ().-]{6,30}", re.ASCII)
# names that the API uses for something else or that would be mistaken for the house speaking
_RESERVED_HANDLES = frozenset(
    {"admin", "administrator", "deleted", "moderator", "root", "socialnet", "support", "system"}
    | {"unavailable"}
)


def email(text: str) -> str:
    """The form by which an e-mail address is known: syntax checked, Unicode composed, lower case.

    The part before the @ is case-sensitive by the letter of RFC 5321 and nowhere else; two accounts
    must not differ by it. It must be ASCII, as hardly any server takes another, and letters that
    look alike must not make two accounts. What stands after a plus is part of the address.
    """
    if len(text) > _MAX_EMAIL:
        raise BadUserInputError("email is too long.", field="email")
    try:
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise BadUserInputError("email is not a valid e-mail address.", field="email") from error
    return valid.normalized.lower()


def phone(text: str, *, field: str = "phone") -> str:
    """The form by which a phone number is known: E.164. Written internationally, with a plus."""
    message = f"{field} is not a phone number with its country, like +4930123456."
    if _PHONE.fullmatch(text) is None:
        raise BadUserInputError(message, field=field)
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise BadUserInputError(message, field=field) from error
    if not phonenumbers.is_valid_number(number):
        raise BadUserInputError(message, field=field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def handle(text: str) -> str:
    """The form by which a handle is known: lower case."""
    canonical = text.strip().lower()
    # lower() makes ASCII of a few letters that are not, like the sign for kelvin
    if not text.isascii() or _HANDLE.fullmatch(canonical) is None:
        message = "handle must be 3 to 30 characters out of a-z, 0-9 and _."
        raise BadUserInputError(message, field="handle")
    if canonical in _RESERVED_HANDLES:
        raise BadUserInputError("This handle is reserved.", field="handle")
    return canonical


def display_name(text: str) -> str:
    """A name to show: one line, 1 to 50 characters."""
    return clean_text(text, field="displayName", min_length=1, max_length=50)


def nickname(text: str) -> str:
    """What a user calls a contact: one line of up to 50 characters; empty means none."""
    return clean_text(text, field="nickname", max_length=50)


def bio(text: str) -> str:
    """What a user says of themselves: up to 300 characters."""
    return clean_text(text, field="bio", max_length=300, multiline=True)


def push_token(text: str) -> str:
    """What a push service gave to an app, as it is: ASCII without spaces, up to 4096 characters."""
    if _PUSH_TOKEN.fullmatch(text) is None:
        message = "token must be 1 to 4096 ASCII characters without spaces."
        raise BadUserInputError(message, field="token")
    return text
