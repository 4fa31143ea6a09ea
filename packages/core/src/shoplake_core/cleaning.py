"""The meaning of every cleaning rule, as constants that each engine reads, so that Spark, Arrow and Python agree.

The rules of a column run in this order:
1. trim      strip TRIM_CHARACTERS from both ends (text)
2. case      fold A-Z only: full Unicode folding differs from engine to engine
3. blank     "" becomes null where the contract says so
4. parse     text with `formats` becomes a date; what fits no format violates the rule `format`
5. check     null, accepted, pattern, minimum, maximum: a violation nulls the value or quarantines the row
6. mask      a PII column becomes its HMAC-SHA-256 in lower-case hex; null stays null
"""

from enum import Enum

__all__ = ["DATE_FORMATS", "PATTERNS", "TRIM_CHARACTERS", "Rule"]

# ASCII white space, no-break space, ideographic space, zero-width space, byte order mark.
TRIM_CHARACTERS = " \t\n\r\x0b\x0c\u00a0\u3000\u200b\ufeff"

# In the common subset of RE2 (Arrow), java.util.regex (Spark) and re (Python); matched against the whole value.
PATTERNS = {
    "email": r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9-]+(\.[a-z0-9-]+)+",
    "country": r"[A-Z]{2}",
    "currency": r"[A-Z]{3}",
}

# Name in a contract -> regular expression with the groups year, month, day in the order of the second member.
# Days and months may be unpadded; years have four digits. The first format that matches the whole text decides.
DATE_FORMATS = {
    "y-M-d": (r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", ("year", "month", "day")),
    "d/M/y": (r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", ("day", "month", "year")),
    "M/d/y": (r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", ("month", "day", "year")),
    "d.M.y": (r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", ("day", "month", "year")),
}


class Rule(Enum):
    """Why a value was refused; written as `<rule>:<column>` in quarantine reasons."""

    NULL = "null"
    FORMAT = "format"
    ACCEPTED = "accepted"
    PATTERN = "pattern"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
