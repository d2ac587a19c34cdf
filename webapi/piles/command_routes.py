"""Telling piles something over HTTP, and what became of it."""

from datetime import timedelta

from evcs.contracts.pile import PileCommandKind, QrPrefix
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import not_found
from webapi.http.serve import Declined, Reply, Served
from webapi.http.smorest import Endpoints
from webapi.piles import command_schemas as schemas
from webapi.piles.command_queries import CommandFilter, CommandView, find_command, list_commands
from webapi.piles.commands import Wish
from webapi.piles.give import ACCEPTED, answer, give, offline_cards, visible_pile
from webapi.tariffs.push import push
from webapi.users.roles import Right

endpoints = Endpoints(
    "桩指令 Commands", "重启、升级、离线卡、地锁…及其结果 · what piles are told and what became of it"
)

OPERATE = Served(Right.OPERATE_PILES, keyed=True)
ANSWERS = schemas.CommandSchema


@endpoints.post(
    "/piles/<code:number>/commands/restart",
    OPERATE,
    answers=ANSWERS,
    body=schemas.RestartBody,
    example={"when": "when_idle"},
    status=ACCEPTED,
)
def pile_restart(call: Call, wish: schemas.RestartWish, number: str) -> Reply | Declined:
    """远程重启 · Restart a pile

    202：已下发，结果看 state（轮询 Location）。桩离线时 409 pile_offline，什么也没有下发。

    202: it is on its way; poll the address in Location for its state. 409 pile_offline: nothing was sent.
    """
    return give(call, Wish(pile=number, kind=PileCommandKind.RESTART, by=call.asker.key, when=wish.when))


@endpoints.post(
    "/piles/<code:number>/commands/update",
    OPERATE,
    answers=ANSWERS,
    body=schemas.UpdateBody,
    example={"server": "10.0.0.8", "user": "ota", "password": "secret", "path": "/dc120/v2.bin"},
    status=ACCEPTED,
)
def pile_update(call: Call, wish: schemas.UpdateWish, number: str) -> Reply | Declined:
    """远程升级 · Have a pile fetch and install a program

    应答在升级尝试之后才到，最长一小时。密码只发给桩，不保存。

    The answer comes after the attempt, an hour at most. The password is passed on and not kept.
    """
    return give(
        call,
        Wish(pile=number, kind=PileCommandKind.UPDATE, by=call.asker.key, update=wish.update, when=wish.when),
    )


@endpoints.post(
    "/piles/<code:number>/commands/qr-prefix",
    OPERATE,
    answers=ANSWERS,
    body=schemas.QrBody,
    example={"prefix": "https://ev.example.com/q/", "kind": "gun"},
    status=ACCEPTED,
)
def pile_qr_prefix(call: Call, wish: QrPrefix, number: str) -> Reply | Declined:
    """设置二维码前缀 · Set what the pile's QR code begins with"""
    return give(call, Wish(pile=number, kind=PileCommandKind.QR_PREFIX, by=call.asker.key, qr=wish))


@endpoints.post(
    "/piles/<code:number>/commands/cards-store",
    OPERATE,
    answers=ANSWERS,
    body=schemas.CardsBody,
    example={"cards": [{"uid": "00000000D14B0A54", "printed_no": "1000000573"}]},
    status=ACCEPTED,
)
def pile_cards_store(call: Call, wish: schemas.CardsWish, number: str) -> Reply | Declined:
    """下发离线卡 · Let a pile accept cards while it is offline

    每张卡的结果见 cards。已绑定的卡须允许离线使用。 What the pile said about each card shows in cards.
    """
    return _cards(call, wish, number, PileCommandKind.CARDS_STORE)


@endpoints.post(
    "/piles/<code:number>/commands/cards-clear",
    OPERATE,
    answers=ANSWERS,
    body=schemas.CardsBody,
    example={"cards": [{"uid": "00000000D14B0A54"}]},
    status=ACCEPTED,
)
def pile_cards_clear(call: Call, wish: schemas.CardsWish, number: str) -> Reply | Declined:
    """清除离线卡 · Have a pile forget cards"""
    return _cards(call, wish, number, PileCommandKind.CARDS_CLEAR)


@endpoints.post(
    "/piles/<code:number>/commands/cards-query",
    OPERATE,
    answers=ANSWERS,
    body=schemas.CardsBody,
    example={"cards": [{"uid": "00000000D14B0A54"}]},
    status=ACCEPTED,
)
def pile_cards_query(call: Call, wish: schemas.CardsWish, number: str) -> Reply | Declined:
    """查询离线卡 · Ask a pile which of these cards it holds"""
    return _cards(call, wish, number, PileCommandKind.CARDS_QUERY)


