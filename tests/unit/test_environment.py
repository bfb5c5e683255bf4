"""What is read of the environment and of `.env`, whatever kind of file that is."""

from __future__ import annotations

import os

import pytest

from harvest.environment import Environment, Found
from harvest.errors import SettingsError
from harvest.settings import VARIABLES, read_settings

ID = "SOUNDCLOUD_CLIENT_ID=abc\n"


def of(tmp_path, content, process=None):
    (tmp_path / ".env").write_bytes(content if isinstance(content, bytes) else content.encode())
    return Environment(process or {}, [tmp_path])


@pytest.mark.parametrize(
    "content",
    [
        ID.encode("utf-8"),
        ID.encode("utf-8-sig"),
        ID.encode("utf-16"),  # with its mark, as PowerShell's `>` writes
        b"\xfe\xff" + ID.encode("utf-16-be"),
        f"# Schlüssel\nexport {ID}".encode(),
        b"SOUNDCLOUD_CLIENT_ID='abc'\r\n",
        f"PATH=/strange\nA=b\0c\n'A=B'=c\nno sense at all\n{ID}".encode(),
        f"SOUNDCLOUD_CLIENT_ID=first\n{ID}".encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-be", "export", "quoted", "odd neighbours", "twice"],
)
def test_a_text_file_is_read(tmp_path, content):
    assert of(tmp_path, content).find("SOUNDCLOUD_CLIENT_ID") == Found(
        "abc", "SOUNDCLOUD_CLIENT_ID", str(tmp_path / ".env")
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"# Schl\xfcssel\n" + ID.encode(), "is not UTF-8 text"),
        (b"\xff\xfe" + b"x", "is not UTF-8 text"),
        (b"SOUNDCLOUD_CLIENT_ID=a\0c\n", "odd characters in the value of SOUNDCLOUD_CLIENT_ID"),
        (b"SOUNDCLOUD_CLIENT_ID: abc\n", "line 1: write NAME=value"),
        (b"A=b\n'SOUNDCLOUD_CLIENT_ID\n", "line 2: write NAME=value"),
        (b"#" * 1_000_001, "larger than a megabyte"),
    ],
)
def test_another_file_is_refused_by_its_name(tmp_path, content, why):
    environment = of(tmp_path, content)
    with pytest.raises(SettingsError, match=why) as raised:
        environment.find("SOUNDCLOUD_CLIENT_ID")
    assert str(raised.value).startswith(str(tmp_path / ".env"))


def test_a_file_that_is_none_is_refused_and_a_folder_of_that_name_is_no_file(tmp_path):
    os.mkfifo(tmp_path / ".env")  # reading it would wait for ever
    with pytest.raises(SettingsError, match="no ordinary file"):
        Environment({}, [tmp_path]).find("SOUNDCLOUD_CLIENT_ID")
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    assert Environment({}, [tmp_path]).find("SOUNDCLOUD_CLIENT_ID") == Found()


def test_nothing_of_a_file_is_replaced_or_reaches_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME_SECRET", "mine")
    before = dict(os.environ)
    environment = of(tmp_path, "SOUNDCLOUD_CLIENT_ID=${HOME_SECRET}\nBROWSER=./owned.sh\nHTTPS_PROXY=x\n", os.environ)
    assert environment.find("SOUNDCLOUD_CLIENT_ID").value == "${HOME_SECRET}"
    assert environment.find("BROWSER").value == os.environ.get("BROWSER", "")
    assert environment.file.others == ("BROWSER", "HTTPS_PROXY")
    assert dict(os.environ) == before


def test_what_is_in_the_environment_hides_the_file_even_when_it_is_empty(tmp_path):
    content = "SOUNDCLOUD_CLIENT_ID=file\nSOUNDCLOUD_OAUTH_TOKEN=file\n"
    found = of(tmp_path, content, {"SOUNDCLOUD_CLIENT_ID": " process "}).find("SOUNDCLOUD_CLIENT_ID")
    assert (found.value, found.is_from_file) == ("process", False)
    assert of(tmp_path, content, {"SOUNDCLOUD_CLIENT_ID": ""}).find("SOUNDCLOUD_CLIENT_ID") == Found()


