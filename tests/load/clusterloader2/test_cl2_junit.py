from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.errors import LoadError
from pytest_telescope.load.clusterloader2 import junit
from pytest_telescope.load.clusterloader2 import junit_failures
from pytest_telescope.load.clusterloader2 import junit_names
from pytest_telescope.load.clusterloader2.junit_names import Place
from pytest_telescope.load.clusterloader2.model import Case
from pytest_telescope.load.clusterloader2.tables import table

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

REPORTS = Path(__file__).parent / "data" / "reports"
HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
OVERALL = "load overall (load.yaml)"

VIOLATIONS = [
    "API calls: [Perc99: sample above threshold: want: less or equal than 1, got: 1.5]",
    "API calls: [Rate: sample below threshold: want: greater or equal than 5, got: 0]",
    "API calls: [Perc99: query returned no samples for API calls]",
    "API calls: [Q: too many samples for [a b]: query returned 1 and 2, expected single value. Q: sample above "
    "threshold: want: less or equal than 1, got: 2]",
    "neg_attach_endpoint: Updates for 64s latency is within 90%, expected 95%, buckets: map[+Inf:10 64:9]",
    "node health: number of unhealthy nodes (5) is above threshold (4), total nodes: 10, example unhealthy node: n-1",
    "scheduler throughput_prometheus: actual throughput 10.000000 lower than threshold 90.000000",
    "scheduler throughput: actual throughput 10.000000 lower than threshold 100000.000000",
    "DnsLookupLatency: too high latency 50th percentile: got 7ms expected: 5ms",
    "container restarts: container restart count validation: [restartCount({Container:a Pod:b Namespace:c}) = 2, "
    "expected <= 0]",
    "NodelocalDNS dns_request_duration_seconds: 99th Percentile Latency 6s is higher than the upper bound of 5s",
    "top latency metric: there should be no high-latency requests, but: [got: &{Resource:pods Subresource: Verb:LIST "
    "Scope:cluster Latency:perc50: 25ms, perc90: 45ms, perc99: 40s Count:5 SlowCount:1}; expected perc99 <= 30s]",
    "Network Programming Latency: too high latency 99th percentile: got 31s expected: 30s",
    "claim allocation: too high latency 90th percentile: got 7s expected: 5s",
    "pod startup: too high latency 99th percentile: got 7s expected: 5s",
    "resource constraints: 1 constraints violated: [container kube-dns-abc/dns is using 0.5/0.1 CPU]",
    "Cilium endpoint propagation delay: 1786119413.781: updates for 600s delay is within 90%, expected 95%, buckets: "
    "map[+Inf:100 600:90]",
    "API availability: SLO not fulfilled (expected >= 99.50, got: 99.00)",
    "OOMs recorded: [{Node:n-1 Process:p ProcessMemory:1kB ProcessID:1 Time:2026-01-01 00:00:00 +0000 UTC}]",
    "restart counts violation: RestartCount(kube-dns, dns)=1, want <= 0",
]
ERRORS = [
    "timed out while waiting for controlled pods: timed out waiting for the condition",
    "1 objects timed out: Deployments: test-abc-1/a-0",
    "failed to get cluster version",
    'failed to execute query "histogram_quantile(0.99, x)": unexpected error: [503]',
    "got unexpected number of samples: 0",
    "criticl error: got context deadline exceeded while waiting for 100 pods to be running",
    "action gather failed for EtcdMetrics measurement: unexpected error (code: 1) in ssh connection to master",
    "uninitialized timer pod startup: too high latency",
]
OUTER = [
    "reading template (flow.yaml) for identifier error: unmarshaling error: yaml: line 5: did not find expected node",
    "namespace test-abc-1 object a-0 creation error: quota exceeded",
    "namespace  object a-0 deletion error: not found",
    "tuning set creation error: no such tuning set",
    "bundle error: a has 1 replicas while b has 2",
    "error while preparing test namespaces: pre-existing automanaged namespaces found",
]


def call(text: str, method: str = "Some", identifier: str = "Id - [00]") -> str:
    return f"measurement call {method} - {identifier} error: {text}"


def error_list(errors: Sequence[str]) -> str:
    return "[" + "\n".join(errors) + "]"


def case_text(name: str, failure: str | None = None, seconds: str = "1.5") -> str:
    attributes = f'name={quoteattr(name)} classname="{junit.SUITE}" time="{seconds}"'
    if failure is None:
        return f"<testcase {attributes}></testcase>"
    text = escape(f":0\n{failure}\n:0", {"\n": "&#xA;"})
    return f'<testcase {attributes}><failure type="Failure">{text}</failure></testcase>'


