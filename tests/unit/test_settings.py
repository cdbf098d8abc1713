"""Settings: the environment as one typed value."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import ServerSettings, Settings, Variables


def test_unset_variables_have_defaults() -> None:
    assert Settings.from_environment({}) == Settings(
        docs=False, log_level="info", log_format="text", max_body_bytes=128 * 1024, max_connections=500
    )


def test_variables_with_the_prefix_are_read() -> None:
    settings = Settings.from_environment({"APP_LOG_LEVEL": "debug", "APP_MAX_BODY_BYTES": "1000"})
    assert settings == Settings(log_level="debug", max_body_bytes=1000)


def test_other_variables_are_ignored() -> None:
    # Kubernetes sets the first for a Service called `app`.
    assert Settings.from_environment({"APP_PORT": "tcp://10.0.0.1:80", "LOG_LEVEL": "loud"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("APP_DOCS", "perhaps", "a valid boolean"),
        ("APP_DOCS", "", "a valid boolean"),
        ("APP_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("APP_LOG_FORMAT", "", "'text' or 'json'"),
        ("APP_MAX_BODY_BYTES", "many", "a valid integer"),
        ("APP_MAX_BODY_BYTES", "0", "greater than or equal to 1"),
        ("APP_MAX_BODY_BYTES", "1e99\n", "a valid integer"),
        ("APP_MAX_BODY_BYTES", "67108865", "less than or equal to 67108864"),
        ("APP_MAX_CONNECTIONS", "0", "greater than or equal to 1"),
    ],
)
def test_invalid_value_exits_with_a_line_that_names_it(variable: str, value: str, allowed: str) -> None:
    with pytest.raises(SystemExit) as end:
        Settings.from_environment({variable: value})
    message = str(end.value)
    assert message.startswith(f"{variable}={value!r}: ")
    assert allowed in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FORWARDED_ALLOW_IPS", "10.0.0.0.1"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.1/8"),
        ("FORWARDED_ALLOW_IPS", "127.0.0.1, proxy"),
        ("FORWARDED_ALLOW_IPS", "127.0.0.1, *"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "-1"),
        ("WEB_CONCURRENCY", "two"),
        ("WEB_CONCURRENCY", ""),
        ("UVICORN_HTTP", "nonsense"),
        ("UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "-1"),
        ("UVICORN_TIMEOUT_KEEP_ALIVE", "-1"),
    ],
)
def test_value_that_uvicorn_would_accept_exits_too(variable: str, value: str) -> None:
    ServerSettings.from_environment({"WEB_CONCURRENCY": "2", "UVICORN_HTTP": "h11", "UVICORN_PORT": "any"})
    for allowed in ("*", "", "127.0.0.1, 10.0.0.0/8, ::1"):
        ServerSettings.from_environment({"FORWARDED_ALLOW_IPS": allowed})
    with pytest.raises(SystemExit, match=rf"^{variable}={re.escape(repr(value))}: [^\n]+$"):
        ServerSettings.from_environment({variable: value})


def test_a_long_value_is_cut_in_the_middle() -> None:
    with pytest.raises(SystemExit) as end:
        Settings.from_environment({"APP_LOG_LEVEL": "x" * 5000})
    assert len(str(end.value)) < 150


class Required(Variables):
    """Settings, one of which has no default."""

    PREFIX = "APP_"

    url: str
    token: str = ""


def test_a_missing_value_is_named_without_the_others() -> None:
    with pytest.raises(SystemExit) as end:
        Required.from_environment({"APP_TOKEN": "swordfish"})
    assert str(end.value) == "APP_URL is not set"


def test_docs_without_their_package_exit_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.settings.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as end:
        Settings.from_environment({"APP_DOCS": "true"})
    hint = "add it to requirements.in, then run make lock"
    assert str(end.value) == f"APP_DOCS='true': the package fastapi-swagger is not installed; {hint}"
    assert not Settings.from_environment({"APP_DOCS": "false"}).docs


def test_compose_passes_every_setting_to_the_app(project: Path) -> None:
    passed = re.findall(r"^ +- APP_(\w+)", (project / "compose.yaml").read_text(), re.MULTILINE)
    assert {name.upper() for name in Settings.model_fields} == set(passed), "add it to compose.yaml"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().log_level = "debug"
