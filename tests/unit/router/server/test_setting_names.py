"""Misspelt settings are noticed."""

from router.server.setting_names import unknown_settings


def test_a_misspelt_setting_is_named_with_what_may_be_meant() -> None:
    assert unknown_settings(["PATH", "ROUTER_MAX_DEPT", "ROUTER_MAX_DEPTH"]) == [
        "ROUTER_MAX_DEPT is no setting; is ROUTER_MAX_DEPTH meant?"
    ]


def test_without_a_similar_one_nothing_is_proposed() -> None:
    assert unknown_settings(["ROUTER_QQQQQQQQ"]) == ["ROUTER_QQQQQQQQ is no setting"]


def test_links_to_a_service_called_router_are_no_mistakes() -> None:
    links = ["ROUTER_SERVICE_HOST", "ROUTER_SERVICE_PORT_HTTP", "ROUTER_PORT_4000_TCP_ADDR"]

    assert unknown_settings(links) == []
