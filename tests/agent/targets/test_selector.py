import os
import pwd
import re

from pivotscope_agent.targets.selector import OPT_IN, Candidate, Selector, first_match, matches


def candidate(**fields: object) -> Candidate:
    values: dict[str, object] = {
        "pid": 7,
        "cmdline": ("gunicorn", "shop:app"),
        "environ": {"APP": "shop"},
        "user_id": os.getuid(),
        "cgroup": "0::/kubepods/pod1/abc",
    }
    return Candidate(**(values | fields))  # type: ignore[arg-type]


def test_every_condition_must_hold() -> None:
    assert matches(candidate(), Selector(cmdline=re.compile("shop:app$"), env="APP=shop", pid=7))
    assert not matches(candidate(), Selector(cmdline=re.compile("shop:app$"), env="APP=other"))
    assert not matches(candidate(), Selector(pid=8))


def test_no_condition_selects_nothing() -> None:
    assert not matches(candidate(), Selector())


def test_environment_by_name_alone_asks_for_any_value() -> None:
    assert matches(candidate(), Selector(env="APP"))
    assert not matches(candidate(environ={"APP": ""}), Selector(env="APP"))


def test_user_by_name_and_number() -> None:
    assert matches(candidate(), Selector(user=str(os.getuid())))
    assert matches(candidate(), Selector(user=pwd.getpwuid(os.getuid()).pw_name))
    assert not matches(candidate(user_id=4_000_000), Selector(user="root"))


def test_cgroup_is_part_of_the_path() -> None:
    assert matches(candidate(), Selector(cgroup="/pod1/"))
    assert not matches(candidate(), Selector(cgroup="/pod2/"))


def test_first_selector_that_matches_wins() -> None:
    both = (Selector(pid=8), Selector(env="APP=shop"), Selector(pid=7))
    assert first_match(candidate(), both) is both[1]


def test_without_selectors_processes_opt_in() -> None:
    assert first_match(candidate(environ={"PIVOTSCOPE_SERVICE": "shop"}), OPT_IN) is OPT_IN[0]
    assert first_match(candidate(), OPT_IN) is None


def test_prints_its_conditions() -> None:
    assert str(Selector(cmdline=re.compile("a b"), pid=3)) == "cmdline=a b pid=3"
