"""`python -m webapi.document`: the OpenAPI document on standard output, from the routes; opens no database."""

import json
import sys

from evcs.runtime.clock import SystemClock
from evcs.store.open import open_reader
from webapi.app import create_app
from webapi.database import open_database, sessions
from webapi.http.call import Adapters


def document() -> str:
    """What the running process serves at /openapi.json, in a form whose changes can be read line by line."""
    engine = open_database("sqlite://")  # never connected: the document comes from the routes alone
    app = create_app(Adapters(engine, sessions(engine), open_reader("sqlite:///none"), SystemClock()))
    served = app.test_client().get("/openapi.json").json
    return json.dumps(served, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
