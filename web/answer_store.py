"""Answers that were given lately, so that they need not be worked out again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["AnswerStore", "Body"]


@dataclass(frozen=True, slots=True)
class Body:
    """What an answer holds, the version of the one thing it tells of, where it does, and its tag."""

    content: bytes
    kind: str
    version: str = ""
    tag: str = ""


class AnswerStore:
    """Answers that were given lately, by what they depend on, limited by size; safe with many threads."""

    def __init__(self, most_bytes: int = 64 * 2**20) -> None:
        self._most = most_bytes
        self._size = 0
        self._kept: OrderedDict[str, Body] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Body | None:
        """Return an answer if it is remembered."""
        with self._lock:
            body = self._kept.get(key)
            if body is not None:
                self._kept.move_to_end(key)
            return body

    def put(self, key: str, body: Body) -> None:
        """Remember an answer."""
        if len(body.content) > self._most // 8:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            self._size += len(body.content) - (len(before.content) if before else 0)
            self._kept[key] = body
            while self._size > self._most:
                _, old = self._kept.popitem(last=False)
                self._size -= len(old.content)
