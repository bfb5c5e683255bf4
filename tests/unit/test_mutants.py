"""The planted bugs: each can be planted, one edit each, and some test is known to see it."""

from __future__ import annotations

import json

import pytest

from tests.mutation.__main__ import KILLED_BY, ROOT, mutants


def test_every_bug_fits_the_code_as_it_is_and_names_tests_that_are_there():
    for mutant in mutants():
        text = (ROOT / mutant.file).read_text("utf-8")
        assert (text.count(mutant.old), mutant.old != mutant.new) == (1, True), mutant.name
        assert all((ROOT / test).exists() for test in mutant.tests), mutant.name


def test_the_list_of_who_saw_what_is_of_these_bugs_and_none_survived():
    seen = json.loads(KILLED_BY.read_text("utf-8"))
    assert list(seen) == [mutant.name for mutant in mutants()]
    assert len(seen) >= 60
    assert all(test and (ROOT / test.partition("::")[0].split()[0]).exists() for test in seen.values())


def test_a_planted_bug_is_the_one_edit_and_what_fits_no_more_is_an_error(tmp_path):
    mutant = mutants()[0]
    (tmp_path / mutant.file).parent.mkdir(parents=True)
    (tmp_path / mutant.file).write_text(f"a\n{mutant.old}b\n", "utf-8")
    assert mutant.plant(tmp_path) == f"a\n{mutant.old}b\n"
    assert (tmp_path / mutant.file).read_text("utf-8") == f"a\n{mutant.new}b\n"
    with pytest.raises(LookupError, match=mutant.name):
        mutant.plant(tmp_path)
