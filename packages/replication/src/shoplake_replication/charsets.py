"""MySQL character sets -> Python text, for the sets whose bytes are not UTF-8 already."""

from collections.abc import Callable

__all__ = ["ASCII_SUPERSETS", "UTF8_CHARSETS", "decoder_of"]

UTF8_CHARSETS = frozenset({"utf8", "utf8mb3", "utf8mb4", "ascii"})

# MySQL's latin1 is cp1252 with these five kept as control characters.
_LATIN1 = {
    byte: bytes([byte]).decode("latin-1" if byte in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "cp1252") for byte in range(256)
}
_CODECS = {
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
    "latin2": "iso8859_2",
    "latin5": "iso8859_9",
    "latin7": "iso8859_13",
    "greek": "iso8859_7",
    "hebrew": "iso8859_8",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1256": "cp1256",
    "cp1257": "cp1257",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
    "koi8r": "koi8_r",
    "koi8u": "koi8_u",
    "macroman": "mac_roman",
    "tis620": "cp874",
    "big5": "cp950",
    "gbk": "gbk",
    "gb2312": "gb2312",
    "gb18030": "gb18030",
    "sjis": "cp932",
    "cp932": "cp932",
    "ujis": "euc_jp",
    "eucjpms": "euc_jp",
    "euckr": "cp949",
}

# Texts in these sets that hold only ASCII are UTF-8 already.
ASCII_SUPERSETS = frozenset({"latin1", *_CODECS}) - {
    "ucs2",
    "utf16",
    "utf16le",
    "utf32",
    "sjis",
    "cp932",
    "ujis",
    "eucjpms",
    "gbk",
    "gb18030",
    "big5",
    "tis620",
}


def _latin1(value: bytes) -> str:
    return "".join(map(_LATIN1.__getitem__, value))


def decoder_of(charset: str) -> Callable[[bytes], str] | None:
    """What turns that set's bytes into text, raising UnicodeDecodeError; None for a set that is not known."""
    if charset == "latin1":
        return _latin1
    codec = "utf-8" if charset in UTF8_CHARSETS else _CODECS.get(charset)
    if codec is None:
        return None
    return lambda value: value.decode(codec)
