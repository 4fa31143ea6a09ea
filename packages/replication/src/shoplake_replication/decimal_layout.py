"""How MySQL packs a DECIMAL: groups of nine digits in four bytes, big-endian, sign in the first bit."""

__all__ = ["BYTES_OF_DIGITS", "decimal_groups", "decimal_width"]

BYTES_OF_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
_GROUP_DIGITS = 9


def decimal_groups(precision: int, scale: int) -> list[tuple[int, int]]:
    """(bytes, digits) of each group, the highest first."""
    whole, part = precision - scale, scale
    groups = [(BYTES_OF_DIGITS[whole % _GROUP_DIGITS], whole % _GROUP_DIGITS)] if whole % _GROUP_DIGITS else []
    groups += [(4, _GROUP_DIGITS)] * (whole // _GROUP_DIGITS + part // _GROUP_DIGITS)
    if part % _GROUP_DIGITS:
        groups.append((BYTES_OF_DIGITS[part % _GROUP_DIGITS], part % _GROUP_DIGITS))
    return groups


def decimal_width(precision: int, scale: int) -> int:
    """Bytes of one value."""
    return sum(width for width, _ in decimal_groups(precision, scale))