@endpoints.post("/piles/<code:number>/commands/poll", OPERATE, answers=ANSWERS, status=ACCEPTED)
def pile_poll(call: Call, number: str) -> Reply | Declined:
    """召测全部枪的实时数据 · Ask every gun of a pile for its values now"""
    return give(call, Wish(pile=number, kind=PileCommandKind.POLL, by=call.asker.key))


@endpoints.post("/piles/<code:number>/guns/<gun:gun_no>/commands/poll", OPERATE, answers=ANSWERS, status=ACCEPTED)
def gun_poll(call: Call, number: str, gun_no: int) -> Reply | Declined:
    """召测一把枪的实时数据 · Ask one gun for its values now"""
    return give(call, Wish(pile=number, kind=PileCommandKind.POLL, by=call.asker.key, gun=gun_no))


@endpoints.post(
    "/piles/<code:number>/guns/<gun:gun_no>/commands/ground-lock",
    OPERATE,
    answers=ANSWERS,
    body=schemas.LockBody,
    example={"action": "lower"},
    status=ACCEPTED,
)
def gun_ground_lock(call: Call, wish: schemas.LockWish, number: str, gun_no: int) -> Reply | Declined:
    """升降地锁 · Raise or lower the parking lock of a gun's bay"""
    return give(
        call,
        Wish(pile=number, kind=PileCommandKind.GROUND_LOCK, by=call.asker.key, gun=gun_no, lock=wish.action),
    )


@endpoints.post("/piles/<code:number>/commands/clock", OPERATE, answers=ANSWERS, status=ACCEPTED)
def pile_clock(call: Call, number: str) -> Reply | Declined:
    """对时 · Set a pile's clock"""
    return give(call, Wish(pile=number, kind=PileCommandKind.CLOCK, by=call.asker.key))


@endpoints.post("/piles/<code:number>/commands/tariff-push", OPERATE, answers=ANSWERS, status=ACCEPTED)
def pile_tariff_push(call: Call, number: str) -> Reply | Declined:
    """立即下发计费模型 · Push the version that the pile shall have

    充电中 409 pile_busy：充电结束后自动下发。 409 pile_busy while a car charges: it goes out by itself after that.
    """
    pile = visible_pile(call, number)
    given = push(call.session, number, by=call.asker.key, at=call.at)
    wish = Wish(
        pile=number,
        kind=PileCommandKind.TARIFF_PUSH,
        by=call.asker.key,
        tariff_version=pile.wanted_tariff_version_id,
    )
    return answer(call, pile, wish, given)


@endpoints.post(
    "/piles/<code:number>/commands/trace",
    OPERATE,
    answers=ANSWERS,
    body=schemas.TraceBody,
    example={"on": True, "minutes": 10},
    status=ACCEPTED,
)
def pile_trace(call: Call, wish: schemas.TraceWish, number: str) -> Reply | Declined:
    """开启或关闭报文跟踪 · Show a pile's frames for a while, or no more; read them at /piles/{number}/frames"""
    until = call.at + timedelta(minutes=wish.minutes) if wish.on else None
    return give(call, Wish(pile=number, kind=PileCommandKind.TRACE, by=call.asker.key, trace_until=until))


@endpoints.get(
    "/piles/<code:number>/commands",
    Served(Right.SEE_SITES),
    answers=schemas.CommandsSchema,
    query=schemas.CommandsQuery,
)
def pile_commands(call: Call, wish: CommandFilter, number: str) -> Page[CommandView]:
    """一个桩的指令，新的在前 · What a pile was told, newest first"""
    visible_pile(call, number)
    return list_commands(call.session, call.sees, number, wish)


@endpoints.get("/commands/<code:command_id>", Served(Right.SEE_SITES), answers=ANSWERS)
def command(call: Call, command_id: str) -> CommandView:
    """一条指令及其结果 · A command and what became of it"""
    found = find_command(call.session, call.sees, command_id)
    if found is None:
        raise not_found()
    return found


def _cards(call: Call, wish: schemas.CardsWish, number: str, kind: PileCommandKind) -> Reply | Declined:
    pile = visible_pile(call, number)
    cards = offline_cards(call, pile, wish, kind)
    return give(call, Wish(pile=number, kind=kind, by=call.asker.key, cards=cards))