def test_a_file_is_not_looked_at_while_the_environment_has_it_all(tmp_path):
    environment = of(tmp_path, b"\xfc", dict.fromkeys(VARIABLES, "1"))
    assert environment.find("SOUNDCLOUD_CLIENT_ID").value == "1"


def test_the_first_folder_with_a_file_counts(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    environment = Environment({}, [tmp_path / "a", tmp_path / "b"])
    assert environment.looked_in == f"{tmp_path / 'a' / '.env'} and {tmp_path / 'b' / '.env'}"
    (tmp_path / "b" / ".env").write_text(ID)
    assert Environment({}, environment.folders).find("SOUNDCLOUD_CLIENT_ID").source == str(tmp_path / "b" / ".env")
    (tmp_path / "a" / ".env").write_text("")
    assert Environment({}, environment.folders).find("SOUNDCLOUD_CLIENT_ID") == Found()


@pytest.mark.parametrize(
    ("process", "file", "token", "source"),
    [
        ({"SOUNDCLOUD_OAUTH_TOKEN": "o"}, "", "o", "environment"),
        ({"SOUNDCLOUD_OAUTH_TOKEN": "o", "SOUNDCLOUD_ACCESS_TOKEN": "a"}, "", "a", "environment"),
        ({"SOUNDCLOUD_OAUTH_TOKEN": "o"}, "SOUNDCLOUD_ACCESS_TOKEN=a", "o", "environment"),
        ({}, "SOUNDCLOUD_OAUTH_TOKEN=o", "o", ".env"),
    ],
)
def test_an_access_token_has_two_names(tmp_path, process, file, token, source):
    settings = read_settings(of(tmp_path, file, process))
    assert settings.access_token == token
    assert settings.found["access_token"].source.endswith(source)


EVIL, OWN = "https://evil.example", "https://api.soundcloud.com/"


@pytest.mark.parametrize("address", ["SOUNDCLOUD_API_URL", "SOUNDCLOUD_AUTH_URL"])
@pytest.mark.parametrize(
    "secret",
    ["SOUNDCLOUD_CLIENT_SECRET", "SOUNDCLOUD_ACCESS_TOKEN", "SOUNDCLOUD_OAUTH_TOKEN", "SOUNDCLOUD_REFRESH_TOKEN"],
)
def test_an_address_of_a_file_gets_no_secret_of_the_environment(tmp_path, address, secret):
    with pytest.raises(SettingsError, match=f"^{address} comes from .*, {secret} from the environment") as raised:
        read_settings(of(tmp_path, f"{address}={EVIL}\n", {secret: "mine-mine"}))
    assert "mine-mine" not in str(raised.value)


@pytest.mark.parametrize(
    ("process", "file", "strange"),
    [
        ({}, f"SOUNDCLOUD_API_URL={EVIL}\nSOUNDCLOUD_ACCESS_TOKEN=theirs", "SOUNDCLOUD_API_URL"),
        ({}, f"SOUNDCLOUD_AUTH_URL={EVIL}", "SOUNDCLOUD_AUTH_URL"),
        ({"SOUNDCLOUD_CLIENT_ID": "an id is no secret"}, f"SOUNDCLOUD_API_URL={EVIL}", "SOUNDCLOUD_API_URL"),
        ({"SOUNDCLOUD_ACCESS_TOKEN": "mine"}, f"SOUNDCLOUD_API_URL={OWN}", None),
        ({"SOUNDCLOUD_ACCESS_TOKEN": "mine"}, "SOUNDCLOUD_CLIENT_ID=theirs", None),
        ({"SOUNDCLOUD_ACCESS_TOKEN": "mine", "SOUNDCLOUD_API_URL": EVIL}, f"SOUNDCLOUD_API_URL={EVIL}", None),
    ],
)
def test_which_address_is_strange(tmp_path, process, file, strange):
    found = read_settings(of(tmp_path, file, process)).strange_address
    assert (found.variable if found else None) == strange
