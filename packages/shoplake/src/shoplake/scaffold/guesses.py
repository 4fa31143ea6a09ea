"""What a column's name tells of it: whose it is, and whether it may leave MySQL at all. Wrong guesses err towards hiding."""

import re
from itertools import pairwise

from shoplake_core.contracts import Pii
from shoplake_core.logical_types import Kind, LogicalType

__all__ = ["guessed_pii", "is_credential", "is_switch"]

_WORDS_OF: tuple[tuple[Pii, frozenset[str]], ...] = (
    (Pii.EMAIL, frozenset({"email", "mail", "emails"})),
    (Pii.PHONE, frozenset({"phone", "telephone", "tel", "mobile", "cell", "fax", "msisdn"})),
    (Pii.BIRTH_DATE, frozenset({"birth", "birthday", "birthdate", "dob", "born"})),
    (Pii.ADDRESS, frozenset({"address", "address1", "address2", "street", "addr", "ip", "postcode", "zip", "zipcode"})),
    (Pii.ADDRESS, frozenset({"latitude", "longitude", "lat", "lng", "lon"})),
    (Pii.NAME, frozenset({"firstname", "lastname", "surname", "fullname", "username", "login", "nickname", "iban"})),
    (Pii.NOTE, frozenset({"note", "notes", "comment", "comments", "message", "remark", "remarks"})),
)
_PERSONS = frozenset({"first", "last", "full", "middle", "given", "family", "maiden", "user", "customer", "contact"})
_PEOPLE_TABLES = frozenset({"customer", "user", "contact", "person", "people", "employee", "guest", "member", "client"})
_ADDRESS_PARTS = frozenset({"line", "line1", "line2", "line3", "recipient", "building", "house", "floor", "apartment"})
_CREDENTIALS = frozenset(
    {"password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "salt", "otp", "cvv", "cvc", "pin", "pan"}
)
_CREDENTIAL_PAIRS = (("api", "key"), ("card", "number"), ("private", "key"), ("access", "key"))
_SWITCH_BEGINS = frozenset(
    {"is", "has", "can", "was", "did", "allow", "allows", "accepts", "use", "uses", "enable", "show"}
)
_SWITCH_ENDS = frozenset(
    {"active", "enabled", "disabled", "deleted", "visible", "hidden", "flag", "verified", "archived"}
)


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+", name)


def guessed_pii(table: str, column: str, kind: LogicalType) -> Pii:
    """What the column tells of a person, by its name; NONE for a number or a switch, which a hash would spoil.

    Args:
        table: MySQL's table name: `name` is a person's in `customers`, and a product's in `products`.
        column: MySQL's column name.
        kind: Its type.

    """
    if not (kind.is_text or kind.kind is Kind.DATE):
        return Pii.NONE
    words = [word.lower() for word in _words(column)]
    if kind.kind is Kind.DATE:
        return Pii.BIRTH_DATE if set(words) & _WORDS_OF[2][1] else Pii.NONE
    for pii, known in _WORDS_OF:
        if pii is not Pii.BIRTH_DATE and set(words) & known:
            return pii
    tables = {word.lower().rstrip("s") for word in _words(table)} | {table.lower()}
    if tables & {"addresse", "address", "addres"} and set(words) & _ADDRESS_PARTS:
        return Pii.ADDRESS
    named = "name" in words
    return Pii.NAME if named and (set(words) & _PERSONS or tables & _PEOPLE_TABLES) else Pii.NONE


def is_credential(column: str) -> bool:
    """Whether the name is one of a password, a token or a card's number: such a column is not carried."""
    words = [word.lower() for word in _words(column)]
    pairs = set(pairwise(words))
    return bool(set(words) & _CREDENTIALS) or bool(pairs & set(_CREDENTIAL_PAIRS))


def is_switch(column: str) -> bool:
    """Whether the name is one of a yes or no. MySQL's TINYINT(1) alone does not say it: a status of 2 would become true."""
    words = [word.lower() for word in _words(column)]
    return bool(words) and (words[0] in _SWITCH_BEGINS or words[-1] in _SWITCH_ENDS or words[-2:] == ["opt", "in"])