def report(*cases: str, failures: int | None = None, suite: str = junit.SUITE) -> str:
    failed = sum("<failure" in case for case in cases) if failures is None else failures
    inside = "\n".join(cases)
    return (
        f'{HEADER}  <testsuite name="{suite}" tests="0" failures="{failed}" errors="0" time="1.5">\n{inside}\n'
        "  </testsuite>"
    )


def cases_of(folder: Path, *cases: str) -> tuple[Case, ...]:
    (folder / "junit.xml").write_text(report(*cases), encoding="utf-8")
    return junit.read(folder / "junit.xml")


def told_apart(failure: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return junit_failures.told_apart(junit_failures.lines(failure))


def test_a_green_run_has_its_steps_in_order_and_no_failure() -> None:
    cases = junit.read(REPORTS / "complete" / "junit.xml")

    assert [case.number for case in cases] == [0, *[1] * 12, 2, 3, 3, *range(4, 16)]
    assert all(case.failure is None and case.violations == case.errors == () for case in cases)
    assert cases[0] == Case(step="", number=0, measurement="", seconds=47.338090099)
    assert (cases[1].step, cases[1].measurement) == ("Start [all] - measurements", "Pod startup - [first]")
    assert (cases[12].step, cases[12].measurement) == ("Start [all] - measurements", "")
    assert (cases[13].step, cases[13].measurement) == ("create", "")


def test_missed_thresholds_are_violations() -> None:
    cases = junit.read(REPORTS / "violated" / "junit.xml")

    failed = {case.measurement: case for case in cases if case.number and case.failure is not None}
    assert sorted(failed) == [
        "APIAvailability",
        "NodeHealth",
        "PodStartupLatency",
        "SchedulingThroughput",
        "TestMetrics",
    ]
    assert all(len(case.violations) == 1 and case.errors == () for case in failed.values())
    assert failed["PodStartupLatency"].violations == (
        "measurement call PodStartupLatency - PodStartupLatency error: pod startup: too high latency 50th percentile: "
        "got 53.574338ms expected: 1ms",
    )
    assert failed["TestMetrics"].violations[0].endswith("Time:2030-01-01 00:00:00 +0000 UTC}]")
    assert sorted(cases[0].violations) == sorted(case.violations[0] for case in failed.values())


def test_what_breaks_is_an_error_on_one_line_each() -> None:
    cases = junit.read(REPORTS / "broken" / "junit.xml")

    assert all(case.violations == () for case in cases)
    assert [line.split(" error: ")[0] for line in cases[0].errors] == [
        "reading template (flow.yaml) for identifier",
        "measurement call Exec - Fails",
        "measurement call Exec - second",
        "measurement call Exec - first - [1]",
        "measurement call WaitForControlledPodsRunning - WaitForRunning",
        "measurement call WaitForRunningPods - Fatal",
    ]
    assert cases[0].errors[1].endswith("command [sh -c echo one; exit 3] failed: exit status 3")
    (phases,) = (case for case in cases if case.step == "create nothing")
    assert phases.failure == error_list(phases.errors)


def test_a_suite_has_one_whole_test_for_each_of_its_tests() -> None:
    cases = junit.read(REPORTS / "suite" / "junit.xml")

    assert [case.number for case in cases] == [0, 1, 2, 3] * 3
    assert {case.measurement for case in cases} == {"", "x"}


@pytest.mark.parametrize("text", VIOLATIONS)
def test_every_text_of_a_violation_is_one(text: str) -> None:
    bundled = call(f"action gather failed for X measurement: {text}", "TestMetrics")

    for line in (text, call(text), bundled):
        assert told_apart(error_list([line])) == ((line,), ())


def test_every_pattern_of_a_violation_is_needed_and_says_its_source() -> None:
    document = table("violations")
    entries = [*document["junit_violations"], *document["plain_violations"]]

    fitting = [[entry["source"] for entry in entries if re.match(entry["text"], text)] for text in VIOLATIONS]

    assert all(len(sources) == 1 for sources in fitting)
    assert {source for (source,) in fitting} == {entry["source"] for entry in entries}


@pytest.mark.parametrize("text", ERRORS)
def test_every_other_text_is_an_error(text: str) -> None:
    assert told_apart(error_list([call(text)])) == ((), (call(text),))


@pytest.mark.parametrize("text", OUTER)
def test_what_fails_outside_of_measurements_is_an_error(text: str) -> None:
    assert told_apart(error_list([text])) == ((), (text,))


@given(st.lists(st.sampled_from([*map(call, VIOLATIONS), *map(call, ERRORS), *OUTER]), min_size=1, max_size=6))
def test_a_list_of_errors_is_split_as_it_was_joined(errors: list[str]) -> None:
    assert list(junit_failures.lines(error_list(errors))) == errors


@given(st.lists(st.sampled_from(VIOLATIONS + ERRORS[:6]), min_size=1, max_size=4), st.sampled_from(OUTER))
def test_a_list_in_an_error_is_split_too(texts: list[str], after: str) -> None:
    parts = [f"action gather failed for X measurement: {text}" for text in texts]

    lines = junit_failures.lines(error_list([call(error_list(parts), "TestMetrics"), after]))

    assert list(lines) == [*(call(part, "TestMetrics") for part in parts), after]


@given(st.lists(st.sampled_from(VIOLATIONS), min_size=1, max_size=4))
def test_a_list_of_bare_violations_in_an_error_is_split_too(texts: list[str]) -> None:
    lines = junit_failures.lines(error_list([call(error_list(texts), "SLOMeasurement")]))

    assert list(lines) == [call(text, "SLOMeasurement") for text in texts]


def test_a_violation_of_two_lines_stays_one() -> None:
    violation = call("neg_attach_endpoint: Updates for 64s latency is within 90%, expected 95%, buckets:\nmap[64:9]")

    violations, errors = told_apart(error_list([violation, OUTER[0]]))

    assert violations == (violation.replace("\n", " "),)
    assert errors == (OUTER[0],)


def test_a_line_that_is_not_known_never_hides_in_a_violation() -> None:
    violations, errors = told_apart(error_list([call(VIOLATIONS[14]), "the cluster is on fire", "really"]))

    assert violations == (call(VIOLATIONS[14]),)
    assert errors == ("the cluster is on fire really",)


def test_an_error_with_line_breaks_is_one_line() -> None:
    text = call("command [sh -c a\nb\n\nc] failed: exit status 1")

    assert junit_failures.lines(error_list([text, OUTER[1]])) == (
        call("command [sh -c a b c] failed: exit status 1"),
        OUTER[1],
    )


def test_code_locations_are_taken_off_once() -> None:
    assert junit_failures.cleaned(":0\n[:0\nx\n:0]\n:0") == "[:0\nx\n:0]"
    assert junit_failures.cleaned("x") == "x"


def test_a_failure_without_a_word_is_an_error(tmp_path: Path) -> None:
    (case,) = cases_of(tmp_path, case_text(OVERALL, "[]"))

    assert (case.failure, case.violations, case.errors) == ("[]", (), (junit.NO_WORDS,))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([OVERALL], [Place()]),
        ([OVERALL, "load: [step: 01] a"], [Place(), Place("a", 1)]),
        ([OVERALL, "load: [step: 01] a [00] - b"], [Place(), Place("a", 1, "b")]),
        ([OVERALL, "load: [step: 01]  [00] - "], [Place(), Place("", 1, "")]),
        (
            [OVERALL, "load: [step: 02] a [00] - b [00] - c [00] - b", "load: [step: 02] a [00] - b [01] - d"],
            [Place(), Place("a [00] - b", 2, "c [00] - b"), Place("a [00] - b", 2, "d")],
        ),
        (
            [OVERALL, *(f"load: [step: 100] a [{number:02d}] - [{number}]" for number in range(101))],
            [Place(), *(Place("a", 100, f"[{number}]") for number in range(101))],
        ),
        (
            ["a overall (b) overall (c) overall (d)", "a overall (b): [step: 01] x"],
            [Place(), Place("x", 1)],
        ),
        (
            ["a: [step: 09] b overall (c)", "a: [step: 09] b: [step: 01] x: [step: 02] y [00] - z"],
            [Place(), Place("x: [step: 02] y", 1, "z")],
        ),
        (
            ["a overall (c)", "a: [step: 01] overall (x)", "b overall (c)", "b: [step: 01] y", "c overall (c)"],
            [Place(), Place("overall (x)", 1), Place(), Place("y", 1), Place()],
        ),
        (["a\nb overall (c)", "a\nb: [step: 01] x\ny [00] - z\n"], [Place(), Place("x\ny", 1, "z\n")]),
    ],
)
def test_names_of_cases_are_taken_apart(names: list[str], expected: list[Place]) -> None:
    assert junit_names.places(names) == expected


