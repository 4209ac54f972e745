"""The Leaflet map, made by folium, with every asset from this host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import folium
from branca.element import CssLink, JavascriptLink, MacroElement
from jinja2 import Template
from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HostedMap", "MissingAssetError", "hosted_map"]

VENDOR: Mapping[str, str] = {
    "leaflet.js": "vendor/leaflet/leaflet.js",
    "leaflet.css": "vendor/leaflet/leaflet.css",
}
"""File name of what folium links to -> our copy under ``static/``."""


class MissingAssetError(RuntimeError):
    """folium asks for a script or style of which there is no copy here: a fault of the program."""


class _Map(folium.Map):
    # Of folium's default links only Leaflet itself is used; the others would be fetched for nothing.
    default_js = [("leaflet", "leaflet.js")]  # noqa: RUF012 - as the base class has it
    default_css = [("leaflet_css", "leaflet.css")]  # noqa: RUF012 - as the base class has it


class _HandOver(MacroElement):
    """Leave the map where the page's modules find it."""

    _template = Template(
        "{% macro script(this, kwargs) %}window.gridmapHost = {{ this._parent.get_name() }};{% endmacro %}"
    )


@dataclass(frozen=True, slots=True)
class HostedMap:
    """What folium made, for a template of ours.

    Attributes
    ----------
    scripts, styles
        Paths under ``static/``, in the order in which they must load.
    html
        The map's element.
    script
        The statements that make the map.
    """

    scripts: tuple[str, ...]
    styles: tuple[str, ...]
    html: str
    script: str


def hosted_map(
    *, location: tuple[float, float], zoom: int, label: str, extra: tuple[MacroElement, ...] = ()
) -> HostedMap:
    """Make the map and take it apart.

    folium's own header is left behind: its viewport forbids zooming, and its links lead to other hosts.

    Parameters
    ----------
    location
        Latitude and longitude of the centre, EPSG:4326, degrees.
    zoom
        Zoom level.
    label
        Accessible name of the map.
    extra
        folium elements to add to the map.

    Raises
    ------
    MissingAssetError
        If one of them links to a file that is not kept here.
    """
    made = _Map(
        location=location,
        zoom_start=zoom,
        tiles=None,
        zoom_control=False,
        max_zoom=20,
        min_zoom=3,
        attribution_control=False,
    )
    for element in (*extra, _HandOver()):  # type: ignore[no-untyped-call]
        made.add_child(element)
    figure: Any = made.get_root()
    figure.render()
    scripts: list[str] = []
    styles: list[str] = []
    for child in figure.header._children.values():  # noqa: SLF001 - folium offers no other way
        if isinstance(child, JavascriptLink | CssLink):
            (scripts if isinstance(child, JavascriptLink) else styles).append(_local(child.url))
    html = figure.html.render().replace(
        'class="folium-map"', f'class="folium-map" role="application" aria-label="{escape(label)}"'
    )
    return HostedMap(tuple(scripts), tuple(styles), html.strip(), figure.script.render().strip())


def _local(url: str) -> str:
    name = url.rsplit("/", 1)[-1]
    if name not in VENDOR:
        message = f"folium asks for {url}, of which there is no copy under web/static/vendor"
        raise MissingAssetError(message)
    return VENDOR[name]
