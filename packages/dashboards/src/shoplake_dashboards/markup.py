"""HTML built from values: text is escaped where it enters, so no caller can forget it. `Html` marks what is HTML already."""

from html import escape

__all__ = ["Html", "join", "raw_json", "tag"]

_VOID = frozenset({"meta", "input", "br", "path", "circle", "line", "link"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def join(*children: str) -> Html:
    """The children one after the other, each text escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(_printable(child)) for child in children))


def tag(element: str, /, *children: str, **attributes: str | bool | int) -> Html:
    """An element. An attribute's trailing underscore is dropped and inner ones become hyphens: `class_`, `aria_label`;
    False leaves it out, True writes it without a value.
    """
    written = []
    for key, value in attributes.items():
        label = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(f" {label}")
        elif value is not False:
            written.append(f' {label}="{escape(_printable(str(value)))}"')
    start = f"<{element}{''.join(written)}>"
    return Html(start if element in _VOID else f"{start}{join(*children)}</{element}>")


def _printable(text: str) -> str:
    """Without the control characters that no HTML may hold."""
    return "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and not 0xD800 <= ord(c) <= 0xDFFF))


def raw_json(text: str) -> Html:
    """JSON for the inside of a `<script>`: it can neither end the element nor open a comment."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(text)
