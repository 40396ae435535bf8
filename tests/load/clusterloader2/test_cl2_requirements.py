"""What a compiled config needs of its cluster is known before there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_telescope.errors import UsageError
from pytest_telescope.load.clusterloader2 import review
from pytest_telescope.load.clusterloader2.engine import ClusterLoader2
from pytest_telescope.load.clusterloader2.generated import Call
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.methods import methods
from pytest_telescope.load.clusterloader2.requirements import asks_prometheus
from pytest_telescope.load.clusterloader2.requirements import missing
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterLoader2Spec
from tests.load.clusterloader2.test_cl2_entries import cell_of

NONE: frozenset[str] = frozenset()


def compiled(*calls: Call) -> Generated:
    return Generated(name="a", steps=("create", "measure"), calls=calls, objects=(), rates=())


def call(method: str, **params: object) -> Call:
    return Call(step=2, step_name="measure", method=method, identifier="mine", params=params)


def test_a_config_that_needs_nothing_runs_anywhere() -> None:
    config = compiled(call("PodStartupLatency", action="start"), call("Sleep", duration="1s"))

    assert missing(config, NONE, allow_exec=False) == []
    assert not asks_prometheus(config)


def test_what_real_containers_do_needs_real_nodes() -> None:
    config = compiled(call("DnsLookupLatency", action="start", threshold="5s"))

    (text,) = missing(config, NONE, allow_exec=False)

    assert text.startswith("step 'measure': DnsLookupLatency mine measures what really running containers do")
    assert text.endswith("(capability real-nodes)")
    assert missing(config, frozenset({"real-nodes"}), allow_exec=False) == []


def test_a_reason_is_told_once_though_it_is_called_often() -> None:
    calls = [call("DnsLookupLatency", action=action, threshold="5s") for action in ("start", "gather", "gather")]

    assert len(missing(compiled(*calls), NONE, allow_exec=False)) == 1


def test_what_cl2_goes_on_without_is_not_refused() -> None:
    config = compiled(call("APIResponsivenessPrometheus", action="start"), call("ResourceUsageSummary", action="start"))

    assert missing(config, NONE, allow_exec=False) == []
    assert asks_prometheus(config)


def test_commands_on_this_machine_are_refused_unless_allowed() -> None:
    config = compiled(call("Exec", command=["sh", "-c", "rm -r x", 5]))

    assert missing(config, NONE, allow_exec=True) == []
    assert missing(config, NONE, allow_exec=False) == [
        "step 'measure': Exec mine runs `sh -c rm -r x 5` on this machine; if you trust it, add --allow-exec"
    ]


@pytest.mark.parametrize(("command", "shown"), [("reboot", "`reboot`"), (5, "`5`"), (None, "``"), ([], "``")])
def test_a_command_that_is_no_list_is_shown_as_it_is(command: object, shown: str) -> None:
    (text,) = missing(compiled(call("Exec", command=command)), NONE, allow_exec=False)

    assert f"runs {shown} on this machine" in text


def test_an_exec_without_a_command_is_refused_too() -> None:
    assert missing(compiled(call("Exec")), NONE, allow_exec=False)


def test_an_unknown_method_needs_nothing_that_is_known() -> None:
    assert missing(compiled(call("NoSuchMethod")), NONE, allow_exec=False) == []


@pytest.mark.parametrize("name", sorted(methods()))
def test_every_method_is_refused_or_not_with_words(name: str) -> None:
    for text in missing(compiled(call(name)), NONE, allow_exec=False):
        assert text.startswith(f"step 'measure': {name} mine ")
        assert "None" not in text


def written(folder: Path, text: str) -> Path:
    for name, content in {"config.yaml": text, "deployment.yaml": OBJECT.replace("ConfigMap", "Deployment")}.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "object.yaml").write_text(OBJECT, encoding="utf-8")
    return folder


OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{.Name}}\n"
CONFIG = """\
name: a
namespace: {number: 1}
tuningSets:
- {name: T, qpsLoad: {qps: 1}}
steps:
- name: create
  phases:
  - namespaceRange: {min: 1, max: 1}
    replicasPerNamespace: {{.CL2_COUNT}}
    tuningSet: T
    objectBundle:
    - {basename: b, objectTemplatePath: object.yaml}
