"""A planted secret is nowhere in what is published, however it is spelt; what is no secret stays as it is."""

from __future__ import annotations

import base64
import json
import urllib.parse
from pathlib import Path

import pytest

from pytest_telescope.metrics.model import Recording
from pytest_telescope.report import secret_files
from pytest_telescope.report import secret_sources
from pytest_telescope.report import secrets
from pytest_telescope.report.secrets import Secrets
from tests.report.junit_rules import problems
from tests.report.stub_session import CELL
from tests.report.stub_session import GREEN
from tests.report.stub_session import RED
from tests.report.stub_session import session

MARK = "(secret)"
BODY = "MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY0K3oAoGCCqGSM49"
KEY = (
    f"-----BEGIN EC PRIVATE KEY-----\n{BODY}\nAwEHoUQDQgAEPR3tU2Fta9ktY6NW0pXFHWgN3vtP\n-----END EC PRIVATE KEY-----\n"
)
TOKEN = "xk93-plain-looking/bearer+value" + "0"
CLIENT_SECRET = 'pl4nted&<client>"secret" value~'
JWT = ".".join(
    base64.urlsafe_b64encode(one).decode().rstrip("=")
    for one in (b'{"alg":"RS256"}', b'{"sub":"system:sa"}', b"sig" * 9)
)
SAS = "https://store.blob.core.windows.net/logs?sv=2022-11-02&se=2026&sr=c&sig=k2UwaaNRzHHGWi8pq3e5Lm0uTPwbU1w%3D"
OUTPUT = "tf-0utput-pw!"


@pytest.fixture
def known() -> Secrets:
    found = Secrets()
    found.add([CLIENT_SECRET, TOKEN, KEY])
    return found


@pytest.mark.parametrize(
    "spelt",
    [
        lambda text: text,
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        urllib.parse.quote,
        urllib.parse.quote_plus,
        lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(f"u:{text}".encode()).decode(),
        lambda text: base64.b64encode(f"{{{text}}}".encode()).decode(),
        lambda text: f"--client-secret={text!r}",
    ],
    ids=["plain", "json", "json-in-json", "url", "form", "xml", "base64", "base64-url", "base64-within", "repr"],
)
def test_a_known_secret_is_found_in_every_spelling(known: Secrets, spelt: object) -> None:
    assert callable(spelt)
    text = f"before {spelt(CLIENT_SECRET)} after"

    masked = known.mask(text)

    assert MARK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "pl4nted" not in masked


def test_a_key_is_found_line_by_line(known: Secrets) -> None:
    log = "".join(f"I1126 12:00:00 terraform: {line}\n" for line in KEY.splitlines())

    masked = known.mask(log)

    assert BODY not in masked
    assert masked.count("\n") == log.count("\n") or "PRIVATE KEY" not in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (KEY, f"{MARK}\n"),
        (json.dumps({"private_key": KEY}), json.dumps({"private_key": f"{MARK}\n"})),
        (f"data: {base64.b64encode(KEY.encode()).decode()}", f"data: {MARK}"),
        (f"token {JWT}.", f"token {MARK}."),
        (f"put {SAS}", f"put {SAS.partition('sig=')[0]}{MARK}"),
        ("key=1;AccountKey=" + "A1b2" * 10 + "==;x", f"key=1;{MARK};x"),
        ('{"clientSecret": "has blanks & more"}', f'{{"clientSecret": "{MARK}"}}'),
        ("client_secret = 12ab34cd56", f"client_secret = {MARK}"),
        (r'{"log": "{\"password\": \"abcd1234\"}"}', rf'{{"log": "{{\"password\": \"{MARK}\"}}"}}'),
        ("Authorization: Bearer " + "ab12" * 8, f"Authorization: {MARK}"),
        ("https://user:pa55@host/path", f"https://{MARK}@host/path"),
        ("id AKIAIOSFODNN7EXAMPLE.", f"id {MARK}."),
        ("~ ghp_" + "a1B2" * 9, f"~ {MARK}"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_and_the_rest_stays(text: str, masked: str) -> None:
    assert Secrets().mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "admin_password = (sensitive value)",
        "admin_password = (known after apply)",
        '{"password": null, "token": "", "count": 12345678}',
        "authentication_token_cache_active_fetch_count 0",
        "serviceaccount/default-token-x7x2k mounted",
        '{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}',
        "use: kubelet/sandbox-create, key: value",
        "sum by (le) (rate(apiserver_request_duration_seconds_bucket[5m]))",
        "sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1",
        "https://127.0.0.1:6443/api/v1/pods?limit=500",
        "pods/token-review-controller: token: enabled",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Secrets().mask(text) == text


@pytest.mark.parametrize("value", ["12345678", "short", "kubernetes", "Disabled"])
def test_a_value_that_would_spoil_what_is_published_is_no_secret(value: str) -> None:
    found = Secrets()

    found.add([value])

    assert len(found) == 0


def test_a_name_of_the_run_is_no_secret() -> None:
    found = Secrets(names="local-pod-startup--p1000--running")

    found.add(["pod-startup", "pod-startup-2"])

    assert list(found) == ["pod-startup-2"]


def test_variables_are_secret_by_their_names_and_files_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "account.json").write_text(json.dumps({"type": "service_account", "private_key": KEY}))
    environ = {
        "ARM_CLIENT_SECRET": "s-client",
        "SYSTEM_ACCESSTOKEN": "s-access",
        "AWS_SECRET_ACCESS_KEY": "s-aws",
        "AZURE_FEDERATED_TOKEN_FILE": f"{tmp_path}/token",
        "GOOGLE_APPLICATION_CREDENTIALS": f"{tmp_path}/account.json",
        "HTTPS_PROXY": "http://user:s%2Dproxy@proxy:3128",
        "AWS_REGION": "eu-west-1",
        "PATH": "/usr/bin",
        "MONKEY": "see",
    }

    found = secret_sources.of_environment(environ)

    assert {"s-client", "s-access", "s-aws", TOKEN, "s-proxy"} <= found
    assert any(BODY in one for one in found)
    assert not found & {"eu-west-1", "/usr/bin", "see", f"{tmp_path}/token"}


