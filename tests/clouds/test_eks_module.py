"""The module for EKS under the real Terraform."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from pytest_telescope import paths
from pytest_telescope.cluster.clouds.aws_words import words
from tests.clouds.aws_account import CLUSTER
from tests.clouds.aws_account import LEASE
from tests.clouds.aws_account import account
from tests.clouds.aws_account import apply
from tests.clouds.aws_account import terraform

pytestmark = pytest.mark.e2e
MODULE = paths.checkout() / "modules" / "terraform" / "eks"


def test_its_own_tests_pass(tmp_path: Path) -> None:
    with account() as given, terraform(tmp_path, given) as run:
        done = run("test", "-no-color")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed" in done.stdout


def test_it_is_formatted_and_valid(tmp_path: Path) -> None:
    with account() as given, terraform(tmp_path, given) as run:
        valid = run("validate", "-no-color")
    done = subprocess.run(["terraform", "fmt", "-check", "-recursive", str(MODULE)], check=False, timeout=60)

    assert valid.returncode == 0, valid.stdout + valid.stderr
    assert done.returncode == 0


def test_everything_that_can_carry_a_tag_names_its_lease_and_a_destroy_leaves_nothing(tmp_path: Path) -> None:
    with account() as given, terraform(tmp_path, given) as run:
        made = apply(run, tmp_path)
        assert made.returncode == 0, made.stdout + made.stderr
        outputs = json.loads(run("output", "-json").stdout)
        untagged = {
            one.type
            for one in given.cloud.things.values()
            if "tags" in one.values and one.tags.get("telescope_lease") != LEASE
        }

        gone = run("destroy", "-auto-approve", "-input=false", "-no-color", f"-var-file={tmp_path / 'vars.json'}")

        assert gone.returncode == 0, gone.stdout + gone.stderr
        assert given.cloud.holds() == []
    assert untagged == set()
    kubeconfig = yaml.safe_load(outputs["kubeconfig"]["value"])
    assert kubeconfig["users"][0]["user"]["exec"]["args"] == ["--cluster", CLUSTER]
    assert outputs["facts"]["value"]["facts"]["nodes"] == 2


def test_the_words_of_the_module_are_the_harness_words() -> None:
    text = (MODULE / "words.tf").read_text()

    for key in ("networks", "tiers", "disk_types", "bad_zone_ids"):
        line = next(line for line in text.splitlines() if line.split("=")[0].strip() == key)
        assert json.loads(line.partition("=")[2]) == words()[key], key
    for image in words()["os"]:
        assert f"{image} " in text
    assert f'role_path = "{words()["role_path"]}"' in (MODULE / "identity.tf").read_text()