"""


def test_a_review_refuses_mistakes_with_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = written(tmp_path, CONFIG.replace("objectTemplatePath: object", "objectTemplatePath: nowhere"))
    cell = cell_of(folder, ClusterLoader2Spec(config="config.yaml", overrides={"CL2_COUNT": 1}))

    with pytest.raises(UsageError, match=r"^config.yaml:12: .*nowhere"):
        review.review(cell, {})


def test_a_review_of_a_right_config_has_no_warning(tmp_path: Path) -> None:
    cell = cell_of(written(tmp_path, CONFIG), ClusterLoader2Spec(config="config.yaml", overrides={"CL2_COUNT": 1}))

    assert review.review(cell, {}) == []


@pytest.mark.parametrize(("overrides", "told"), [("[over.yaml]", False), ("[]", True)])
def test_a_review_takes_the_suites_overrides_into_account(tmp_path: Path, overrides: str, told: bool) -> None:
    folder = written(tmp_path, CONFIG)
    (folder / "over.yaml").write_text("CL2_COUNT: 1\n", encoding="utf-8")
    suite = f"- {{identifier: a, configPath: config.yaml, overridePaths: {overrides}}}\n"
    (folder / "suite.yaml").write_text(suite, encoding="utf-8")

    assert ("CL2_COUNT" in _told(cell_of(folder, ClusterLoader2Spec(config="suite.yaml")))) == told


def _told(cell: Cell) -> str:
    try:
        return "\n".join(review.review(cell, {}))
    except UsageError as error:
        return str(error)


def test_only_a_config_that_surely_makes_no_pods_makes_none(tmp_path: Path) -> None:
    cell = cell_of(written(tmp_path, CONFIG), ClusterLoader2Spec(config="config.yaml"))
    before = review.may_make_pods(cell)
    written(tmp_path, CONFIG.replace("object.yaml", "deployment.yaml"))

    assert not before
    assert review.may_make_pods(cell)


@pytest.mark.parametrize("content", [b"CL2_COUNT: [", b"CL2_COUNT: \xff\xfe", b"CL2_DAY: 2026-99-99"])
def test_a_review_refuses_override_files_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path, CONFIG)
    (folder / "over.yaml").write_bytes(content)
    suite = "- {identifier: a, configPath: config.yaml, overridePaths: [over.yaml]}\n"
    (folder / "suite.yaml").write_text(suite, encoding="utf-8")

    assert "over.yaml: override file of a suite that cannot be read" in _told(
        cell_of(folder, ClusterLoader2Spec(config="suite.yaml"))
    )


def test_a_review_takes_names_that_yaml_takes_for_something_else(tmp_path: Path) -> None:
    folder = written(tmp_path, CONFIG)
    (folder / "over.yaml").write_text("CL2_COUNT: 1\nN: 5\n7: 8\n", encoding="utf-8")
    suite = "- {identifier: a, configPath: config.yaml, overridePaths: [over.yaml]}\n"
    (folder / "suite.yaml").write_text(suite, encoding="utf-8")

    assert "override 7 is used nowhere" in _told(cell_of(folder, ClusterLoader2Spec(config="suite.yaml")))


MEASURED = """\
name: a
steps:
- name: measure
  measurements:
  - {Identifier: mine, Method: METHOD, Params: PARAMS}
"""


def checked(folder: Path, method: str, params: str, *capabilities: str, allow_exec: bool = False) -> str:
    """What the engine's check says against a config, by a dry run of the real CL2."""
    config = MEASURED.replace("METHOD", method).replace("PARAMS", params)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    cell = cell_of(folder, ClusterLoader2Spec(config="config.yaml"))
    try:
        ClusterLoader2(allow_exec=allow_exec).check(cell, frozenset(capabilities))
    except UsageError as error:
        return str(error)
    return ""


def test_a_check_compiles_the_config_and_leaves_nothing(tmp_path: Path) -> None:
    assert checked(tmp_path, "PodStartupLatency", "{action: start}") == ""
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_a_check_refuses_what_cl2_refuses(tmp_path: Path) -> None:
    told = checked(tmp_path, "{{.Nodes", "{}")

    assert told.startswith(f"{tmp_path / 'config.yaml'}: clusterloader2 refuses it: ")


def test_a_check_refuses_what_the_cluster_cannot_run(tmp_path: Path) -> None:
    params = "{action: start, replicasPerProbe: 1}"

    assert checked(tmp_path, "DnsLookupLatency", params).startswith(
        f"{tmp_path / 'config.yaml'}: step 'measure': DnsLookupLatency mine measures what really running containers do"
    )
    assert checked(tmp_path, "DnsLookupLatency", params, "real-nodes") == ""


def test_a_check_refuses_commands_on_this_machine_unless_allowed(tmp_path: Path) -> None:
    assert "runs `true {{.}}` on" in checked(tmp_path, "Exec", "{command: ['true', '{{\"{{.}}\"}}']}")
    assert checked(tmp_path, "Exec", "{command: ['true']}", allow_exec=True) == ""
