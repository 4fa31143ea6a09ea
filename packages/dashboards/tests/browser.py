"""A page opened in the machine's own headless Chromium, with what went wrong in it and what it asked the network for."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "vendored" / "axe.min.js"


def chromium_path() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    return found


@dataclass
class Opened:
    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def axe(self) -> list[str]:
        """Serious and critical findings of axe-core, each with its rule and its first place."""
        result = self.page.evaluate(AXE.read_text("utf-8") + "\n;axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0].get('failureSummary', '')[:200]}"
            for v in result["violations"]
            if v["impact"] in {"serious", "critical"}
        ]


@contextmanager
def opened(
    browser: Any, path: Path, *, width: int = 1440, theme: str = "light", drawn: bool = True
) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    found = Opened(page)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("console", lambda m: found.errors.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("request", lambda r: found.requests.append(r.url) if not r.url.startswith(("file:", "blob:")) else None)
    page.on("dialog", lambda d: (found.errors.append(f"dialog {d.message}"), d.dismiss()))
    page.goto(f"file://{path}")
    page.wait_for_selector("html[data-drawn]", timeout=15_000, state="attached")
    try:
        yield found
    finally:
        context.close()
