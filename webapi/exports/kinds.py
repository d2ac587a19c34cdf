"""Every list that can be exported; a new one is declared beside these and added here."""

from webapi.exports.declare import ExportKind
from webapi.exports.orders import ORDERS
from webapi.exports.transactions import TRANSACTIONS

KINDS: dict[str, ExportKind] = {kind.code: kind for kind in (ORDERS, TRANSACTIONS)}