def test_a_lease_s_folder_gives_its_keys_tokens_and_what_terraform_calls_sensitive(tmp_path: Path) -> None:
    data = base64.b64encode(KEY.encode()).decode()
    state = {
        "outputs": {"password": {"value": OUTPUT, "sensitive": True}, "region": {"value": "westeurope-1"}},
        "resources": [
            {
                "instances": [
                    {
                        "attributes": {"auth": [{"pin": "s-nested-1"}], "name": "cluster-one"},
                        "sensitive_attributes": [
                            [
                                {"type": "get_attr", "value": "auth"},
                                {"type": "index", "value": {"value": 0, "type": "number"}},
                                {"type": "get_attr", "value": "pin"},
                            ]
                        ],
                    }
                ]
            }
        ],
    }
    files = {
        "kubeconfig": f"user:\n  password: lettersonly\n  token: {TOKEN}\n  client-key-data: {data}\n",
        "terraform.tfstate": json.dumps(state),
        "pki/ca.key": KEY,
        "etcd/member/data": "password: inside-etcd-1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    found = secret_sources.of_folder(tmp_path)

    assert {TOKEN, "lettersonly", data, KEY.strip(), OUTPUT, "s-nested-1"} <= found
    assert not found & {"westeurope-1", "cluster-one", "inside-etcd-1"}


def test_many_secrets_are_found_in_one_pass_as_one_by_one() -> None:
    found = Secrets()
    found.add(f"secret-number-{number}-of-many" for number in range(2000))
    text = "z" * 300_000 + "secret-number-1234-of-many" + "z" * 10 + "secret-number-1-of-many"

    masked = found.mask(text)

    assert masked == "z" * 300_000 + MARK + "z" * 10 + MARK


def test_files_are_cleaned_by_kind(tmp_path: Path, known: Secrets) -> None:
    root, private = tmp_path / "publish", tmp_path / "private"
    block = root / "recording" / "01A"
    (block / "chunks").mkdir(parents=True)
    (block / "chunks" / "000001").write_bytes(b"\0" + TOKEN.encode())
    (block / "index").write_bytes(b"\0\1" + TOKEN.encode())
    (block / "other").write_bytes(b"\0\1no secret")
    (root / "a.log").write_bytes(b"\xff " + TOKEN.encode())
    (root / "b.log").write_text("nothing")
    before = (root / "b.log").stat().st_mtime_ns

    done = secret_files.clean(root, known, private)

    assert done.rewritten == [Path("a.log")]
    assert (root / "a.log").read_bytes() == b"\xff " + MARK.encode()
    assert (root / "b.log").stat().st_mtime_ns == before
    assert done.withheld == [Path("recording/01A/index")]
    assert (private / "withheld/recording/01A/index").exists()
    assert sorted(one.name for one in block.rglob("*") if one.is_file()) == ["000001", "other"]


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_secret_at_the_border_of_two_parts_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Secrets, at: int
) -> None:
    monkeypatch.setattr(secret_files, "PART", 200)
    line, body = "x" * at + "\n", f"{'kLm5' * 16}\n" * 2
    unknown = f"-----BEGIN EC PRIVATE KEY-----\n{body}-----END EC PRIVATE KEY-----\n"
    text, binary = tmp_path / "publish" / "a.log", tmp_path / "publish" / "index"
    text.parent.mkdir()
    text.write_text(f"{line}{TOKEN}\n{unknown}the end\n")
    binary.write_bytes(b"\0" * at + TOKEN.encode() + b"\0" * 300)

    done = secret_files.clean(tmp_path / "publish", known, tmp_path / "private")

    assert text.read_text() == f"{line}{MARK}\n{MARK}\nthe end\n"
    assert (done.rewritten, done.withheld) == ([Path("a.log")], [Path("index")])


