"""The OpenAPI document is valid and tells what is served; its page needs nothing from elsewhere."""

import re

from openapi_spec_validator import validate

from tests.webapi.http.world import World


def test_document_is_valid_and_has_every_route(still: World) -> None:
    document = still.app.test_client().get("/openapi.json").json
    validate(document)
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in still.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    told = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item if method != "parameters"
    }
    assert told == served
    assert ("/api/v1/orders/{serial}/stop", "POST") in told


def test_operations_tell_problems_keys_and_security(still: World) -> None:
    document = still.app.test_client().get("/openapi.json").json
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert operation["summary"], (path, method)
            for status, answer in operation["responses"].items():
                if status.isdigit() and int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
            assert operation["security"] == [] if path.endswith("/sign-in") else len(operation["security"]) == 2
    for path, item in document["paths"].items():
        body = item.get("post", {}).get("requestBody")
        if body is not None:
            example = body["content"]["application/json"]["example"]
            schema = document["components"]["schemas"][body["content"]["application/json"]["schema"]["$ref"][21:]]
            assert set(example) <= set(schema["properties"]), path
            assert set(schema.get("required", ())) <= set(example), path
    assert {"not_found", "no_headroom"} <= set(re.findall(r"`(\w+)`", document["info"]["description"]))
    place = document["paths"]["/api/v1/orders"]["post"]
    assert [p["name"] for p in place["parameters"] if p["in"] == "header" and p["required"]] == ["Idempotency-Key"]
    assert {"201", "401", "403", "404", "409", "422", "503"} <= set(place["responses"])


def test_documentation_page_is_served_with_its_own_assets(still: World) -> None:
    client = still.app.test_client()
    page = client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/")
        assert client.get(address).status_code == 200, address
    assert client.get("/docs/..%2fflask_swagger_ui.py").status_code == 404
    assert client.get("/docs/index.html").status_code == 404