@pytest.mark.parametrize(
    "names", [[""], ["load: [step: 01] a"], [OVERALL, "other: [step: 01] a"], [OVERALL, "load: [step: 1] a"], ["load"]]
)
def test_names_that_are_not_of_cl2_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="is neither a test nor a step"):
        junit_names.places(names)


def test_a_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"junit\.xml: no report of clusterloader2 .*: No such file or directory"):
        junit.read(tmp_path / "junit.xml")


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
WHOLE = report(case_text(OVERALL))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "it is empty", id="empty"),
        pytest.param(" \n", "it is empty", id="blank"),
        pytest.param("{}", "not XML, or cut off", id="json"),
        pytest.param(HEADER, "not XML, or cut off", id="header-only"),
        pytest.param(WHOLE.replace("?>", f"?>{BOMB}"), "it has a document type", id="document-type"),
        pytest.param(WHOLE.replace("></testcase", "><!-- x --></testcase"), "it has a document type", id="comment"),
        pytest.param(WHOLE.replace("></testcase", ">&lol;</testcase"), "undefined entity", id="entity"),
        pytest.param(WHOLE.encode("utf-16"), "can't decode byte", id="utf-16"),
        pytest.param(WHOLE.encode().replace(b"load", b"\xff"), "can't decode byte", id="not-utf-8"),
        pytest.param(WHOLE.replace("testsuite", "testsuites"), "its root is not the test suite", id="root"),
        pytest.param(report(case_text(OVERALL), suite="pytest"), "its root is not the test suite", id="suite"),
        pytest.param(report(), "it has no test case", id="no-case"),
        pytest.param(report("<properties/>"), "it has an element 'properties'", id="stranger"),
        pytest.param(WHOLE.replace("></testcase", "><skipped/></testcase"), "more than a failure", id="skipped"),
        pytest.param(WHOLE.replace("></testcase", "><error/></testcase"), "more than a failure", id="error"),
        pytest.param(report(case_text(OVERALL), failures=1), "1 cases failed, and has 0 that did", id="failures"),
        pytest.param(report(case_text(OVERALL, "[x]"), failures=0), "0 cases failed, and has 1", id="failures-lost"),
        pytest.param(report(case_text(OVERALL, seconds="NaN")), "took 'NaN' s", id="time-nan"),
        pytest.param(report(case_text(OVERALL, seconds="-1")), "took '-1' s", id="time-negative"),
        pytest.param(report(case_text(OVERALL, seconds="1e999")), "took '1e999' s", id="time-infinite"),
        pytest.param(report(case_text(OVERALL, seconds="1_0")), "took '1_0' s", id="time-spelled"),
        pytest.param(report(case_text("tests/test_a.py")), "is neither a test nor a step", id="name"),
    ],
)
def test_a_file_that_is_no_report_of_cl2_is_an_error(tmp_path: Path, content: str | bytes, reason: str) -> None:
    file = tmp_path / "junit.xml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(LoadError, match=r"junit\.xml: no report of clusterloader2 that can be read: ") as caught:
        junit.read(file)

    assert reason in str(caught.value)


