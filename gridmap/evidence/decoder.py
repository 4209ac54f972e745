"""The process that decodes one file that nobody vouches for, with little memory and time, and ends.

``python -m gridmap.evidence.decoder FILE TYPE FOLDER LIMITS``: writes the copies into FOLDER and one line of
JSON to its output. What a hostile file breaks is this process alone.
"""

from __future__ import annotations

import json
import mmap
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridmap.errors import InvalidValueError
from gridmap.evidence.content import Format, active_content
from gridmap.evidence.derived import Derived, Limits

__all__ = ["main"]


def _confine(memory: int, seconds: int, size: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, size),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (most, most))


def _derive(source: Path, kind: Format, folder: Path, limits: Limits) -> Derived:
    if kind.is_video:
        from gridmap.evidence.videos import derive_video  # noqa: PLC0415 - photos need none of it

        return derive_video(source, kind, folder, limits)
    from gridmap.evidence.images import derive_photo  # noqa: PLC0415 - as above

    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        carried = active_content(content)
    if carried is not None:
        raise InvalidValueError(
            "Expected a picture and nothing else; found one that is {found} as well.", carried=carried
        )
    return derive_photo(source, kind, folder, limits)


def main(arguments: list[str]) -> None:
    """Decode one file."""
    file, kind, folder, given = arguments
    asked: dict[str, Any] = json.loads(given)
    _confine(**asked.pop("confine"))
    try:
        answer = asdict(_derive(Path(file), Format(kind), Path(folder), Limits(**asked)))
    except InvalidValueError as error:
        answer = {"refused": error.message, "params": error.params}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
