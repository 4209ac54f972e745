"""What is looked at on a place before the assessors come, by its type."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from gridmap.language import N_, gettext
from gridmap.places.sites import SiteType

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["checklist"]

_EVERYWHERE = (
    N_("Ground clean, no litter or cigarette ends, bins not overflowing"),
    N_("No stuck-on adverts, no banners hung at will, no worn posters"),
    N_("Public-service notices in place, clean and not faded"),
    N_("Cars and bicycles within the lines, the fire lane free"),
)
_MORE: Mapping[SiteType, tuple[str, ...]] = MappingProxyType(
    {
        SiteType.MARKET: (
            N_("Stalls within their lines, passages free, floor dry"),
            N_("Licences and prices shown, scales checked"),
            N_("Cooked food covered, staff with masks and health certificates"),
            N_("Live poultry apart, waste water led away"),
        ),
        SiteType.ESTATE: (
            N_("Stairwells free of clutter, no cables for charging from windows"),
            N_("No sheds, pools or awnings built without permission"),
            N_("Doors, lamps and drains in order"),
            N_("Rubbish sorted, the collection point tidy"),
        ),
        SiteType.BACK_STREET: (
            N_("No trade on the road, no piles before the doors"),
            N_("Road surface and manhole covers whole, lamps lit"),
            N_("Walls and wires tidy"),
        ),
        SiteType.MAIN_ROAD: (
            N_("At least one public-service notice on every 200 m"),
            N_("No trade on the road, shopfronts keep their three responsibilities"),
            N_("Crossings, tactile paving and signs in order"),
        ),
        SiteType.SCHOOL: (
            N_("No stalls at the gate, traffic guided when school begins and ends"),
            N_("Guards on patrol, safety equipment at the gate"),
        ),
        SiteType.HOSPITAL: (
            N_("Queues of no more than 15 minutes, no more than 4 people in a room"),
            N_("Warnings of danger and slippery floors in place"),
            N_("No smoking, signs in place and heeded"),
        ),
        SiteType.PUBLIC_SERVICE: (
            N_("Queues of no more than 15 minutes, staff polite and with badges"),
            N_("Guidance, water, seats and access for the disabled in place"),
            N_("Complaints box and hotline shown"),
        ),
        SiteType.PARK: (
            N_("Lawns, paths and benches in order"),
            N_("Water clean, warnings at the water in place"),
            N_("Toilets clean, with paper and soap"),
        ),
        SiteType.STATION: (
            N_("Queues in order, no touting"),
            N_("Volunteers at their place, signs clear"),
        ),
    }
)
_LIKE: Mapping[SiteType, SiteType] = MappingProxyType(
    {
        SiteType.VILLAGE: SiteType.BACK_STREET,
        SiteType.SHOP_STREET: SiteType.MAIN_ROAD,
        SiteType.SUPERMARKET: SiteType.MARKET,
        SiteType.SQUARE: SiteType.PARK,
        SiteType.ATTRACTION: SiteType.PARK,
        SiteType.BANK: SiteType.PUBLIC_SERVICE,
        SiteType.POST_OFFICE: SiteType.PUBLIC_SERVICE,
        SiteType.POLICE: SiteType.PUBLIC_SERVICE,
        SiteType.BUS_STOP: SiteType.STATION,
    }
)


def checklist(site_type: str) -> list[str]:
    """Return what is looked at on a place of a type, in the language in force."""
    kind = SiteType(site_type) if site_type in set(SiteType) else SiteType.OTHER
    return [gettext(one) for one in (*_EVERYWHERE, *_MORE.get(_LIKE.get(kind, kind), ()))]
