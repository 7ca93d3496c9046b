"""The router's settings."""

import pytest
from pydantic import ValidationError

from router.server.settings import Environment, LogFormat, RouterSettings


def test_production_is_the_default_and_shows_nothing() -> None:
    settings = RouterSettings()

    assert settings.environment is Environment.PRODUCTION
    assert not settings.shows_introspection
    assert not settings.shows_suggestions
    assert not settings.shows_graphiql
    assert not settings.shows_extensions
    assert settings.logs_as is LogFormat.JSON


def test_development_shows_everything_but_what_is_switched_off() -> None:
    settings = RouterSettings(environment=Environment.DEVELOPMENT, introspection=False)

    assert not settings.shows_introspection
    assert settings.shows_suggestions
    assert settings.shows_graphiql
    assert settings.shows_extensions
    assert settings.logs_as is LogFormat.CONSOLE


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_PORT", "4321")
    monkeypatch.setenv("ROUTER_FORWARD_HEADERS", '["Authorization", "X-Tenant"]')

    settings = RouterSettings()

    assert settings.port == 4321
    assert settings.forward_headers == ("authorization", "x-tenant")


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", 70000), ("max_body_bytes", 0), ("path", "graphql"), ("log_level", "loud")],
)
def test_nonsense_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        RouterSettings.model_validate({name: value})