def test_a_killed_run_is_cleaned_later_with_what_it_had_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "publish").mkdir()
    (tmp_path / "private").mkdir()
    secret_sources.remember(tmp_path / "private", [TOKEN])
    (tmp_path / "publish" / "log").write_text(f"got {TOKEN}")

    code = secret_files.main([str(tmp_path)])

    assert code == 0
    assert (tmp_path / "publish" / "log").read_text() == f"got {MARK}"
    assert (tmp_path / "private" / secret_sources.NAME).stat().st_mode & 0o077 == 0
    assert "1 published files" in capsys.readouterr().out


def test_the_marks_of_a_file_are_no_secret_a_second_time(known: Secrets) -> None:
    once = known.mask(f'{{"password": "{TOKEN}", "clientSecret": "abcdefgh1"}}')

    assert known.mask(once) == once
    assert json.loads(once) == {"password": MARK, "clientSecret": MARK}


PLANTED = {
    "key": BODY,
    "token": TOKEN,
    "client secret": CLIENT_SECRET,
    "account key": "AwEHoUQDQgAEPR3tU2Fta9ktY6NW0pXFHWgN3vtP",
    "sas": "k2UwaaNRzHHGWi8pq3e5Lm0uTPwbU1w",
    "jwt": JWT.rpartition(".")[2],
    "output": OUTPUT,
}


@pytest.mark.parametrize("arguments", [(), ("-n1",)])
def test_a_session_publishes_none_of_the_secrets_that_its_tools_let_out(
    tmp_path: Path, busy_recording: Recording, arguments: tuple[str, ...]
) -> None:
    data = base64.b64encode(KEY.encode()).decode()
    let_out = f"{KEY}\n{TOKEN} {CLIENT_SECRET} {SAS} {JWT} {OUTPUT}"
    events = {"items": [{"message": let_out, "base64": base64.b64encode(f"a{let_out}".encode()).decode()}]}
    files = {
        "lease:kubeconfig": f"users:\n- name: a\n  user:\n    token: {TOKEN}\n    client-key-data: {data}\n",
        "lease:terraform.tfstate": json.dumps({"outputs": {"p": {"value": OUTPUT, "sensitive": True}}}),
        "logs:terraform.log": "".join(f"2026-11-26 [INFO] {line}\n" for line in let_out.splitlines()),
        "logs:events.json": json.dumps(events),
        "cell:load/main/clusterloader2.log": f"E1126 request failed: Bearer {TOKEN}\n{data}\n{CLIENT_SECRET!r}\n",
    }

    done = session(
        tmp_path,
        busy_recording.path,
        *arguments,
        slos=GREEN + RED.replace("DESCRIPTION", json.dumps(f"seen {CLIENT_SECRET}")),
        stub={"message": f"quota: {let_out}", "files": files, "at": {"destroy": "error"}},
        environment={"ARM_CLIENT_SECRET": CLIENT_SECRET},
    )

    published = {
        file.relative_to(done.run): file.read_bytes() for file in (done.run / "publish").rglob("*") if file.is_file()
    }
    assert found_in(published) == []
    assert found_in({Path("terminal"): done.text.encode()}) == []
    assert problems(done.junit) == []
    assert done.red()[f"leak[{CELL}]"].startswith("ERROR leak")
    assert json.loads((done.run / "publish" / "cells" / CELL / "logs" / "events.json").read_text())
    assert not list((done.run / "private").glob("secrets*"))


def found_in(published: dict[Path, bytes]) -> list[str]:
    """Return which secrets are where: as they are, in JSON, XML, a URL, base64."""
    spellings = [
        (name, spelt) for name, secret in PLANTED.items() for spelt in secrets.spellings(secret) if len(spelt) > 8
    ]
    return [
        f"{name} in {file}: {spelt!r}" for file, data in published.items() for name, spelt in spellings if spelt in data
    ]
