"""Names of places and people that sound right and mean nobody.

Given names have two characters from lists that contain none of the characters of well-known people's names.
Telephone numbers start with 1400 and have eleven digits: the range 140 to 144 is set aside for thirteen-digit
numbers of machines, so that an eleven-digit one of it can reach nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = [
    "CITY",
    "DISTRICT",
    "DISTRICT_CODE",
    "PHONE_PREFIX",
    "alley_names",
    "person_names",
    "phones",
    "place_names",
]

CITY = "澜州市"
DISTRICT = "云栖区"
DISTRICT_CODE = "990102"
"""No province has the number 99."""
PHONE_PREFIX = "1400"

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓"
    "冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟"
)
_FIRST = "雨思佳梓晓静雅诗若可语欣宜书亦芷念初秋向沐晨浩宇子逸景承启睿彦知言允修"
_SECOND = "桐妍怡菲琪萱彤蕊岚晴悦瑶禾溪月宁然澄川远航哲凡舟辰泽朗轩衡屿野诚岩松"

_HEADS = (
    "云澜栖锦青碧兰梅竹朝星霞鹤鹿枫荷橘柳桂棠翠银金玉石沙白丹紫苍清静宁和安乐福永新同广嘉文书墨琴晴露霁望知晓采听"
    "思怀景瑞祥泰康盛兴华秀丽芳香雪松柏榆枣桃李莲菱芦苇鹭燕莺虹月晨曙春夏秋彩双三九百千万长远平顺仁义礼信德崇"
)
_TAILS = (
    "溪山湖林泉桥亭台湾洲汀岭屏阳园浦塘井坊源荫庭苑川岸屿港陂垣渡"
    "畈圩原冈峰谷坪堤桑杏城门河江田村楼阁轩墅塔岩崖滩渚沟坡驿关"
)
_ALLEYS = tuple(
    "槐树井儿豆腐铁匠染坊磨盘戏台石板柳叶油坊灯笼米行酱园竹篾打铜绣花糖坊伞铺书院钟鼓"[at : at + 2]
    for at in range(0, 40, 2)
) + tuple(
    "茶亭花厅马头半月水门藕塘箍桶皮匠秤钩麻线银杏牌楼当铺窑湾老醋草市双井九曲扁担纸坊"[at : at + 2]
    for at in range(0, 40, 2)
)
_SIDES = ("", "大", "小", "东", "西", "南", "北", "前", "后", "上", "下", "老")


def place_names(random: Generator, count: int) -> list[str]:
    """Two-character names (云溪, 锦湖 …), about eight thousand; when they run out a side follows (锦湖东)."""
    pairs = [head + tail for head in _HEADS for tail in _TAILS if head != tail]
    names: list[str] = []
    for side in ("", "东", "西", "南", "北", "新", "前", "后", "里", "外"):
        if len(names) >= count:
            break
        names += [str(name) + side for name in random.permutation(pairs)]
    return names[:count]


def alley_names(random: Generator, count: int) -> list[str]:
    """Names of alleys (槐树巷, 小染坊弄 …), each once for about two thousand, then numbered."""
    kinds = ("巷", "巷", "弄", "里")
    pool = [side + name + kind for side in _SIDES for name in _ALLEYS for kind in dict.fromkeys(kinds)]
    # Most people live in a plain 巷; numbered ones follow as a town fills up.
    order = [str(name) for name in random.permutation(pool)]
    rounds = -(-count // len(order))
    numbers = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十")
    named = [
        name[:-1] + (numbers[turn] if turn < len(numbers) else str(turn)) + name[-1]
        for turn in range(rounds)
        for name in order
    ]
    return named[:count]


def person_names(random: Generator, count: int) -> NDArray[np.object_]:
    """Made-up names, shape (count,); frequent surnames come more often."""
    weights = 1 / (np.arange(len(_SURNAMES)) + 6)
    surnames = random.choice(np.array(list(_SURNAMES), dtype=object), count, p=weights / weights.sum())
    first = random.choice(np.array(list(_FIRST), dtype=object), count)
    second = random.choice(np.array(list(_SECOND), dtype=object), count)
    return np.asarray(surnames + first + second, dtype=object)


def phones(random: Generator, count: int) -> NDArray[np.object_]:
    """Telephone numbers that reach nobody, shape (count,), each once."""
    numbers = random.choice(10_000_000, count, replace=False)
    return np.array([f"{PHONE_PREFIX}{number:07d}" for number in numbers], dtype=object)
