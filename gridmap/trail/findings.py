"""What a verification can find."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gridmap.language import N_, gettext

__all__ = ["Finding", "FindingKind", "Verdict", "say"]


class FindingKind(StrEnum):
    """What is wrong."""

    ROW_CHANGED = "row_changed"
    ROW_MISSING = "row_missing"
    ROW_UNKNOWN = "row_unknown"
    ENTRY_CHANGED = "entry_changed"
    ENTRY_MISSING = "entry_missing"
    ENTRY_UNREADABLE = "entry_unreadable"
    OTHER_KEY = "other_key"
    HEAD_DIFFERS = "head_differs"
    TAIL_MISSING = "tail_missing"
    ANCHOR_DIFFERS = "anchor_differs"
    FILE_CHANGED = "file_changed"
    FILE_MISSING = "file_missing"


_SAY = {
    FindingKind.ROW_CHANGED: N_(
        "{where}: the row was changed outside the trail. Expected {expected}; found {found}."
    ),
    FindingKind.ROW_MISSING: N_(
        "{where}: the row was deleted outside the trail. Expected {expected}; found none."
    ),
    FindingKind.ROW_UNKNOWN: N_("{where}: the row came in outside the trail. Expected none; found {found}."),
    FindingKind.ENTRY_CHANGED: N_(
        "{where}: the entry or one of its lines was changed, removed or moved. Expected hash {expected}; "
        "found {found}."
    ),
    FindingKind.ENTRY_MISSING: N_(
        "{where}: the entry was removed. Expected entry {expected}; found {found}."
    ),
    FindingKind.ENTRY_UNREADABLE: N_("{where}: its rows cannot be read. Expected {expected}; found {found}."),
    FindingKind.OTHER_KEY: N_(
        "{where}: signed with another key. Expected {expected}; found {found}. Where the key was changed, "
        "give the former one with --former-key."
    ),
    FindingKind.HEAD_DIFFERS: N_("{where}: the chain ends elsewhere. Expected {expected}; found {found}."),
    FindingKind.TAIL_MISSING: N_(
        "{where}: the end of the trail was cut off, or the database was set back. Expected entry {expected}; "
        "the last one found is {found}."
    ),
    FindingKind.ANCHOR_DIFFERS: N_(
        "{where}: another entry stood here when the anchor was dropped. Expected {expected}; found {found}."
    ),
    FindingKind.FILE_CHANGED: N_(
        "{where}: the file was changed. Expected SHA-256 {expected}; found {found}."
    ),
    FindingKind.FILE_MISSING: N_("{where}: the file is missing. Expected SHA-256 {expected}; found none."),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the trail says.

    Parameters
    ----------
    kind
        What is wrong.
    where
        Which row, entry or file: ``problem 17``, ``entry 3``, ``anchor 5``.
    expected, found
        What the trail says and what is there.
    """

    kind: FindingKind
    where: str
    expected: str = ""
    found: str = ""


@dataclass(slots=True)
class Verdict:
    """What a verification saw.

    Parameters
    ----------
    entries, rows, files
        How many were checked.
    seq, hash
        The end of the chain; whoever keeps it elsewhere can tell later that nothing before it was changed.
    findings
        What is not as the trail says.
    """

    entries: int = 0
    rows: int = 0
    files: int = 0
    seq: int = 0
    hash: str = ""
    findings: list[Finding] = field(default_factory=list)

    def find(self, kind: FindingKind, where: str, expected: str = "", found: str = "") -> None:
        """Add a finding."""
        self.findings.append(Finding(kind, where, expected, found))


def say(finding: Finding) -> str:
    """One sentence about it, in the current language."""
    return gettext(_SAY[finding.kind], where=finding.where, expected=finding.expected, found=finding.found)
