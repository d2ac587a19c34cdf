"""Everything that can be answered instead of what was asked for (RFC 9457), with its sentences in both languages."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from evcs.contracts.reasons import Sentence
from webapi.errors import ApiError
from webapi.refusals import Figure, Refusal


class Code(StrEnum):
    """A published code, beside those of `evcs.contracts.reasons.Reason`."""

    BAD_REQUEST = "bad_request"
    NOT_SIGNED_IN = "not_signed_in"
    WRONG_CREDENTIALS = "wrong_credentials"
    CSRF_TOKEN_WRONG = "csrf_token_wrong"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    BODY_TOO_LARGE = "body_too_large"
    NOT_JSON = "not_json"
    INVALID = "invalid"
    KEY_MISSING = "idempotency_key_missing"
    KEY_INVALID = "idempotency_key_invalid"
    KEY_REUSED = "idempotency_key_reused"
    KEY_IN_FLIGHT = "idempotency_key_in_flight"
    PHONE_TAKEN = "phone_taken"
    CARD_TAKEN = "card_taken"
    VEHICLE_TAKEN = "vehicle_taken"
    NOT_BOUND = "not_bound"
    RECHARGE_NEEDS_SECOND = "recharge_needs_second"
    RECHARGE_OVER_DAY = "recharge_over_day"
    RECHARGE_DECIDED = "recharge_decided"
    RECHARGE_EXPIRED = "recharge_expired"
    RECHARGE_SAME_PERSON = "recharge_same_person"
    REFUND_IN_DEBT = "refund_in_debt"
    REFUND_HOLD_OPEN = "refund_hold_open"
    REFUND_OVER_PRINCIPAL = "refund_over_principal"
    REFUND_NOT_RECHARGED = "refund_not_recharged"
    REFUND_ORDER_NOT_SETTLED = "refund_order_not_settled"
    REFUND_OVER_ORDER = "refund_over_order"
    REFUND_DECIDED = "refund_decided"
    REFUND_SAME_PERSON = "refund_same_person"
    REFUND_NOT_BY_HAND = "refund_not_by_hand"
    NO_ORPHAN = "no_orphan"
    IF_MATCH_MISSING = "if_match_missing"
    REVIEW_OVER = "review_over"
    REVIEW_NO_FIGURES = "review_no_figures"
    REVIEW_NO_PAYER = "review_no_payer"
    FEEDER_IN_USE = "feeder_in_use"
    DEGRADED_NOT_NEEDED = "degraded_not_needed"
    DEGRADED_NOT_ASKED = "degraded_not_asked"
    DEGRADED_EXPIRED = "degraded_expired"
    DEGRADED_SAME_PERSON = "degraded_same_person"
    DEGRADED_OTHER_OPERATOR = "degraded_other_operator"
    NOTHING_FAILED = "nothing_failed"
    FAULT_CODE_TAKEN = "fault_code_taken"
    FAULT_CODES_IN_USE = "fault_codes_in_use"
    PROOF_OF_ALL = "proof_of_all"
    PAYOUT_TAKEN = "payout_taken"
    MONTH_TO_COME = "month_to_come"
    EXPORTS_WAITING = "exports_waiting"
    EXPORT_NOT_READY = "export_not_ready"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    TOO_MANY_REQUESTS = "too_many_requests"
    CHANGED_MEANWHILE = "changed_meanwhile"
    DATABASE_AWAY = "database_away"
    STORE_AWAY = "store_away"
    BUSY = "busy"
    INTERNAL = "internal"


TEXTS: dict[Code, Sentence] = {
    Code.BAD_REQUEST: Sentence("请求无法理解，请检查格式。", "The request cannot be understood; check its form."),
    Code.NOT_SIGNED_IN: Sentence("请先登录。", "Please sign in first."),
    Code.WRONG_CREDENTIALS: Sentence("用户名或密码不正确。", "Username or password is wrong."),
    Code.CSRF_TOKEN_WRONG: Sentence(
        "页面已过期，请刷新后重试（请求头 X-CSRF-Token 缺失或不符）。",
        "The page is out of date: reload it (header X-CSRF-Token is missing or wrong).",
    ),
    Code.NOT_ALLOWED: Sentence(
        "您的角色没有此权限，请联系管理员。", "Your role may not do this; ask your administrator."
    ),
    Code.NOT_FOUND: Sentence("没有找到，或您无权查看。", "There is no such thing, or you may not see it."),
    Code.METHOD_NOT_ALLOWED: Sentence(
        "此地址不支持该方法，见 Allow。", "This address does not take that method; see Allow."
    ),
    Code.NOT_ACCEPTABLE: Sentence("只能返回 JSON。", "Only JSON can be returned."),
    Code.BODY_TOO_LARGE: Sentence("请求体过大。", "The request body is too large."),
    Code.NOT_JSON: Sentence(
        "请求体必须是 JSON（Content-Type: application/json）。",
        "The request body must be JSON (Content-Type: application/json).",
    ),
    Code.INVALID: Sentence("有字段不符合要求，见 errors。", "Some fields are not as they must be; see errors."),
    Code.KEY_MISSING: Sentence(
        "缺少请求头 Idempotency-Key；每次操作请用新的键，重试时沿用原键。",
        "Header Idempotency-Key is missing; use a new key for each deed and the same one to repeat it.",
    ),
    Code.KEY_INVALID: Sentence(
        "Idempotency-Key 须为 1–255 个可见 ASCII 字符。", "Idempotency-Key must be 1–255 visible ASCII characters."
    ),
    Code.KEY_REUSED: Sentence(
        "该 Idempotency-Key 已用于另一请求，请换新的键。",
        "This Idempotency-Key stands for another request; use a new one.",
    ),
    Code.KEY_IN_FLIGHT: Sentence(
        "同一 Idempotency-Key 的请求仍在处理中，请稍后重试。",
        "The request with this Idempotency-Key is still being worked on; repeat it in a moment.",
    ),
    Code.PHONE_TAKEN: Sentence(
        "该手机号已开户，请搜索后使用。", "This phone number has an account already; search for it."
    ),
    Code.CARD_TAKEN: Sentence(
        "该卡号已绑定用户，请先解绑。", "This card is bound to a customer already; unbind it there first."
    ),
    Code.VEHICLE_TAKEN: Sentence(
        "该车架号已绑定用户，请先解绑。", "This VIN is bound to a customer already; unbind it there first."
    ),
    Code.NOT_BOUND: Sentence(
        "已解绑，不能再修改；请重新绑定。", "It is not bound any more and cannot be changed; bind it anew."
    ),
    Code.NO_ORPHAN: Sentence(
        "该充电记录已有订单，请刷新。", "This charge record belongs to an order by now; load the list again."
    ),
    Code.IF_MATCH_MISSING: Sentence(
        "缺少请求头 If-Match；请填入所见数据的 etag。",
        "Header If-Match is missing; send the etag of what you have seen.",
    ),
    Code.REVIEW_OVER: Sentence(
        "该账单已不在待核，或电表读数尚未到齐，请刷新。",
        "This bill is not in review any more, or its meter readings are not all in; load the list again.",
    ),
    Code.REVIEW_NO_FIGURES: Sentence(
        "桩没有可入账的金额，只能按平台结算。",
        "The pile has given no amount that could be booked; take the platform's.",
    ),
    Code.REVIEW_NO_PAYER: Sentence(
        "该充电没有已知的付款用户，无法入账。", "Nobody is known who could pay for this charge."
    ),
    Code.FEEDER_IN_USE: Sentence(
        "该馈线下还有桩或下级馈线，请先移走。",
        "There are still piles or feeders behind this feeder; move them away first.",
    ),
    Code.DEGRADED_NOT_NEEDED: Sentence(
        "无需降级运行：该变压器的电表读数正常，或未装电表（按估算运行）。",
        "Degraded mode is not needed: the transformer's meter is read, or it has none and the estimate counts anyway.",
    ),
    Code.DEGRADED_NOT_ASKED: Sentence(
        "没有待确认的降级申请，请先由一人提出。", "Nobody has asked for degraded mode; one person asks first."
    ),
    Code.DEGRADED_EXPIRED: Sentence(
        "申请已超过 {minutes} 分钟，请重新提出。",
        "The request is older than {minutes} min; it has to be made anew.",
    ),
    Code.DEGRADED_SAME_PERSON: Sentence(
        "须由另一人确认：提出与确认不能是同一人。",
        "Another person has to confirm: who asked cannot confirm.",
    ),
    Code.DEGRADED_OTHER_OPERATOR: Sentence(
        "降级运行须由该站运营商自己的两名人员提出并确认。",
        "Two people of the station's own operator ask for and confirm degraded mode.",
    ),
    Code.NOTHING_FAILED: Sentence("没有失败的枪需要重试。", "No gun failed; there is nothing to try again."),
    Code.FAULT_CODE_TAKEN: Sentence(
        "该协议、厂商、型号下已有此故障码，请直接修改它。",
        "There is an entry of this code for this protocol, maker and model; change that one.",
    ),
    Code.FAULT_CODES_IN_USE: Sentence(
        "有 {records} 条故障记录使用了这些故障码；记录会保留原有文字。确认删除请带上 used_too=true。",
        "{records} records show these codes; they keep their text. To delete nevertheless say used_too = true.",
    ),
    Code.RECHARGE_NEEDS_SECOND: Sentence(
        "单笔超过 {alone} 元须由另一人复核，请改为提交充值申请。",
        "More than {alone} yuan at once needs a second person; ask for the recharge instead.",
    ),
    Code.RECHARGE_OVER_DAY: Sentence(
        "超过您的单日代充限额，今日还可充 {left} 元。",
        "That is over what you may recharge in a day; {left} yuan are left today.",
    ),
    Code.RECHARGE_DECIDED: Sentence("该充值申请已处理。", "That request has been decided already."),
    Code.RECHARGE_EXPIRED: Sentence(
        "该充值申请已过期，请重新提出。", "That request has expired; it has to be made anew."
    ),
    Code.RECHARGE_SAME_PERSON: Sentence(
        "须由另一人复核：申请与复核不能是同一人。", "Another person has to decide: who asked cannot approve or reject."
    ),
    Code.PROOF_OF_ALL: Sentence(
        "账务证明涵盖所有运营商，请由平台管理员查看。",
        "The proof runs over the books of all operators; the platform's administrator sees it.",
    ),
    Code.PAYOUT_TAKEN: Sentence(
        "该结算单号已按其他金额入账，请核对单号与金额。",
        "This number of the channel is posted with other amounts; compare number and amounts.",
    ),
    Code.REFUND_IN_DEBT: Sentence(
        "有欠费 {debt} 元，还清后才能退款。", "There is a debt of {debt} yuan; it is paid before anything is refunded."
    ),
    Code.REFUND_HOLD_OPEN: Sentence(
        "有未完成的订单（冻结 {held} 元），结算后才能退款。",
        "An order is not settled yet ({held} yuan are held for it); refunds wait for that.",
    ),
    Code.REFUND_OVER_PRINCIPAL: Sentence(
        "最多可退本金 {left} 元（赠送金不可退，已申请的退款已扣除）。",
        "{left} yuan of principal can be refunded at most (no gifts, and less what was asked for already).",
    ),
    Code.REFUND_NOT_RECHARGED: Sentence(
        "其中 {missing} 元没有对应的充值，不能退款。",
        "{missing} yuan of it never came in by a recharge and cannot be refunded.",
    ),
    Code.REFUND_ORDER_NOT_SETTLED: Sentence(
        "该订单尚未最终结算，或没有付款用户，不能退款。",
        "The order is not finally settled, or nobody paid for it; nothing can be refunded.",
    ),
    Code.REFUND_OVER_ORDER: Sentence(
        "该订单最多还可退 {left} 元（电费 {electricity}，服务费 {service}）。",
        "{left} yuan of the order can still be refunded (electricity {electricity}, service {service}).",
    ),
    Code.REFUND_DECIDED: Sentence("该退款已处理，请刷新。", "That refund has been decided already; load it again."),
    Code.REFUND_SAME_PERSON: Sentence(
        "须由另一人处理：同一人不能既申请又审核，也不能既审核又确认打款。",
        "Another person has to do it: who asked cannot approve, and who approved cannot confirm the transfer.",
    ),
    Code.REFUND_NOT_BY_HAND: Sentence(
        "该笔由渠道退回，结果以渠道为准，不能人工确认。",
        "The channel pays that part back and tells what became of it; nobody confirms it by hand.",
    ),
    Code.MONTH_TO_COME: Sentence(
        "该月尚未开始，请选择以前的月份。", "That month has not begun yet; choose one that has."
    ),
    Code.EXPORTS_WAITING: Sentence(
        "您已有 {most} 个导出在排队或生成中，请等待其完成或取消。",
        "{most} exports of yours wait or are being written; let them finish, or cancel one.",
    ),
    Code.EXPORT_NOT_READY: Sentence(
        "文件尚未生成、已取消或已过期；请看该导出的状态。",
        "There is no file: it is not finished, was cancelled or has expired; see the export's state.",
    ),
    Code.TOO_MANY_ATTEMPTS: Sentence(
        "尝试过多，请在 {seconds} 秒后再试。", "Too many attempts; try again in {seconds} s."
    ),
    Code.TOO_MANY_REQUESTS: Sentence(
        "请求过于频繁，请在 {seconds} 秒后再试。", "Too many requests; try again in {seconds} s."
    ),
    Code.CHANGED_MEANWHILE: Sentence("数据刚被他人修改，请重试。", "Somebody else changed it just now; try again."),
    Code.DATABASE_AWAY: Sentence("系统繁忙，请稍后再试。", "The system is busy; try again in a moment."),
    Code.STORE_AWAY: Sentence("曲线数据暂不可用，请稍后再试。", "Curves are not available now; try again in a moment."),
    Code.BUSY: Sentence("系统繁忙，请稍后再试。", "The system is busy; try again in a moment."),
    Code.INTERNAL: Sentence(
        "系统出错，已记录；请凭请求号联系客服。",
        "Something went wrong and was logged; tell the service the request id.",
    ),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is the matter with one field; `field` is its path in body or query, dots between."""

    field: str
    message: Sentence


