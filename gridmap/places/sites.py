"""Types of places that assessors may sample, and the words people use for them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SITE_WORDS", "SiteType"]


class SiteType(StrEnum):
    """Type of an inspection point; what is read from maps uses the same words (`geodata.osm_tags`)."""

    MARKET = "market"
    SUPERMARKET = "supermarket"
    MALL = "mall"
    SHOP_STREET = "shop_street"
    MAIN_ROAD = "main_road"
    BACK_STREET = "back_street"
    ESTATE = "estate"
    VILLAGE = "village"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    PUBLIC_SERVICE = "public_service"
    POLICE = "police"
    BANK = "bank"
    POST_OFFICE = "post_office"
    STATION = "station"
    BUS_STOP = "bus_stop"
    PARK = "park"
    SQUARE = "square"
    CULTURE = "culture"
    SPORTS = "sports"
    ATTRACTION = "attraction"
    HOTEL = "hotel"
    CONSTRUCTION = "construction"
    PARKING = "parking"
    TOILET = "toilet"
    WASTE = "waste"
    OTHER = "other"


_CHINESE: Mapping[SiteType, str] = {
    SiteType.MARKET: "农贸市场 市场 菜市场 集贸市场",
    SiteType.SUPERMARKET: "超市 大型超市",
    SiteType.MALL: "商场 购物中心 商业综合体",
    SiteType.SHOP_STREET: "商业街 商业大街 沿街商铺",
    SiteType.MAIN_ROAD: "主次干道 主干道 次干道",
    SiteType.BACK_STREET: "背街小巷 小巷 里弄",
    SiteType.ESTATE: "小区 住宅小区 居民小区 社区小区",
    SiteType.VILLAGE: "城中村 城郊村 行政村",
    SiteType.SCHOOL: "学校 中小学 小学 中学 幼儿园 高校",
    SiteType.HOSPITAL: "医院 卫生服务中心 医疗机构",
    SiteType.PUBLIC_SERVICE: "政务大厅 政务服务大厅 行政服务中心 服务大厅",
    SiteType.POLICE: "派出所 公安局",
    SiteType.BANK: "银行 银行网点",
    SiteType.POST_OFFICE: "邮局 邮政网点",
    SiteType.STATION: "车站 火车站 客运站 地铁站",
    SiteType.BUS_STOP: "公交站 公交站台",
    SiteType.PARK: "公园 公共绿地",
    SiteType.SQUARE: "广场",
    SiteType.CULTURE: "文化场馆 图书馆 文化馆 博物馆 文化站",
    SiteType.SPORTS: "体育场馆 体育馆",
    SiteType.ATTRACTION: "景区 景点 旅游景区",
    SiteType.HOTEL: "宾馆 酒店 宾馆饭店",
    SiteType.CONSTRUCTION: "建筑工地 工地",
    SiteType.PARKING: "停车场",
    SiteType.TOILET: "公共厕所 公厕",
    SiteType.WASTE: "垃圾站 垃圾中转站",
    SiteType.OTHER: "其他 其它",
}

SITE_WORDS: Mapping[str, str] = {
    word: kind.value for kind, words in _CHINESE.items() for word in (kind.value, *words.split())
}
