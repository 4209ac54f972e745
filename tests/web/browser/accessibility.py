"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path

AXE = Path(__file__).resolve().parents[2] / "vendor" / "axe-core" / "axe.min.js"


def serious(page):
    """Return what stands seriously in the way of somebody; the rule, and the first places that break it."""
    # Chromium's debugger adds it, so that the page's own policy for scripts stays as it is.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        (v["id"], [n["target"] for n in v["nodes"]][:3])
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]
