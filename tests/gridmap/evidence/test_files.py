from __future__ import annotations

import io
import os
import time

import pytest

from gridmap.evidence.files import Vault, copy_in


def put(vault, content):
    with vault.workplace() as folder:
        (folder / "file").write_bytes(content)
        return vault.keep(folder / "file")


def test_a_file_is_found_by_its_content_and_only_its_owner_reads_it(tmp_path):
    vault = Vault(tmp_path)
    kept = put(vault, b"evidence")
    assert vault.path(kept.sha256).read_bytes() == b"evidence"
    assert put(vault, b"evidence") == kept
    assert vault.intact(kept.sha256)
    assert vault.path(kept.sha256).stat().st_mode & 0o077 == 0
    assert vault.folder.stat().st_mode & 0o077 == 0
    vault.path(kept.sha256).write_bytes(b"Evidence")
    assert not vault.intact(kept.sha256)
    assert not vault.intact("0" * 64)


def test_a_sweep_removes_what_no_row_knows_and_is_old(tmp_path):
    vault = Vault(tmp_path)
    known, orphan, young = (put(vault, text) for text in (b"known", b"orphan", b"young"))
    left = vault.incoming / "left"
    left.mkdir()
    (left / "original").write_bytes(b"half")
    long_ago = time.time() - 3 * 24 * 3600
    for path in (vault.path(known.sha256), vault.path(orphan.sha256), left):
        os.utime(path, (long_ago, long_ago))
    swept = vault.sweep({known.sha256})
    assert swept.files == 2
    assert vault.intact(known.sha256)
    assert vault.intact(young.sha256)
    assert not vault.path(orphan.sha256).exists()
    assert not left.exists()


def test_what_comes_again_is_young_again(tmp_path):
    vault = Vault(tmp_path)
    kept = put(vault, b"again")
    os.utime(vault.path(kept.sha256), (1, 1))
    put(vault, b"again")
    vault.sweep(set())
    assert vault.intact(kept.sha256)


@pytest.mark.parametrize(("size", "found"), [(0, 0), (10, 10), (11, None)])
def test_a_stream_ends_where_it_is_too_long(tmp_path, size, found):
    assert copy_in(io.BytesIO(bytes(size)), tmp_path / "file", 10) == found
