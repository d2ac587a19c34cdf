"""What is the matter with an order in `exception` or `review`, in words for its driver and its operator."""

from evcs.contracts.reasons import Sentence
from webapi.orders.life import Trouble

TEXTS: dict[Trouble, Sentence] = {
    Trouble.NO_RECORD: Sentence(
        "充电已结束，正在等待充电桩上传账单；一分钟后将先按电表读数结算。",
        "The charge has ended; the pile's record is awaited. In a minute it is settled by the meter readings.",
    ),
    Trouble.LINK_LOST: Sentence(
        "与充电桩的连接中断，恢复后自动继续；款项暂时冻结，最多 24 小时。",
        "The connection to the pile was lost; it goes on by itself. The money stays held for 24 hours at most.",
    ),
    Trouble.STOP_UNANSWERED: Sentence(
        "停止指令尚无应答，正在重发；急需停止请按桩上的停止键或急停按钮。",
        "The pile has not answered the stop, which is repeated; press its stop or emergency button if it is urgent.",
    ),
    Trouble.NOTHING_TO_BILL_BY: Sentence(
        "没有可用于结算的数据，待人工核对；未核清的款项最多冻结 7 天。",
        "There is nothing to bill by; a person looks at it. What is disputed stays held for 7 days at most.",
    ),
    Trouble.RECORD_DIFFERS: Sentence(
        "充电桩的账单与平台计算不一致，已按较低金额扣款，差额待核对，最多冻结 7 天。",
        "The pile's bill differs from ours: the lower one was charged, the difference stays held for 7 days at most.",
    ),
    Trouble.MARKS_AWAITED: Sentence(
        "充电桩的账单有疑问，正在汇总电表读数，稍后按读数结算。",
        "The pile's bill is in doubt; the meter readings are gathered, and in a moment it is settled by them.",
    ),
}


def sentence_of_trouble(code: str | None) -> Sentence | None:
    """The sentence of a kept code; none where nothing is the matter."""
    return None if code is None else TEXTS[Trouble(code)]
