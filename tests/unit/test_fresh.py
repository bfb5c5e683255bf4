"""What `scripts/soak --for` tries, for how long, and what it says of what fails."""

from __future__ import annotations

import pytest

from tests.fresh import run, soak


class Pytest:
    """Takes ten seconds per seed, of which some fail."""

    def __init__(self, **codes):
        self.codes, self.seconds, self.seeds = codes, 0.0, []

    def run(self, command, left):
        seed = command[command.index("--seed") + 1]
        self.seeds.append(int(seed))
        self.seconds += min(10, left)
        return self.codes.get(f"seed{seed}", 0) if left >= 10 else None

    def soak(self, seconds, *arguments):
        return soak(seconds, 7, arguments, self.run, lambda: self.seconds)


def test_seeds_are_tried_one_after_the_other_until_the_time_is_over(capsys):
    tests = Pytest()
    assert tests.soak(35) == 0
    assert (tests.seeds, tests.seconds) == ([7, 8, 9, 10], 35)
    assert capsys.readouterr().out == "3 seeds were tried whole, up to 9; 0 failed.\n"


@pytest.mark.parametrize("code", [1, 2])
def test_a_seed_that_fails_is_named_with_what_tries_it_again_and_others_are_tried_on(capsys, code):
    tests = Pytest(seed8=code)
    assert tests.soak(30, "-k", "cuts") == 1
    assert tests.seeds == [7, 8, 9]
    assert capsys.readouterr().out == (
        "Seed 8 fails. To try it again: scripts/soak -m fresh --seed 8 -k cuts\n"
        "3 seeds were tried whole, up to 9; 1 failed.\n"
    )


@pytest.mark.parametrize("code", [3, 4, 5])
def test_what_is_no_test_at_all_ends_it(code):
    tests = Pytest(seed8=code)
    assert tests.soak(100) == code
    assert tests.seeds == [7, 8]


@pytest.mark.parametrize(("command", "code"), [(["true"], 0), (["false"], 1), (["sleep", "60"], None)])
def test_a_command_has_so_much_time_and_no_more(command, code):
    assert run(command, 0.2 if code is None else 60) == code
