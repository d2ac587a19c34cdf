"""Every table at once: importing this makes the metadata whole, for migrations and for whoever maps across folders."""

import webapi.audit.models
import webapi.cards.models
import webapi.customers.models
import webapi.exports.models
import webapi.faults.models
import webapi.gate.models
import webapi.guns.models
import webapi.guns.power_models
import webapi.guns.said_models
import webapi.http.models
import webapi.ledger.models
import webapi.orders.evidence_models
import webapi.orders.models
import webapi.orders.stop_models
import webapi.piles.command_models
import webapi.piles.history_models
import webapi.piles.models
import webapi.recharges.models
import webapi.refunds.models
import webapi.stations.models
import webapi.stations.stop_models
import webapi.tariffs.models
import webapi.tariffs.rollout_models
import webapi.tenants.models
import webapi.transformers.models
import webapi.users.models
import webapi.worker.models  # noqa: F401
from webapi.database import Base

metadata = Base.metadata
