"""Feeders over HTTP: what hangs together behind a transformer."""

from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.field_messages import told
from webapi.http.problems import Code, FieldError, invalid, not_found, problem
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX
from webapi.piles.give import visible_pile
from webapi.stations.revision import raise_station
from webapi.transformers import schemas
from webapi.transformers.changes import Changed, FieldChange
from webapi.transformers.feeders import is_used, lies_behind, lock_transformer, make_feeder, tree_of
from webapi.transformers.models import Feeder, Transformer
from webapi.transformers.queries import FeederView, TransformerDetail, feeder_view, find_feeder, transformer_view
from webapi.transformers.routes import ANSWERS, visible_transformer
from webapi.transformers.routes import endpoints as endpoints
from webapi.users.roles import Right

SET = Served(Right.SET_TRANSFORMERS, keyed=True)
NOT_OF_IT = "Must be a feeder of the same transformer."


@endpoints.post(
    "/transformers/<code:code>/feeders",
    SET,
    answers=schemas.FeederSchema,
    body=schemas.FeederBody,
    example={"name": "1 号馈线", "limit_kw": 240},
    status=HTTPStatus.CREATED,
)
def feeder_create(call: Call, wish: schemas.FeederWish, code: str) -> Reply:
    """新建馈线 · Add a feeder to a transformer"""
    visible_transformer(call, code)
    row = lock_transformer(call.session, code)
    if wish.parent is not None and wish.parent not in tree_of(call.session, row.code):
        raise invalid(FieldError("parent", told(NOT_OF_IT)))
    made = make_feeder(call.session, row, name=wish.name, limit_kw=wish.limit_kw, parent=wish.parent, at=call.at)
    raise_station(call.session, row.station_code)
    new = (("name", wish.name), ("limit_kw", wish.limit_kw), ("parent", wish.parent))
    _audit(call, "feeder_create", row, made.code, Changed(tuple(FieldChange(f, None, v) for f, v in new)))
    return Reply(feeder_view(call.session, made), location=f"{API_PREFIX}/feeders/{made.code}")


@endpoints.get("/feeders/<code:code>", Served(Right.SEE_SITES), answers=schemas.FeederSchema)
def feeder(call: Call, code: str) -> FeederView:
    """馈线详情 · A feeder with the piles behind it"""
    return feeder_view(call.session, _visible(call, code))


@endpoints.patch(
    "/feeders/<code:code>",
    SET,
    answers=schemas.FeederSchema,
    body=schemas.FeederChangeBody,
    example={"limit_kw": 200},
)
def feeder_change(call: Call, change: schemas.FeederChange, code: str) -> FeederView:
    """修改馈线 · Change a feeder"""
    row = _visible(call, code)
    transformer = lock_transformer(call.session, row.transformer_code)
    call.session.refresh(row)
    parent = change.parent
    if isinstance(parent, str):
        tree = tree_of(call.session, transformer.code)
        if parent not in tree:
            raise invalid(FieldError("parent", told(NOT_OF_IT)))
        if lies_behind(tree, parent, row.code):
            raise invalid(FieldError("parent", told("Must not lie behind itself.")))
    changed = []
    for name, column, value in (
        ("name", "name", change.name),
        ("limit_kw", "limit_kw", change.limit_kw),
        ("parent", "parent_code", parent),
    ):
        old = getattr(row, column)
        if value is msgspec.UNSET or value == old:
            continue
        setattr(row, column, value)
        changed.append(FieldChange(name, old, value))
    if changed:
        raise_station(call.session, transformer.station_code)
        _audit(call, "feeder_change", transformer, row.code, Changed(tuple(changed)))
    return feeder_view(call.session, row)


@endpoints.delete("/feeders/<code:code>", Served(Right.SET_TRANSFORMERS, problems=(409,)))
def feeder_delete(call: Call, code: str) -> None:
    """删除馈线（其下须无桩、无下级）· Remove a feeder that nothing hangs on"""
    row = _visible(call, code)
    transformer = lock_transformer(call.session, row.transformer_code)
    if is_used(call.session, row):
        raise problem(HTTPStatus.CONFLICT, Code.FEEDER_IN_USE)
    old = (("name", row.name), ("limit_kw", row.limit_kw), ("parent", row.parent_code))
    call.session.delete(row)
    raise_station(call.session, transformer.station_code)
    _audit(call, "feeder_delete", transformer, code, Changed(tuple(FieldChange(f, v, None) for f, v in old)))


@endpoints.put(
    "/piles/<code:number>/feeder",
    SET,
    answers=ANSWERS,
    body=schemas.PlaceBody,
    example={"feeder": None},
)
def pile_feeder(call: Call, wish: schemas.PlaceWish, number: str) -> TransformerDetail:
    """指定桩所接的馈线，返回其变压器 · Say on which feeder a pile hangs; answers its transformer"""
    pile = visible_pile(call, number)
    transformer = lock_transformer(call.session, pile.transformer_code)
    if wish.feeder is not None and wish.feeder not in tree_of(call.session, transformer.code):
        raise invalid(FieldError("feeder", told(NOT_OF_IT)))
    old = pile.feeder_code
    if old != wish.feeder:
        pile.feeder_code = wish.feeder
        raise_station(call.session, pile.station_code)
        record(
            call,
            "pile_feeder",
            tenant_id=pile.station.tenant_id,
            station=pile.station_code,
            object_kind="pile",
            object_id=pile.number,
            details=Changed((FieldChange("feeder", old, wish.feeder),)),
        )
    return transformer_view(call.session, transformer, at=call.at)


def _visible(call: Call, code: str) -> Feeder:
    found = find_feeder(call.session, call.sees, code)
    if found is None:
        raise not_found()
    return found


def _audit(call: Call, action: str, transformer: Transformer, code: str, details: Changed) -> None:
    record(
        call,
        action,
        tenant_id=transformer.station.tenant_id,
        station=transformer.station_code,
        object_kind="feeder",
        object_id=code,
        details=details,
    )
