"""Choices of a day on the disk: what one server process has tried, the others need not try again."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
import uuid
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from gridmap.forecast.candidates import Learned, Way
from gridmap.forecast.choosing import Choice
from gridmap.forecast.judging import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from gridmap.jobs import Progress

__all__ = ["Choices"]

_PAUSE_S = 0.05


class Choices:
    """What was chosen today, by question; safe with many threads and processes.

    Parameters
    ----------
    folder
        Where the choices lie; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, day: date, question: Any) -> Choice | None:
        """Return what was chosen on a day for a question; None if nothing was."""
        try:
            told = json.loads(self._file(day, question).read_text())
            return _choice(told)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, day: date, question: Any, choice: Choice) -> None:
        """Keep a choice; those of other days go."""
        file = self._file(day, question)
        draft = file.with_suffix(f".{uuid.uuid4().hex}")
        draft.write_text(json.dumps(_told(choice)))
        draft.replace(file)
        for other in self._folder.iterdir():
            if not other.name.startswith(f"{day}-"):
                other.unlink(missing_ok=True)

    @contextmanager
    def alone(self, day: date, question: Any, progress: Progress) -> Iterator[None]:
        """One at a time tries the ways for one question; whoever waits reports progress, which may raise."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._file(day, question).with_suffix(".lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    progress(0, 1)
                    time.sleep(_PAUSE_S)
            yield

    def _file(self, day: date, question: Any) -> Path:
        text = json.dumps(_plain(question), sort_keys=True)
        return self._folder / f"{day}-{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


def _plain(value: Any) -> Any:
    """A value as JSON says it, the same in every process: sets are sorted."""
    if hasattr(value, "__dataclass_fields__"):
        return [type(value).__name__, *(_plain(getattr(value, name)) for name in value.__dataclass_fields__)]
    if isinstance(value, (set, frozenset)):
        return ["set", *sorted((_plain(one) for one in value), key=json.dumps)]
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _told(choice: Choice) -> dict[str, Any]:
    return {
        "way": choice.way,
        "marks": [
            [way, share, mark.area, mark.hit_rate]
            for way, by_share in choice.marks.items()
            for share, mark in by_share.items()
        ],
        "tests": choice.tests,
        "found": choice.found,
        "learned": choice.learned
        and {name: np.asarray(value).tolist() for name, value in asdict(choice.learned).items()},
    }


def _choice(told: dict[str, Any]) -> Choice:
    marks: dict[Way, dict[float, Mark]] = {}
    for way, share, area, hit_rate in told["marks"]:
        marks.setdefault(Way(way), {})[share] = Mark(area, hit_rate)
    model = told["learned"]
    learned = None
    if model is not None:
        mean, scale, weight = (np.array(model[name], dtype=float) for name in ("mean", "scale", "weight"))
        learned = Learned(mean, scale, weight, float(model["level"]))
    return Choice(Way(told["way"]), marks, told["tests"], told["found"], learned)