class Problem(ApiError):
    """An answer instead of what was asked for; raising it changes nothing in the database."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: Sentence,
        *,
        errors: tuple[FieldError, ...] = (),
        figures: tuple[Figure, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.errors = errors
        self.figures = figures
        self.headers = headers


def problem(
    status: int,
    code: Code,
    *,
    errors: tuple[FieldError, ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
    retry_after_s: int | None = None,
    **figures: object,
) -> Problem:
    """A problem by its code, with the code's own sentence."""
    text = TEXTS[code]
    if figures:
        text = Sentence(text.zh.format(**figures), text.en.format(**figures))
    if retry_after_s is not None:
        headers = (*headers, ("Retry-After", str(retry_after_s)))
    named = tuple(Figure(name, str(value)) for name, value in figures.items())
    return Problem(status, code, text, errors=errors, headers=headers, figures=named)


def not_found(field: str | None = None) -> Problem:
    """It does not exist or is not visible; `field` says which part of a body named it."""
    errors = () if field is None else (FieldError(field, TEXTS[Code.NOT_FOUND]),)
    return problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, errors=errors)


def invalid(*errors: FieldError) -> Problem:
    """Fields that the schema alone cannot judge."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, Code.INVALID, errors=errors)


def refused(refusal: Refusal) -> Problem:
    """A refusal of the business, with its reason, sentence and figures."""
    return Problem(HTTPStatus.CONFLICT, refusal.reason.value, refusal.sentence, figures=refusal.figures)


def database_away() -> Problem:
    """The database cannot be reached or written now."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, Code.DATABASE_AWAY, retry_after_s=5)
