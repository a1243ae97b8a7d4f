"""How many cores a process may use."""

import os

import pytest

from hpsearch.execution.cores import available_cores, quotas


def test_no_more_than_the_affinity_mask():
    """At least one."""
    assert 1 <= available_cores() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/a/b\n", {"a/cpu.max": "150000 100000\n", "a/b/cpu.max": "max 100000\n"}, [1.5]),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, [2.0]),
        ("0::/on/the/host\n", {"cpu.max": "50000 100000\n"}, [0.5]),
        (
            "3:cpuset:/\n1:cpu,cpuacct:/x\n",
            {"cpu/x/cpu.cfs_quota_us": "300000\n", "cpu/x/cpu.cfs_period_us": "100000\n"},
            [3.0],
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, []),
        ("0::/\n", {"cpu.max": "nonsense\n"}, []),
        ("", {}, []),
    ],
)
def test_quotas_of_control_groups_are_found(tmp_path, own, files, expected):
    """Of both versions, from the own group up to the root."""
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        file = tmp_path / "mounted" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert list(quotas(tmp_path / "mounted", tmp_path / "own")) == expected


def test_a_system_without_control_groups_has_no_quota(tmp_path):
    """Nothing is raised."""
    assert list(quotas(tmp_path, tmp_path / "nowhere")) == []
