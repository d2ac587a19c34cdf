"""Questions to the gate over HTTP: ask, then read the answer."""

from http import HTTPStatus

from webapi.gate.ask import AskView, ask_gate, ask_view, find_ask
from webapi.gate.schemas import AskBody, AskSchema, AskWish
from webapi.http.call import Call
from webapi.http.problems import not_found
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.users.roles import Right

endpoints = Endpoints("启动预检 Asking the gate", "下单前先问变压器负荷是否允许 · would a start be admitted now")


@endpoints.post(
    "/asks",
    Served(Right.PLACE_ORDERS, problems=(404,)),
    answers=AskSchema,
    body=AskBody,
    example={"pile": "55031412000001", "gun": 1},
    status=HTTPStatus.CREATED,
)
def ask(call: Call, wish: AskWish) -> Reply:
    """询问闸门：现在能否启动 · Ask whether a start would be admitted now

    不冻结金额、不占用负荷；随后读取 Location（通常 0.2 秒内有答复，3 秒未答即 no_answer）。真正启动时会再判断一次。

    Holds no money and reserves no load. Read Location for the answer: usually within 0.2 s, `no_answer` after 3 s. A
    start is judged anew.
    """
    asked = ask_gate(call.session, call.sees, wish.pile, wish.gun, at=call.at)
    if asked is None:
        raise not_found("gun")
    return Reply(ask_view(asked, call.at), location=f"{API_PREFIX}/asks/{asked.id}")


@endpoints.get("/asks/<code:ask_id>", Served(Right.PLACE_ORDERS), answers=AskSchema)
def asked(call: Call, ask_id: str) -> AskView:
    """闸门的答复 · What the gate says"""
    found = find_ask(call.session, call.sees, ask_id)
    if found is None:
        raise not_found()
    return ask_view(found, call.at)
