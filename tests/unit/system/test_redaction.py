"""What is hidden in logs and messages."""

from __future__ import annotations

import logging

import pytest
import structlog

from harvest.system import redaction
from harvest.system.logs import configure_logs
from harvest.system.redaction import without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /tracks/1?secret_token=s-AbC&limit=1", "GET /tracks/1?secret_token=***&limit=1"),
        ("Authorization: OAuth 1-234-abc", "Authorization: OAuth ***"),
        ("{'refresh_token': 'abc', 'x': 1}", "{'refresh_token': '***', 'x': 1}"),
        ('{"access_token": "abc"}', '{"access_token": "***"}'),
        ("/callback?code=abc&state=x", "/callback?code=***&state=x"),
        ("https://soundcloud.com/a/b/s-Secret1", "https://soundcloud.com/a/b/***"),
        ("url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb%2Fs-Secret1", "url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb%2F***"),
        ("status_code=200 error_code: x", "status_code=200 error_code: x"),
        ("code 5 is fine", "code 5 is fine"),
    ],
)
def test_secrets_in_their_usual_places_are_hidden(text, shown):
    assert without_secrets(text) == shown


def test_what_is_remembered_is_hidden_anywhere():
    redaction.remember("very-secret-thing", None, "short")
    assert without_secrets("oh: very-secret-thing! short") == "oh: ***! short"


def test_only_so_many_are_remembered():
    for n in range(500):
        redaction.remember(f"remembered-{n:04}")
    assert without_secrets("remembered-0000 remembered-0499") == "remembered-0000 ***"


@pytest.fixture(autouse=True)
def structlog_as_it_was():
    """What a test configures ends with it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_events_show_no_secret_at_any_depth(capsys, level, log_format):
    redaction.remember("remembered-secret")
    configure_logs(level=level, log_format=log_format)
    log = structlog.get_logger()

    class Thing:
        def __repr__(self):
            return "Thing(remembered-secret)"

    try:
        raise ValueError("remembered-secret")
    except ValueError:
        log.error(
            "an event",
            refresh_token="plain-1",
            nested={"access_token": "plain-2", "list": ["remembered-secret", {"code": "plain-3"}]},
            bytes=b"remembered-secret",
            thing=Thing(),
            number=5,
            exc_info=True,
        )
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "number" in told
    assert not any(secret in told for secret in ("remembered-secret", "plain-1", "plain-2", "plain-3"))


def test_the_http_libraries_are_guarded_and_nobody_else(caplog):
    configure_logs()
    configure_logs()
    redaction.remember("remembered-secret")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("httpcore.http11").debug("headers %r", [(b"authorization", b"OAuth remembered-secret")])
        logging.getLogger("httpx").info("GET %s", "https://x/?secret_token=s-1")
        logging.getLogger("mine").info("%d", 5)
    assert [record.getMessage() for record in caplog.records] == [
        "headers [(b'authorization', b'OAuth ***')]",
        "GET https://x/?secret_token=***",
        "5",
    ]
