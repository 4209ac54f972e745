"""What goes wrong in a district, where, at which hours, and in which words it is written down."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridmap.problems.models import Source

__all__ = ["HABITS", "Habit"]

Window = tuple[float, float, float]
"""From hour, to hour (above 24: after midnight), weight."""

_EVERY_DAY = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
_WORKDAYS = (1.0, 1.0, 1.0, 1.0, 0.95, 0.0, 0.0)
_FEWER_AT_WEEKENDS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.55, 0.45)
_MORE_AT_WEEKENDS = (1.0, 0.95, 1.0, 1.05, 1.35, 1.7, 1.5)
_BY_PATROL = {
    Source.PATROL: 6,
    Source.RESIDENT: 1,
    Source.HOTLINE: 1,
    Source.ASSESSOR: 0.3,
    Source.DEPARTMENT: 0.4,
}
_BY_RESIDENTS = {Source.PATROL: 3, Source.RESIDENT: 3, Source.HOTLINE: 3, Source.DEPARTMENT: 0.4}
_BY_CAMERA = {Source.CAMERA: 5, Source.PATROL: 3, Source.HOTLINE: 1, Source.RESIDENT: 0.6}


@dataclass(frozen=True, slots=True)
class Habit:
    """One kind of trouble with its rhythm.

    Parameters
    ----------
    code
        Category in ``gridmap/problems/categories.csv``.
    share
        Part of all problems, before shares are made to add up.
    where
        Name of a weight of `gridmap.demo.spots`.
    hours
        When it is found on a day.
    week
        Factor for Monday to Sunday.
    rain
        Factor on a rainy day.
    sources
        Who finds it, with weights.
    lasting
        How much it tends to stay unresolved; 0 ordinary.
    days
        Usual days until it is closed.
    words
        Templates; ``{n}`` is a number in `count`, ``{what}`` one of `things`.
    count, things
        See `words`.
    """

    code: str
    share: float
    where: str
    hours: tuple[Window, ...]
    words: tuple[str, ...]
    things: tuple[str, ...] = ("",)
    count: tuple[int, int] = (2, 6)
    week: tuple[float, ...] = _EVERY_DAY
    rain: float = 0.75
    sources: dict[Source, float] = field(default_factory=lambda: dict(_BY_PATROL))
    lasting: float = 0.0
    days: float = 0.3

    def sentences(self) -> list[str]:
        """Every sentence the templates make, each once."""
        numbers = range(self.count[0], self.count[1] + 1)
        return list(
            dict.fromkeys(
                words.format(n=number, what=thing)
                for words in self.words
                for number in numbers
                for thing in self.things
            )
        )


_WORKING_DAY: tuple[Window, ...] = ((8.0, 9.0, 0.6), (9.0, 11.7, 3.0), (11.7, 14.0, 0.8), (14.0, 17.8, 3.2))

HABITS: dict[str, Habit] = {
    "night_stalls": Habit(
        "0401",
        0.11,
        "night",
        ((19.0, 20.0, 2.0), (20.0, 22.0, 5.0), (22.0, 23.0, 1.5)),
        (
            "夜市摊位越线摆放{what}，占用人行道{n}处",
            "{n}个夜市摊点将{what}摆上车行道，行人绕行",
            "夜间{n}家商户店外经营，{what}占满盲道",
        ),
        ("桌椅", "货架", "灯箱和货筐", "遮阳伞", "服装挂架", "儿童游乐设施"),
        week=_MORE_AT_WEEKENDS,
        rain=0.25,
    ),
    "night_barbecue": Habit(
        "0403",
        0.05,
        "night",
        ((19.5, 21.0, 2.0), (21.0, 23.0, 4.0)),
        (
            "露天烧烤摊{n}个，油烟直排，{what}",
            "烧烤店将烤炉摆在店外，{what}",
            "流动烧烤车{n}辆聚集，{what}",
        ),
        ("地面油污明显", "居民反映油烟扰民", "占用机动车道", "签子和餐盒散落一地"),
        (1, 4),
        week=_MORE_AT_WEEKENDS,
        rain=0.2,
        sources=_BY_RESIDENTS,
    ),
    "school_parking": Habit(
        "0404",
        0.11,
        "school",
        ((7.33, 8.17, 5.0), (16.5, 17.5, 5.0)),
        (
            "上下学时段校门前{n}辆{what}违停，造成拥堵",
            "接送学生的{what}占用非机动车道，约{n}辆",
            "校门两侧{what}双排停放，{n}辆占压斑马线",
        ),
        ("私家车", "电动三轮车", "小型面包车", "家长车辆"),
        (3, 15),
        week=_WORKDAYS,
        rain=1.5,
        sources=_BY_CAMERA,
    ),
    "parking": Habit(
        "0404",
        0.12,
        "shops",
        ((7.5, 9.5, 2.0), (9.5, 17.0, 4.0), (17.0, 21.0, 3.5)),
        (
            "{n}辆{what}停放在人行道上",
            "{what}占用消防通道停放，共{n}辆",
            "路口转角处{n}辆{what}违停，遮挡视线",
            "{what}压盲道停放{n}辆",
        ),
        ("小汽车", "轻型货车", "面包车", "外卖电动车"),
        (1, 8),
        rain=1.0,
        sources=_BY_CAMERA,
    ),
    "bicycles": Habit(
        "0405",
        0.06,
        "transport",
        ((7.0, 9.5, 4.0), (9.5, 17.0, 3.0), (17.0, 20.0, 4.0)),
        ("{what}乱停放{n}辆，占用人行道", "出入口处{what}堆积约{n}辆，无人整理", "{what}倒伏{n}辆"),
        ("共享单车", "电动自行车", "自行车"),
        (5, 40),
        rain=0.7,
    ),
    "hawkers": Habit(
        "0402",
        0.1,
        "market",
        ((5.8, 7.0, 3.0), (7.0, 9.5, 6.0), (16.5, 18.5, 2.0)),
        (
            "市场外{n}名流动商贩摆卖{what}",
            "{what}摊贩{n}处占用市场出入口",
            "早市时段{what}占道摆卖，{n}处，交通受阻",
        ),
        ("蔬菜", "水果", "活禽", "早点", "干货", "鲜花"),
        week=(1.0, 0.95, 1.0, 1.0, 1.05, 1.45, 1.5),
        rain=0.45,
    ),
    "shops_outside": Habit(
        "0401",
        0.09,
        "shops",
        _WORKING_DAY,
        (
            "沿街商铺店外经营，{what}占用人行道",
            "{n}家店铺将{what}摆出门外",
            "店主把{what}摆在盲道上，已口头劝导{n}次",
        ),
        ("货品", "桌椅", "电动车维修工具", "洗车设备", "五金材料", "水果筐"),
        week=_FEWER_AT_WEEKENDS,
    ),
    "corner_rubbish": Habit(
        "0102",
        0.12,
        "corner",
        ((5.5, 8.0, 4.0), (8.0, 17.0, 2.0), (20.0, 23.5, 4.0)),
        (
            "老点位再次出现{what}，约{n}袋",
            "转角处{what}堆放，{n}平方米左右，有异味",
            "垃圾桶满溢，周边散落{what}",
            "清理后又有人倾倒{what}，本月第{n}次",
        ),
        ("生活垃圾", "厨余垃圾", "废旧家具", "装修垃圾", "泡沫箱和菜叶"),
        (2, 5),
        rain=0.9,
        sources=_BY_RESIDENTS,
    ),
    "litter": Habit(
        "0101",
        0.06,
        "any",
        _WORKING_DAY,
        ("路面有{what}，约{n}处", "绿化带内有{what}{n}处", "{what}散落，保洁不及时"),
        ("烟头纸屑", "塑料袋", "饮料瓶", "宠物粪便", "落叶和杂物"),
        (2, 9),
        week=_FEWER_AT_WEEKENDS,
    ),
    "piles": Habit(
        "0104",
        0.07,
        "lanes",
        _WORKING_DAY,
        ("{what}堆放在人行道上，{n}平方米左右", "巷内堆放{what}，影响通行", "{n}处{what}长期占道堆放"),
        ("纸箱杂物", "木板", "沙石水泥", "废旧沙发", "花盆", "空调外机"),
        week=_FEWER_AT_WEEKENDS,
        lasting=0.5,
        days=1.0,
    ),
    "signs": Habit(
        "0202",
        0.06,
        "shops",
        ((9.0, 12.0, 3.0), (14.0, 18.0, 3.0), (18.0, 20.5, 1.5)),
        ("商铺门前摆放{what}{n}块", "{what}占用盲道，共{n}块", "人行道上有{what}{n}块，影响通行"),
        ("移动广告牌", "落地灯箱", "促销展架", "充气拱门"),
        (1, 4),
        rain=0.5,
    ),
    "adverts": Habit(
        "0201",
        0.07,
        "lanes",
        _WORKING_DAY,
        ("{what}上有小广告{n}处", "{what}被张贴“牛皮癣”{n}张", "{what}喷涂电话号码，共{n}处"),
        ("电线杆", "围墙", "楼道口", "公交站牌", "配电箱", "卷帘门"),
        (3, 20),
        week=_FEWER_AT_WEEKENDS,
        days=1.0,
    ),
    "structures": Habit(
        "0502",
        0.035,
        "old",
        ((9.0, 11.7, 3.0), (14.0, 17.5, 3.0)),
        ("住户{what}，面积约{n}平方米", "{what}，未见审批手续", "邻居反映有人{what}，约{n}平方米"),
        ("在屋顶搭建彩钢棚", "私搭雨棚", "在院内加建砖房", "占用公共通道砌水池", "封闭连廊", "搭建鸽棚"),
        (4, 30),
        week=_FEWER_AT_WEEKENDS,
        sources=_BY_RESIDENTS,
        lasting=2.4,
        days=12.0,
    ),
    "stairwells": Habit(
        "0106",
        0.05,
        "estate",
        ((9.0, 11.7, 3.0), (14.0, 17.5, 3.0), (19.0, 20.5, 1.0)),
        ("{n}单元楼道堆放{what}", "楼梯间堆放{what}，占用消防通道", "{n}楼平台有{what}，住户未清理"),
        ("旧家具", "纸箱", "自行车", "鞋柜", "腌菜坛", "电动车（正在充电）"),
        (1, 6),
        rain=1.0,
        lasting=0.6,
        days=2.0,
    ),
    "facilities": Habit(
        "0601",
        0.04,
        "any",
        _WORKING_DAY,
        ("{what}，存在绊倒风险", "{what}，共{n}处", "居民反映{what}，已设临时警示"),
        ("路面砖缺失", "护栏损坏", "公共座椅损坏", "健身器材松动", "路沿石破损", "无障碍坡道损坏"),
        (1, 4),
        rain=1.2,
        sources=_BY_RESIDENTS,
        lasting=1.4,
        days=4.0,
    ),
    "lamps": Habit(
        "0602",
        0.012,
        "lanes",
        ((18.5, 21.0, 3.0), (8.5, 11.0, 1.0)),
        ("{n}盏路灯不亮", "路灯忽明忽暗，巷内较黑", "{n}盏路灯白天长亮"),
        count=(1, 5),
        rain=1.2,
        sources=_BY_RESIDENTS,
        lasting=1.2,
        days=2.5,
    ),
    "drains": Habit(
        "0603",
        0.018,
        "any",
        _WORKING_DAY,
        ("{what}", "{what}，车辆避让困难", "{what}，已放警示锥桶{n}个"),
        ("井盖松动异响", "井盖缺失", "雨水口堵塞积水", "污水外溢", "雨水箅子断裂"),
        (1, 3),
        rain=4.0,
        sources=_BY_RESIDENTS,
        lasting=0.3,
        days=0.5,
    ),
    "wiring": Habit(
        "0701",
        0.015,
        "old",
        ((8.5, 11.7, 3.0), (14.0, 18.0, 3.0), (19.0, 21.0, 1.0)),
        ("{what}，需尽快处置", "发现{what}{n}处", "{what}，附近居民较多"),
        ("电线私拉乱接", "飞线充电", "配电箱门敞开", "树枝搭在电线上"),
        (1, 3),
        rain=1.6,
        lasting=1.0,
        days=1.0,
    ),
    "fire": Habit(
        "0702",
        0.02,
        "estate",
        _WORKING_DAY,
        ("{what}", "{what}，已通知物业整改（第{n}次）", "检查发现{what}"),
        ("消防栓被遮挡", "灭火器过期", "消防通道堆物", "电动车进楼充电", "液化气瓶违规存放"),
        (1, 3),
        week=_FEWER_AT_WEEKENDS,
        lasting=0.9,
        days=1.0,
    ),
    "queues": Habit(
        "0801",
        0.015,
        "service",
        ((9.0, 11.5, 5.0), (14.0, 16.5, 3.0)),
        ("{what}排队超过{n}分钟", "{what}排队时间长，仅开一个窗口", "{what}等候群众较多，约{n}人"),
        ("取号处", "缴费窗口", "综合业务窗口", "挂号处"),
        (16, 40),
        week=(1.4, 1.1, 1.0, 1.0, 1.0, 0.2, 0.1),
        rain=1.0,
        sources=_BY_RESIDENTS,
    ),
    "spills": Habit(
        "0105",
        0.025,
        "site",
        ((5.0, 7.0, 3.0), (21.5, 25.0, 5.0)),
        ("渣土车沿途抛洒{what}，长约{n}0米", "工地出入口{what}带泥上路", "路面有{what}，约{n}0平方米"),
        ("泥土", "砂石", "混凝土", "建筑垃圾"),
        (2, 9),
        week=_FEWER_AT_WEEKENDS,
        rain=1.3,
        sources=_BY_CAMERA,
    ),
    "site_noise": Habit(
        "0301",
        0.015,
        "site",
        ((6.0, 7.0, 1.5), (12.0, 14.0, 1.5), (22.0, 25.5, 6.0)),
        ("居民投诉工地{what}", "工地{what}，已第{n}次反映"),
        ("夜间施工噪声扰民", "早晨打桩施工", "午休时段切割作业"),
        (2, 4),
        week=_FEWER_AT_WEEKENDS,
        rain=0.4,
        sources=_BY_RESIDENTS,
        lasting=0.5,
        days=0.5,
    ),
    "untidy_sites": Habit(
        "0302",
        0.02,
        "site",
        _WORKING_DAY,
        ("工地{what}", "巡查发现工地{what}，已要求整改（第{n}次）"),
        ("裸土未覆盖", "围挡破损", "喷淋未开启，扬尘明显", "出入口未冲洗", "围挡外堆放材料"),
        (1, 3),
        week=_FEWER_AT_WEEKENDS,
        rain=0.5,
        lasting=0.8,
        days=2.0,
    ),
    "dumping": Habit(
        "0103",
        0.025,
        "fringe",
        ((0.0, 5.0, 4.0), (21.0, 24.0, 4.0), (9.0, 17.0, 1.0)),
        ("空地被偷倒{what}约{n}立方米", "路边发现偷倒的{what}，{n}车左右", "绿化带内有偷倒{what}"),
        ("渣土", "装修垃圾", "工业边角料", "建筑废料"),
        (1, 8),
        sources=_BY_CAMERA,
        lasting=1.2,
        days=2.5,
    ),
}
"""By a name for tests and tuning."""
