"""Answers that were given lately, so that they need not be worked out again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["AnswerStore", "Body"]

_MOST_TAGS = 50_000


@dataclass(frozen=True, slots=True)
class Body:
    """What an answer holds, the version of the one thing it tells of, where it does, and its tag."""

    content: bytes
    kind: str
    version: str = ""
    tag: str = ""


class AnswerStore:
    """Answers that were given lately, by what they depend on, limited by size; safe with many threads.

    Their tags are kept for longer than what they say, those of answers that are too large to be kept as well:
    who has such an answer still is told so, without it being worked out again.
    """

    def __init__(self, most_bytes: int = 64 * 2**20) -> None:
        self._most = most_bytes
        self._size = 0
        self._kept: OrderedDict[str, Body] = OrderedDict()
        self._tags: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Body | None:
        """Return an answer if it is remembered."""
        with self._lock:
            body = self._kept.get(key)
            if body is not None:
                self._kept.move_to_end(key)
            return body

    def tag(self, key: str) -> str | None:
        """Return the tag of an answer that was given lately, whether or not the answer is remembered."""
        with self._lock:
            return self._tags.get(key)

    def put(self, key: str, body: Body) -> None:
        """Remember an answer, or only its tag if it is very large."""
        with self._lock:
            self._tags[key] = body.tag
            if len(self._tags) > _MOST_TAGS:
                self._tags.popitem(last=False)
            if len(body.content) > self._most // 8:
                return
            before = self._kept.pop(key, None)
            self._size += len(body.content) - (len(before.content) if before else 0)
            self._kept[key] = body
            while self._size > self._most:
                _, old = self._kept.popitem(last=False)
                self._size -= len(old.content)
