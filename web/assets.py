"""Addresses of the files under ``static/``, which browsers may keep for ever."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import url_for

__all__ = ["asset", "modules", "modules_of", "version_of"]

STATIC = Path(__file__).parent / "static"


@cache
def version_of(path: str) -> str:
    """Return a short digest of a file under ``static/``: an address with it may be kept for ever."""
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]


def asset(path: str) -> str:
    """Return the address of a file under ``static/``."""
    return url_for("static", filename=path, v=version_of(path))


@cache
def modules() -> dict[str, str]:
    """Return the pages' modules: bare name -> path under ``static/``."""
    return {f"gridmap/{file.name}": f"js/{file.name}" for file in sorted((STATIC / "js").glob("*.js"))}


@cache
def modules_of(name: str) -> tuple[str, ...]:
    """Return the paths of a module and of all that it imports, its own first."""
    wanted = [name]
    for one in wanted:
        text = (STATIC / modules()[one]).read_text(encoding="utf-8")
        wanted.extend(other for other in re.findall(r'from "(gridmap/[^"]+)"', text) if other not in wanted)
    return tuple(modules()[one] for one in wanted)
