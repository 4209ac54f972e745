"""The list of web assets: complete, copied as written, with the licences."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest
from strict import missing

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "web/static/vendor"


def _load():
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts/vendor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vendor = _load()


@pytest.fixture
def fetched() -> Path:
    if not vendor.current(RUNTIME):
        missing("The web assets are not fetched; run scripts/setup.")
    return RUNTIME


@pytest.fixture
def modules(tmp_path) -> Path:
    folder = tmp_path / "node_modules"
    for name, licence in {"alpha": "MIT", "@scope/beta": "BSD-3-Clause"}.items():
        (folder / name / "dist/images").mkdir(parents=True)
        (folder / name / "package.json").write_text(json.dumps({"license": licence, "author": "Ann"}))
        (folder / name / "dist/main.js").write_text(name)
        (folder / name / "dist/images/a.png").write_bytes(b"png")
    (folder / "alpha/LICENSE.txt").write_text("Permission is hereby granted")
    return folder


def test_every_package_is_listed_and_every_listed_one_is_a_package():
    packages = json.loads((ROOT / "package.json").read_text())
    listed = tomllib.loads((ROOT / "scripts/vendor.toml").read_text())
    assert set(listed) == set(packages["dependencies"]) | set(packages["devDependencies"])


def test_files_keep_their_folders_below_the_stated_one(modules, tmp_path):
    listed = {
        "alpha": {"files": ["dist/main.js"]},
        "@scope/beta": {"from": "dist", "files": ["main.js", "images/*.png"]},
    }
    vendor.copy_files(modules, tmp_path / "out", listed)
    copied = {
        str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*") if file.is_file()
    }
    assert copied == {"alpha/dist/main.js", "beta/main.js", "beta/images/a.png"}
    assert (tmp_path / "out/beta/main.js").read_text() == "@scope/beta"


def test_a_pattern_without_a_file_is_an_error(modules, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected gone\.js in the package alpha"):
        vendor.copy_files(modules, tmp_path, {"alpha": {"files": ["gone.js"]}})


def test_licences_name_every_package_of_their_kind(modules):
    locked = {
        "": {"version": "0"},
        "node_modules/alpha": {"version": "1.2"},
        "node_modules/@scope/beta": {"version": "3", "dev": True},
    }
    assert vendor.licences(modules, locked) == "alpha 1.2\nLicence: MIT\n\nPermission is hereby granted\n"
    text = vendor.licences(modules, locked, development=True)
    assert text.startswith("@scope/beta 3\nLicence: BSD-3-Clause\n\nCopyright Ann\n\nRedistribution and use")


def test_a_package_without_a_licence_is_an_error(modules):
    (modules / "alpha/LICENSE.txt").unlink()
    with pytest.raises(FileNotFoundError, match="Expected a licence file in the package alpha"):
        vendor.licences(modules, {"node_modules/alpha": {"version": "1.2"}})


def test_what_was_fetched_goes_stale_with_its_list(tmp_path):
    for name in vendor.INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    folder = tmp_path / vendor.RUNTIME
    folder.mkdir(parents=True)
    assert not vendor.current(folder, tmp_path)
    (folder / ".stamp").write_text(vendor._fingerprint(tmp_path))
    assert vendor.current(folder, tmp_path)
    (tmp_path / "scripts/vendor.toml").write_text("")
    assert not vendor.current(folder, tmp_path)


def test_style_sheets_find_their_pictures_and_fonts(fetched):
    sheets = list(fetched.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        for link in re.findall(r"url\(['\"]?([^'\")]+)", sheet.read_text()):
            assert link.startswith(("data:", "#")) or (sheet.parent / link.partition("?")[0]).is_file(), (
                sheet,
                link,
            )


def test_the_licence_list_stands_beside_the_assets(fetched):
    text = (fetched / "LICENSES.txt").read_text()
    for name, version in json.loads((ROOT / "package.json").read_text())["dependencies"].items():
        assert f"{name} {version}\nLicence: " in text
    assert "axe-core" not in text
