"""Words of the closed lists as people read them in a file."""

from evcs.contracts.reasons import Sentence
from evcs.contracts.states import GoalKind, OrderState, StartSource
from webapi.ledger.models import TransactionKind

STATES: dict[OrderState, Sentence] = {
    OrderState.HOLDING: Sentence("等待放行", "waits for the gate"),
    OrderState.QUEUED: Sentence("排队中", "queued"),
    OrderState.COMMANDED: Sentence("已下发", "commanded"),
    OrderState.STARTING: Sentence("启动中", "starting"),
    OrderState.CHARGING: Sentence("充电中", "charging"),
    OrderState.STOPPING: Sentence("停止中", "stopping"),
    OrderState.ENDED: Sentence("待账单", "record awaited"),
    OrderState.SETTLED: Sentence("已结算", "settled"),
    OrderState.REFUSED: Sentence("已拒绝", "refused"),
    OrderState.START_FAILED: Sentence("启动失败", "failed to start"),
    OrderState.CANCELLED: Sentence("已取消", "cancelled"),
    OrderState.EXCEPTION: Sentence("异常", "exception"),
    OrderState.REVIEW: Sentence("待核", "in review"),
    OrderState.REFUNDED: Sentence("已退款", "refunded"),
}
SOURCES: dict[StartSource, Sentence] = {
    StartSource.APP: Sentence("小程序", "app"),
    StartSource.CARD: Sentence("刷卡", "card"),
    StartSource.OFFLINE_CARD: Sentence("离线卡", "offline card"),
    StartSource.VIN: Sentence("即插即充", "plug and charge"),
    StartSource.PLATFORM: Sentence("平台", "platform"),
    StartSource.PARTNER: Sentence("互联互通", "partner"),
}
GOALS: dict[GoalKind, Sentence] = {
    GoalKind.FULL: Sentence("充满", "full"),
    GoalKind.TIME: Sentence("定时", "time"),
    GoalKind.AMOUNT: Sentence("定金额", "amount"),
    GoalKind.ENERGY: Sentence("定电量", "energy"),
}
TRANSACTIONS: dict[TransactionKind, Sentence] = {
    TransactionKind.RECHARGE: Sentence("充值", "recharge"),
    TransactionKind.SETTLEMENT: Sentence("充电扣款", "charge"),
    TransactionKind.CORRECTION: Sentence("账单更正", "correction"),
    TransactionKind.DECISION: Sentence("待核裁定", "decision"),
    TransactionKind.DEBT_PAID: Sentence("补缴欠费", "debt paid"),
    TransactionKind.GIFT: Sentence("赠送", "gift"),
    TransactionKind.GIFT_TAKEN_BACK: Sentence("赠送收回", "gift taken back"),
    TransactionKind.REFUND_SUBMITTED: Sentence("余额退款", "withdrawal"),
    TransactionKind.REFUND_PAID: Sentence("退款到账", "withdrawal paid"),
    TransactionKind.REFUND_FAILED: Sentence("退款失败退回", "withdrawal failed"),
    TransactionKind.ORDER_REFUND: Sentence("订单退款", "order refund"),
    TransactionKind.OCCUPANCY: Sentence("占位费", "occupancy fee"),
    TransactionKind.WRITEOFF: Sentence("核销", "written off"),
}
