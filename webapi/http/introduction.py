"""What an integrator reads first in the document: how to sign in, what figures mean, how to repeat, every code."""

from evcs.contracts.reasons import SENTENCES
from webapi.http.problems import TEXTS

_TEXT = """\
**约定 · Conventions**

- 金额为整数分（`…_fen`），电量 kWh，功率 kW，时间 RFC 3339（UTC）；时间范围左闭右开。
  Money is whole fen, energy kWh, power kW, time RFC 3339 in UTC; ranges are half-open.
- 浏览器：`POST /api/v1/sign-in` 后带 Cookie，每次修改带请求头 `X-CSRF-Token`。程序：`Authorization: Bearer …`，令牌由
  `POST /api/v1/tokens` 生成；小程序用户的令牌只能看到本人的订单与账户。
  Browsers sign in, then send the cookie, and `X-CSRF-Token` with every change. Programs send a bearer token; a
  customer's token sees the own orders and account only.
- 涉及资金或设备的操作必须带 `Idempotency-Key`：同一键、同一内容只生效一次，答复相同（`Idempotency-Replayed: true`）。
  Where money or hardware moves, `Idempotency-Key` is required: the same key and body, one effect, the same answer.
- 列表按 `limit` 分页，把 `next` 作为下一页的 `cursor`；`next` 为 null 即最后一页。
  Lists are paged: pass `next` as `cursor`; null is the last page.
- 无权查看的对象与不存在的对象答复相同（404）。 What you may not see answers like what does not exist.
- 503 带 `Retry-After`，稍后用原键重试即可。 503 carries `Retry-After`: repeat it then, with the same key.

**错误 · Errors**

错误为 `application/problem+json`（RFC 9457）：程序看 `code`（含义不变），给人看 `detail`（中文或英文，依
`Accept-Language`）；`figures` 为句中数值，`request_id` 供排查。
Errors are RFC 9457 problems: decide by `code`, show `detail`.
"""


def introduction() -> str:
    """Markdown: the conventions, then each code with its sentences."""
    problems = [(code.value, said.zh, said.en) for code, said in TEXTS.items()]
    reasons = [(reason.value, said.zh, said.en) for reason, said in SENTENCES.items()]
    return "\n".join(
        (
            _TEXT,
            *_table("全部错误代码 · All problem codes", problems),
            *_table("业务拒绝与停止原因 · Refusals and reasons (409, refusal.code, stop.reason)", reasons),
        )
    )


def _table(title: str, rows: list[tuple[str, str, str]]) -> list[str]:
    return [
        f"<details><summary>{title}</summary>",
        "",
        "| code | 中文 | English |",
        "| --- | --- | --- |",
        *(f"| `{code}` | {zh} | {en} |" for code, zh, en in rows),
        "",
        "</details>",
        "",
    ]