def test_a_file_that_is_too_large_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "junit.xml").open("wb") as file:
        file.truncate(junit.LARGEST + 1)

    with pytest.raises(LoadError, match="too large"):
        junit.read(tmp_path / "junit.xml")


@pytest.mark.parametrize("folder", ["complete", "violated", "broken", "suite", "prometheus"])
def test_a_file_that_is_cut_off_anywhere_is_an_error(tmp_path: Path, folder: str) -> None:
    content = (REPORTS / folder / "junit.xml").read_bytes()
    file = tmp_path / "junit.xml"

    for end in range(0, len(content), 17):
        file.write_bytes(content[:end])
        with pytest.raises(LoadError):
            junit.read(file)


def test_times_as_go_writes_them_are_read(tmp_path: Path) -> None:
    cases = cases_of(
        tmp_path, case_text(OVERALL, seconds="1.5336614100000001"), case_text("load: [step: 01] a", seconds="2.6e-05")
    )

    assert [case.seconds for case in cases] == [1.5336614100000001, 2.6e-05]


XML_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF) | st.just("\n"))


@given(XML_TEXT)
def test_no_failure_is_lost_whatever_it_says(text: str) -> None:
    violations, errors = told_apart(text)

    said = "".join([*violations, *errors])
    assert {*"".join(text.split())} - {"[", "]"} == {*"".join(said.split())} - {"[", "]"}
    assert all(line.splitlines() == [line] for line in (*violations, *errors))


@given(st.integers(0, 4200), st.integers(0, 8), st.binary(max_size=8), st.sampled_from(["violated", "broken", "suite"]))
def test_a_file_with_bytes_changed_is_read_or_refused(start: int, dropped: int, added: bytes, folder: str) -> None:
    content = (REPORTS / folder / "junit.xml").read_bytes()
    changed = content[:start] + added + content[start + dropped :]

    try:
        cases = tuple(junit._cases(junit._parsed(changed.decode())))
    except ValueError:
        return

    assert all(case.failure is None or case.violations or case.errors for case in cases)
    assert all(case.seconds >= 0 for case in cases)
