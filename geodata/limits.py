"""How much of a stranger's file is read before it is turned away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from geodata.errors import FormatError

if TYPE_CHECKING:
    import zipfile
    from pathlib import Path

__all__ = ["Limits"]


class SupportsRead(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Read at most `size` bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for reading a table.

    Parameters
    ----------
    rows
        Most rows of data.
    size
        Largest file in bytes, packed or unpacked.
    """

    rows: int = 5_000_000
    size: int = 4_000_000_000

    def read(self, path: Path) -> bytes:
        """Read a whole file."""
        with path.open("rb") as stream:
            return self.read_stream(stream, path)

    def read_stream(self, stream: SupportsRead, path: Path) -> bytes:
        """Read a whole stream that unpacks `path`."""
        data = stream.read(self.size + 1)
        self.check_size(len(data), path)
        return data

    def check_size(self, size: int, path: Path) -> None:
        """Refuse `path` if what it holds is too large."""
        if size > self.size:
            raise FormatError(
                "Expected at most {limit} bytes in {path}; found more.", limit=self.size, path=path.name
            )

    def check_unpacked(self, archive: zipfile.ZipFile, path: Path) -> None:
        """Refuse an archive that states more than the limit, before it is unpacked."""
        self.check_size(sum(member.file_size for member in archive.infolist()), path)

    def check_rows(self, count: int, path: Path) -> None:
        """Refuse `path` if it has too many rows."""
        if count > self.rows:
            raise FormatError(
                "Expected at most {limit} rows in {path}; found more.", limit=self.rows, path=path.name
            )
