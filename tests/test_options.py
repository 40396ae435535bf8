"""What the command line chooses."""

from __future__ import annotations

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
