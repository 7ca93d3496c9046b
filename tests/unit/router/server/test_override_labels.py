"""Which override labels are on for a request."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError

from router.composition import SubgraphInput, compose
from router.server.app import RouterApp, create_router_app
from router.server.override_labels import OverrideLabels
from router.server.settings import RouterSettings
from router.supergraph import load_supergraph
from tests.federation.cases import Feature
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph


def _switch(labels: set[str], **settings: Any) -> OverrideLabels:
    return OverrideLabels(labels, RouterSettings(**settings))


def _share(switch: OverrideLabels, label: str, header: Callable[[int], str] | None = None) -> float:
    requests = 4000
    on = 0
    for number in range(requests):
        headers = () if header is None else (("x-client", header(number)),)
        on += label in switch.on_for(headers)
    return on / requests


STICKY = {"forward_headers": ("authorization", "x-client"), "override_sticky_header": "X-Client"}


def test_a_supergraph_without_labels_has_no_switch() -> None:
    assert OverrideLabels.of(load_supergraph(SUPERGRAPH), RouterSettings()) is None


@pytest.mark.parametrize(
    ("label", "setting", "share"),
    [
        ("percent(25)", {}, 0.25),
        ("percent(0.5)", {}, 0.005),
        ("percent(0)", {}, 0.0),
        ("percent(100)", {}, 1.0),
        ("percent(25)", {"percent(25)": True}, 1.0),
        ("percent(25)", {"percent(25)": 75}, 0.75),
        ("other", {}, 0.0),
        ("other", {"other": True}, 1.0),
        ("other", {"other": False}, 0.0),
        ("other", {"other": 50}, 0.5),
        ("other", {"other": 1}, 0.01),
        ("other", {"unknown": True}, 0.0),
    ],
)
@pytest.mark.parametrize("sticky", [False, True])
def test_a_label_is_on_for_its_share_of_requests_or_clients(
    label: str, setting: dict[str, Any], share: float, sticky: bool
) -> None:
    switch = _switch({label}, override_labels=setting, **STICKY)

    found = _share(switch, label, (lambda number: f"client {number}") if sticky else None)

    assert found == pytest.approx(share, abs=0.05 if 0 < share < 1 else 0)


def test_a_client_stays_on_its_side() -> None:
    switch = _switch({"percent(50)"}, **STICKY)
    again = _switch({"percent(50)"}, **STICKY)  # another worker, or after a restart

    for number in range(50):
        headers = (("x-client", f"client {number}"),)
        assert len({switch.on_for(headers) for _ in range(5)} | {again.on_for(headers)}) == 1


def test_who_is_on_at_a_low_percentage_is_on_at_a_higher_one() -> None:
    switch = _switch({"percent(10)", "percent(20)"}, **STICKY)

    seen = {switch.on_for((("x-client", str(number)),)) for number in range(500)}

    assert seen == {
        frozenset(),
        frozenset({"percent(20)"}),
        frozenset({"percent(10)", "percent(20)"}),
    }


def test_two_roll_outs_meet_different_clients() -> None:
    switch = _switch({"one", "two"}, override_labels={"one": 50, "two": 50}, **STICKY)

    seen = {switch.on_for((("x-client", str(number)),)) for number in range(500)}

    assert len(seen) == 4


def _jwt(claims: object, signature: str) -> str:
    body = base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return f"Bearer e30.{body}.{signature}"


def test_a_renewed_token_is_the_same_client() -> None:
    switch = _switch({"percent(50)"}, override_sticky_header="authorization")

    for subject in map(str, range(50)):
        tokens = [_jwt({"sub": subject, "exp": number}, str(number)) for number in range(5)]
        assert len({switch.on_for((("authorization", token),)) for token in tokens}) == 1


@pytest.mark.parametrize(
    "value",
    ["Bearer a.b.c", "Bearer a.!.c", "Basic x.y.z", _jwt([], "s"), _jwt({"sub": 1}, "s"), "é"],
)
def test_other_values_tell_clients_apart_as_they_are(value: str) -> None:
    switch = _switch({"percent(50)"}, override_sticky_header="authorization")

    assert len({switch.on_for((("authorization", value),)) for _ in range(20)}) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"override_labels": {"a": 101}},
        {"override_labels": {"a": -1}},
        {"override_labels": {"a": "maybe"}},
        {"override_sticky_header": "x-client"},  # it is not forwarded
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="override"):
        RouterSettings(**settings)


async def _requests(**settings: Any) -> tuple[RouterApp, list[dict[str, Any]]]:
    """The debug extensions of requests by 40 clients."""
    subgraphs = Feature("progressive_override").subgraphs
    composed = compose([SubgraphInput(name, "http://x", sdl) for name, sdl in subgraphs.items()])
    assert composed.supergraph_sdl is not None
    app = create_router_app(
        RouterSettings(environment="test", access_log=False, **settings),
        composed.supergraph_sdl,
        transports=dict.fromkeys(subgraphs, ThingsSubgraph()),
    )
    found = []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://router"
    ) as client:
        for number in range(40):
            response = await client.post(
                "/graphql",
                json={"query": '{ user(id: "1") { avatar } }'},
                headers={"x-router-debug": "1", "authorization": f"client {number}"},
            )
            found.append(response.json()["extensions"])
    return app, found


async def test_each_request_gets_the_plan_of_its_labels() -> None:
    app, extensions = await _requests(override_sticky_header="authorization")
    _, again = await _requests(override_sticky_header="authorization")

    for each in extensions:
        is_on = each["overrideLabels"]["percent(25)"]
        assert ('Fetch(service: "profiles")' in each["plan"]) is is_on
    assert {each["overrideLabels"]["percent(25)"] for each in extensions} == {True, False}
    assert [each["overrideLabels"] for each in again] == [
        each["overrideLabels"] for each in extensions
    ]
    planned = app.metrics.registry.get_sample_value(
        "router_stage_duration_seconds_count", {"stage": "plan"}
    )
    assert planned == 2  # one for each state of the one label that the operation depends on


async def test_labels_can_be_switched_by_a_setting() -> None:
    _, extensions = await _requests(override_labels={"percent(25)": False})

    assert [each["overrideLabels"] for each in extensions] == [{"percent(25)": False}] * 40


async def test_a_reload_keeps_labels_working() -> None:
    app, _ = await _requests(override_labels={"percent(25)": True})
    preparer = app._generations.current.preparer
    (key,) = preparer.hottest(10)

    assert preparer.warm(key)
    assert preparer.prepare(*key).labels_on == {"percent(25)"}
