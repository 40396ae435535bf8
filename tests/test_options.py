"""What the command line chooses."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

import pytest

from pytest_telescope import options


@pytest.mark.parametrize(
    ("expression", "providers"),
    [
        ("aks", ("aks",)),
        ("aks or eks", ("aks", "eks")),
        ("not aks", ()),
        ("aks and not eks", ("aks",)),
        ("aks and slow", ("aks",)),
        ("not (aks or local)", ()),
        ("(aks or eks) and not aks", ("eks",)),
        ("local and (slow or quick)", ("local",)),
        ("slow", ()),
        ("", ()),
        ("not slow", ()),
        ("aks and eks", ()),
        ("local or", ()),
    ],
)
def test_a_provider_is_chosen_only_by_its_name(expression: str, providers: tuple[str, ...]) -> None:
    assert options.providers_named(expression) == providers


def test_names_are_split_at_commas_and_kept_once_in_order() -> None:
    assert options.split(["cri,api", "cri", " b ,"]) == ("cri", "api", "b")


def test_a_value_may_hold_an_equals_sign() -> None:
    assert options.assignment("image=a=b", "--set") == ("image", "a=b")


@pytest.mark.parametrize("text", ["pods", "=3", ""])
def test_an_assignment_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="NAME=VALUE"):
        options.assignment(text, "--set")


def chosen(monkeypatch: pytest.MonkeyPatch, *arguments: str, environ: dict[str, str] | None = None) -> options.Choice:
    """Return what a command line chooses in an environment that says nothing of CI but `environ`."""
    for name in ("CI", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (environ or {}).items():
        monkeypatch.setenv(name, value)
    parser = pytest.Parser(_ispytest=True)
    options.add(parser)
    parser.addoption("--markexpr", default="")
    parser.addoption("--numprocesses", default=None)
    return options.choose(cast(pytest.Config, Parsed(parser.parse(list(arguments)))))


class Parsed:
    """What `choose` reads of a config."""

    def __init__(self, option: argparse.Namespace) -> None:
        self.option = option

    def getoption(self, name: str) -> object:
        return getattr(self.option, name)


LOCAL = ("--markexpr=local", "--scenario=cri")


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TF_BUILD": "True"}, {"CI": "1"}])
def test_nothing_is_kept_in_ci_unless_that_is_said(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    with pytest.raises(pytest.UsageError, match="--keep-in-ci"):
        chosen(monkeypatch, *LOCAL, "--keep", environ=environ)

    assert chosen(monkeypatch, *LOCAL, "--keep-in-ci", environ=environ)
    assert chosen(monkeypatch, *LOCAL, environ=environ)


@pytest.mark.parametrize("environ", [{}, {"CI": ""}, {"CI": "false"}, {"TF_BUILD": "0"}])
def test_outside_of_ci_a_cluster_may_be_kept(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    assert chosen(monkeypatch, *LOCAL, "--keep", environ=environ)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--attach=config",), "names none"),
        (("--markexpr=aks or eks", "--scenario=cri", "--attach=config"), "names aks and eks"),
        ((*LOCAL, "--attach=config", "--keep"), "leave --keep out"),
        ((*LOCAL, "--attach=config", "--replay=run"), "leave --attach out"),
        ((*LOCAL, "--attach=config", "--numprocesses=2"), "leave -n out"),
        (("--markexpr=local", "--attach=config"), "needs --scenario"),
    ],
)
def test_attach_goes_with_one_provider_and_a_scenario_alone(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: str
) -> None:
    with pytest.raises(pytest.UsageError, match=why):
        chosen(monkeypatch, *arguments)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--repeats=3",), "add --ab NAME=OLD,NEW or --aa"),
        (("--ab=pods=1,2", "--aa"), "leave one of them out"),
        (("--ab=pods",), "expected NAME=OLD,NEW"),
        (("--ab==1,2",), "expected NAME=OLD,NEW"),
        (("--ab=pods=1",), "expected two values, OLD,NEW, found 1"),
        (("--ab=pods=1,2,3",), "found 3"),
        (("--ab=pods=,2",), "found 1"),
        (("--ab=pods=2, 2",), "both arms are the same"),
        (("--ab=pods=1,2", "--set=pods=3"), "only one can say what pods is"),
        (("--ab=pods=1,2", "--repeats=0"), "--repeats 0"),
        (("--ab=pods=1,2", "--repeats=-1"), "--repeats -1"),
        (("--aa", "--repeats=two"), "--repeats two"),
        (("--aa", "--repeats=²"), "--repeats ²"),
        (("--ab=pods=1,2", "--replay=run"), "--replay judges a run as it was"),
        (("--aa", "--numprocesses=2"), "leave -n out"),
    ],
)
def test_what_cannot_be_compared_is_told(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(pytest.UsageError, match=why):
        chosen(monkeypatch, *LOCAL, *arguments)


def test_a_comparison_without_cells_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.UsageError, match="--ab needs cells to compare"):
        chosen(monkeypatch, "--ab=pods=1,2")


def test_a_comparison_has_a_key_two_values_and_five_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = chosen(monkeypatch, *LOCAL, "--ab=load.resource-consumer.rate=5/s,10/s").comparison

    assert found is not None
    assert (found.key, found.values, found.repeats) == ("load.resource-consumer.rate", ("5/s", "10/s"), 5)
    assert chosen(monkeypatch, *LOCAL).comparison is None


def test_the_kubeconfig_to_attach_to_is_found_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    found = chosen(monkeypatch, *LOCAL, "--attach=config")

    assert found.attach == Path.cwd() / "config"
