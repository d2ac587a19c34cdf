"""What marshmallow says about a field, in both languages."""

import re
from collections.abc import Mapping, Sequence

from evcs.contracts.reasons import Sentence
from webapi.http.problems import FieldError

_SAID: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), zh)
    for pattern, zh in (
        (r"Missing data for required field\.", "缺少必填项。"),
        (r"Unknown field\.", "未知字段。"),
        (r"Field may not be null\.", "不能为空。"),
        (r"Invalid JSON body\.", "不是有效的 JSON。"),
        (r"Invalid input type\.", "类型不符。"),
        (r"Not a valid integer\.", "须为整数。"),
        (r"Not a valid number\.", "须为数字。"),
        (r"Not a valid string\.", "须为文本。"),
        (r"Not a valid datetime\.", "须为带时区的时间（RFC 3339）。"),
        (r"Not a valid boolean\.", "须为 true 或 false。"),
        (r"Number too large\.", "数字过大。"),
        (r"Must be one of: (.+)\.", r"只能是：\1。"),
        (
            r"Must be greater than (.+) and less than or equal to (.+)\.",
            r"须大于 \1 且不大于 \2。",
        ),
        (
            r"Must be greater than or equal to (.+) and less than or equal to (.+)\.",
            r"须在 \1 与 \2 之间。",
        ),
        (r"Must be greater than or equal to (.+?)\.?", r"不能小于 \1。"),
        (r"Must be greater than (.+?)\.?", r"必须大于 \1。"),
        (r"Must be less than or equal to (.+?)\.?", r"不能大于 \1。"),
        (r"Length must be between (\d+) and (\d+)\.", r"长度须为 \1–\2。"),
        (r"Longer than maximum length (\d+)\.", r"最长 \1 个字符。"),
        (r"Shorter than minimum length (\d+)\.", r"至少 \1 个字符。"),
        (r"String does not match expected pattern\.", "格式不符。"),
        (r"Contains characters that are not text\.", "含有非文本字符。"),
        (r"Has more than (\d+) decimals\.", r"最多 \1 位小数。"),
        (r"Only visible ASCII characters\.", "只能是可见的 ASCII 字符。"),
        (r"Length must be (\d+)\.", r"须恰有 \1 项。"),
        (r"Between (\d+) and (\d+) cards are needed\.", r"须给出 \1–\2 张卡。"),
        (r"A card is named twice\.", "有卡重复。"),
        (r"Card (\d+) may not charge offline\.", r"卡 \1 未绑定、已停用或不允许离线充电。"),
        (r"Each band that is used needs exactly one price\.", "每个使用的费率须恰有一个价格。"),
        (r"Either piles or a station must be given\.", "须给出 piles 或 station 之一。"),
        (r"Nothing is set\.", "至少给出一项设置。"),
        (r"Special numeric values \(nan or infinity\) are not permitted\.", "须为有限的数字。"),
        (r"Exactly one of kw and pct must be given\.", "kw 与 pct 须且只须给出一个。"),
        (r"A gun is named twice\.", "有枪重复。"),
        (r"Must be in the future\.", "须为将来的时间。"),
        (r"Must be below (.+)\.", r"须小于 \1。"),
        (r"Must not be above (.+)\.", r"不能大于 \1。"),
        (r"Must be at least (.+)\.", r"不能小于 \1。"),
        (r"Must be a feeder of the same transformer\.", "须为同一变压器的馈线。"),
        (r"Must not lie behind itself\.", "馈线不能位于自己的下级。"),
        (r"Must be confirmed with true\.", "须以 true 确认。"),
        (r"Not a cursor of this list\.", "不是本列表的游标。"),
        (r"Must be another gun of the pile\.", "须为同一桩的另一把枪。"),
        (r"Exactly the value of its kind must be given: (.+)\.", r"须且只须给出与 kind 对应的值：\1。"),
    )
)


def told(message: str) -> Sentence:
    """A message with its Chinese; one that the table does not know stays as it is."""
    for pattern, zh in _SAID:
        found = pattern.fullmatch(message)
        if found:
            return Sentence(found.expand(zh), message)
    return Sentence(message, message)


def field_errors(messages: object, path: str = "") -> tuple[FieldError, ...]:
    """Flatten marshmallow's nested messages; its first level, the location (json, query), is left out."""
    if isinstance(messages, Mapping):
        found: list[FieldError] = []
        for name, inner in messages.items():
            below = path if name in ("_schema", "json", "query") and not path else f"{path}.{name}".lstrip(".")
            if name == "_schema":
                below = path
            found += field_errors(inner, below)
        return tuple(found)
    if isinstance(messages, Sequence) and not isinstance(messages, str):
        return tuple(error for inner in messages for error in field_errors(inner, path))
    return (FieldError(path, told(str(messages))),)
