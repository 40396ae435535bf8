"""What holds of every verdict, whatever the numbers.

Green is PASS, everything else is red. Taking data away never makes a red verdict green; a PASS that stays one keeps its
count, and its value, or the bucket around it grows and says so. That is promised of data that something declares: the
cluster's targets, the values of `expect`, the bounds that other targets show. It cannot be promised of an error counter
that `absent: {bad: zero}` declares to be zero when it is not there, nor of observations that no scrape saw.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.metrics.model import Series
from pytest_telescope.slo.bounds import read_bound
from pytest_telescope.slo.elements import Buckets
from pytest_telescope.slo.elements import Key
from pytest_telescope.slo.elements import histograms
from pytest_telescope.slo.elements import judge_histogram
from pytest_telescope.slo.elements import judge_ratio
from pytest_telescope.slo.elements import judge_value
from pytest_telescope.slo.elements import pooled
from pytest_telescope.slo.elements import unseen
from pytest_telescope.slo.elements import worst
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from tests.slo.corpus.judging import judged
from tests.slo.corpus.judging import served
from tests.slo.corpus.model import Case
from tests.slo.corpus.random_worlds import KINDS
from tests.slo.corpus.random_worlds import Telling
from tests.slo.corpus.random_worlds import case
from tests.slo.corpus.random_worlds import loss
from tests.slo.corpus.random_worlds import nodes

EDGES = (0.25, 0.5, 1.0, 2.0, 5.0, math.inf)
STEADY = settings(derandomize=True, deadline=None, max_examples=100, database=None)

values = st.lists(st.floats(0.01, 20), min_size=1, max_size=60)
bounds = st.sampled_from(EDGES[:-1])
percentiles = st.sampled_from([50.0, 75.0, 90.0, 99.0])
scales = st.sampled_from([1e-6, 1e-3, 0.1, 3.0, 60.0, 1e3, 2.0**20])
nodes_of = st.dictionaries(st.sampled_from(["n1", "n2", "n3", "n4"]), values, min_size=1)


def slo(p: float, limit: float, **keys: object) -> Slo:
    bound = Bound(operator="max", values=(limit,), unit="s", text=f"{limit:g}s")
    return Slo(id="x", form="histogram", bound=bound, p=p, metrics=("x_seconds",), **keys)  # type: ignore[arg-type] # a test's shorthand


def series(
    observed: Sequence[float], edges: Sequence[float] = EDGES, short: bool = False, **labels: str
) -> list[Series]:
    """Return the bucket series of some observations."""
    spelt = {edge: "+Inf" if math.isinf(edge) else f"{edge:g}" if short else repr(edge) for edge in edges}
    return [
        Series(labels={**labels, "le": spelt[edge]}, value=float(sum(value <= edge for value in observed)))
        for edge in edges
    ]


def judge(one: Slo, found: Sequence[Series]) -> dict[Key, Element]:
    """Judge series as the judge does."""
    by_key = pooled(one, histograms(found, one.by))
    return {key: judge_histogram(one, key, buckets) for key, buckets in by_key.items()}


def is_greener(before: Verdict, after: Verdict) -> bool:
    return after is Verdict.PASS and before is not Verdict.PASS


@STEADY
@given(values, percentiles, bounds, st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_observations_split_over_instances_are_judged_as_one(
    observed: list[float], p: float, limit: float, owners: list[int]
) -> None:
    split = [
        one
        for owner in range(4)
        for one in series([v for v, o in zip(observed, owners, strict=False) if o == owner], instance=f"i{owner}")
    ]

    assert judge(slo(p, limit), split) == judge(slo(p, limit), series(observed, instance="i1"))


@STEADY
@given(values, percentiles, bounds, scales)
def test_scale_of_times_and_bounds_does_not_matter(observed: list[float], p: float, limit: float, scale: float) -> None:
    scaled = series([value * scale for value in observed], [edge * scale for edge in EDGES])

    plain, other = judge(slo(p, limit), series(observed))[()], judge(slo(p, limit * scale), scaled)[()]

    assert (other.verdict, other.good, other.count) == (plain.verdict, plain.good, plain.count)
    assert plain.value is not None
    assert other.value == pytest.approx(plain.value * scale)


@STEADY
@given(st.integers(1, 10**7), st.sampled_from(["us", "ms", "s"]))
def test_unit_in_which_a_bound_is_written_does_not_matter(number: int, unit: str) -> None:
    factor = {"us": 1, "ms": 10**3, "s": 10**6}[unit]

    written, other = (read_bound("max", text, "s", "x") for text in (f"{number}{unit}", f"{number * factor}us"))

    assert written.values[0] == pytest.approx(other.values[0], rel=1e-12)
    assert written.unit == other.unit == "s"


@STEADY
@given(nodes_of, percentiles, bounds, st.randoms(use_true_random=False), st.booleans())
def test_order_spelling_and_names_of_labels_do_not_matter(
    observed: dict[str, list[float]], p: float, limit: float, random: Random, short: bool
) -> None:
    plain = [one for node, some in observed.items() for one in series(some, node=node, zone="a")]
    renamed = {node: f"ip-10-0-0-{number}" for number, node in enumerate(observed)}
    other = [one for node, some in observed.items() for one in series(some, short=short, zone="a", host=renamed[node])]
    random.shuffle(other)

    before = judge(slo(p, limit, by=("node",)), plain)
    after = judge(slo(p, limit, by=("host",)), other)

    assert {(renamed[key[0]],): _without_labels(one) for key, one in before.items()} == {
        key: _without_labels(one) for key, one in after.items()
    }


@STEADY
@given(values, percentiles, bounds, st.sampled_from(EDGES), st.integers(1, 30))
def test_losing_a_bucket_is_never_greener_and_keeps_count_and_verdict(
    observed: list[float], p: float, limit: float, lost: float, least: int
) -> None:
    one = slo(p, limit, min_count=least)
    before = judge(one, series(observed))[()]

    after = judge(one, series(observed, [edge for edge in EDGES if edge != lost])).get((), None)

    assert after is None or after.verdict in {before.verdict, Verdict.INVALID}
    if after is not None and after.verdict is Verdict.PASS:
        assert (after.count, after.good) == (before.count, before.good)
        assert before.bucket is not None
        assert after.bucket is not None
        assert after.bucket[0] <= before.bucket[0]
        assert before.bucket[1] <= after.bucket[1]


@STEADY
@given(nodes_of, percentiles, bounds, st.sampled_from([None, "merge", "skip", "fail"]), st.data())
def test_losing_an_expected_element_is_never_unseen(
    observed: dict[str, list[float]], p: float, limit: float, sparse: str | None, data: st.DataObject
) -> None:
    one = slo(p, limit, by=("node",), sparse=sparse, expect={"node": tuple(observed)})
    lost = data.draw(st.sampled_from(sorted(observed)))
    left = [row for node, some in observed.items() if node != lost for row in series(some, node=node)]

    found = judge(one, left) if left else {}

    assert f"node {lost}" in unseen({"node": tuple(observed)}, found.values())


@STEADY
@given(values, percentiles, bounds, st.floats(0.01, 20))
def test_one_observation_more_moves_the_verdict_to_its_own_side(
    observed: list[float], p: float, limit: float, extra: float
) -> None:
    before, after = (judge(slo(p, limit), series(some))[()].verdict for some in (observed, [*observed, extra]))

    if extra > limit:
        assert not is_greener(before, after)
    else:
        assert not is_greener(after, before)


@STEADY
@given(values, bounds, bounds, percentiles, percentiles)
def test_kinder_bound_never_turns_a_pass_red(
    observed: list[float], limit: float, other: float, p: float, another: float
) -> None:
    strict = judge(slo(max(p, another), min(limit, other)), series(observed))[()].verdict
    kind = judge(slo(min(p, another), max(limit, other)), series(observed))[()].verdict

    assert not is_greener(kind, strict)


@STEADY
@given(values, percentiles, bounds, st.integers(2, 50))
def test_every_observation_many_times_is_the_same_with_more_of_them(
    observed: list[float], p: float, limit: float, times: int
) -> None:
    once, often = (judge(slo(p, limit), series(some))[()] for some in (observed, observed * times))

    assert (often.verdict, often.bucket) == (once.verdict, once.bucket)
    assert often.good == pytest.approx(once.good)
    assert once.count is not None
    assert often.count == once.count * times


@STEADY
@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 1000), st.sampled_from([0.0, 0.01, 0.03, 0.5]))
def test_ratio_is_of_the_counts_alone(bad: int, more: int, times: int, limit: float) -> None:
    bound = Bound(operator="max", values=(limit,), unit="ratio", text=f"{limit:g}")
    one = Slo(id="x", form="ratio", bound=bound, bad="b", total="t")

    once, often = judge_ratio(one, (), bad, bad + more), judge_ratio(one, (), bad * times, (bad + more) * times)

    assert often.verdict is once.verdict
    assert often.value == pytest.approx(once.value)
    assert (once.verdict is Verdict.PASS) == (bad <= limit * (bad + more) + 1e-9)


@STEADY
@given(st.lists(st.sampled_from(list(Verdict)[:4]), min_size=1, max_size=8), st.data())
def test_worst_verdict_gets_no_better_by_more_verdicts(verdicts: list[Verdict], data: st.DataObject) -> None:
    more = data.draw(st.sampled_from(list(Verdict)[:4]))

    assert not is_greener(worst(verdicts), worst([*verdicts, more]))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("operator", ["max", "min", "below", "above", "equals"])
def test_what_is_no_number_keeps_no_bound(value: float, operator: str) -> None:
    bound = Bound(operator=operator, values=(1.0,), unit="count", text="1")  # type: ignore[arg-type] # parametrized

    assert judge_value(Slo(id="x", form="query", bound=bound), (), value).verdict is Verdict.INVALID


@STEADY
@given(st.lists(st.sampled_from([0.0, 1.0, 5.0, -3.0, math.nan, math.inf]), min_size=6, max_size=6), percentiles)
def test_counts_that_no_histogram_has_are_never_green(counts: list[float], p: float) -> None:
    found = judge_histogram(slo(p, 1.0), (), Buckets(dict(zip(EDGES, counts, strict=True))))

    is_histogram = (
        all(math.isfinite(one) and one >= 0 for one in counts) and counts == sorted(counts) and counts[-1] > 0
    )
    assert is_histogram or found.verdict is Verdict.INVALID


def _without_labels(one: Element) -> tuple[object, ...]:
    return one.verdict, one.value, one.count, one.bucket, one.good


WORLDS = 12
TELLINGS = {
    "whole": Telling(),
    "split": Telling(split=True),
    "retimed": Telling(retimed=True),
    "scaled": Telling(scale=4.0, bound="4s"),
    "milli": Telling(bound="1000ms"),
    "renamed": Telling(label="host", rename=lambda name: f"ip-10-0-0-{name[1:]}"),
    "reversed": Telling(reverse=True),
    "pooled": Telling(pooled=True),
    "pooled-split": Telling(pooled=True, split=True),
}


def written() -> list[Case]:
    """Return every world in every telling, and after one loss of each kind."""
    found = []
    for number in range(WORLDS):
        random = Random(number)
        world = nodes(random)
        found += [case(f"{name}-{number}", world, telling) for name, telling in TELLINGS.items()]
        for kind in KINDS:
            telling = Telling(loss=loss(random, len(world), kind))
            found.append(case(f"less-{kind}-{number}", world, telling))
    return found


@pytest.fixture(scope="module")
def judgements() -> Mapping[str, Judgement]:
    cases = written()
    with served(cases) as proms:
        memory: dict[str, object] = {}
        return {one.name: judged(one, proms[one.name], memory) for one in cases}


def of(judgements: Mapping[str, Judgement], telling: str) -> list[Judgement]:
    return [judgements[f"{telling}-{number}"] for number in range(WORLDS)]


@pytest.mark.e2e
def test_random_worlds_are_of_every_colour(judgements: Mapping[str, Judgement]) -> None:
    assert {one.verdict for one in of(judgements, "whole")} == {Verdict.PASS, Verdict.FAIL, Verdict.INVALID}


@pytest.mark.e2e
@pytest.mark.parametrize("kind", KINDS)
def test_losing_data_is_never_greener_nor_another_pass(judgements: Mapping[str, Judgement], kind: str) -> None:
    both = list(zip(of(judgements, "whole"), of(judgements, f"less-{kind}"), strict=True))

    assert not [(one.message, other.message) for one, other in both if is_greener(one.verdict, other.verdict)]
    passed = [(one, other) for one, other in both if other.verdict is Verdict.PASS]
    for one, other in passed:
        assert other.count == one.count
        assert other.value == pytest.approx(one.value) or kind == "edge", (one.message, other.message)


@pytest.mark.e2e
@pytest.mark.parametrize("kind", ["target", "series", "up"])
def test_losing_what_is_declared_is_invalid(judgements: Mapping[str, Judgement], kind: str) -> None:
    assert {one.verdict for one in of(judgements, f"less-{kind}")} == {Verdict.INVALID}


@pytest.mark.e2e
@pytest.mark.parametrize("telling", ["retimed", "milli", "renamed", "reversed", "split"])
def test_same_world_told_otherwise_has_the_same_judgement(judgements: Mapping[str, Judgement], telling: str) -> None:
    for one, other in zip(of(judgements, "whole"), of(judgements, telling), strict=True):
        assert other.verdict is one.verdict, (one.message, other.message)
        assert has_same_numbers(one, other) or one.verdict is Verdict.INVALID


@pytest.mark.e2e
def test_scaled_world_has_the_scaled_judgement(judgements: Mapping[str, Judgement]) -> None:
    for one, other in zip(of(judgements, "whole"), of(judgements, "scaled"), strict=True):
        assert (other.verdict, other.count) == (one.verdict, one.count)
        assert one.value is not None
        assert other.value == pytest.approx(4 * one.value)


@pytest.mark.e2e
def test_pooled_world_does_not_know_how_many_targets_there_are(judgements: Mapping[str, Judgement]) -> None:
    for one, other in zip(of(judgements, "pooled"), of(judgements, "pooled-split"), strict=True):
        assert other.verdict is one.verdict, (one.message, other.message)
        assert has_same_numbers(one, other) or one.verdict is Verdict.INVALID


def has_same_numbers(one: Judgement, other: Judgement) -> bool:
    """Return whether both judgements rest on the same numbers; after a reset they are extrapolated, and INVALID."""
    return (other.count, other.bucket) == (one.count, one.bucket) and other.value == pytest.approx(one.value)
