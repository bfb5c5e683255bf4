"""Read a test file when its turn comes: with `-p tests.later`, xdist hands out whole files that nobody has looked into.

Without it every worker reads all files before the first test runs, which costs a sixth of the whole in a fresh clone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from _pytest.runner import runtestprotocol


class Unread(pytest.Item):
    """A file of tests that stands for all of them until they are wanted."""

    def tests(self) -> list[pytest.Item]:
        """Read the file; give the tests that were asked for. What cannot be read is reported as at any collection."""
        module = pytest.Module.from_parent(self.parent.parent, path=self.path)
        items = list(self.session.genitems(module))
        self.config.hook.pytest_collection_modifyitems(session=self.session, config=self.config, items=items)
        return items

    def runtest(self) -> None:
        raise AssertionError("its tests run in its place")


class _UnreadFile(pytest.File):
    def collect(self) -> Iterator[Unread]:
        yield Unread.from_parent(self, name="tests")


def pytest_pycollect_makemodule(module_path, parent) -> _UnreadFile | None:
    """Only workers need to wait: the one who hands out reads nothing."""
    return _UnreadFile.from_parent(parent, path=module_path) if hasattr(parent.config, "workerinput") else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if isinstance(item, Unread):
        return _run_all_of(item, nextitem)
    if not hasattr(item.config, "workerinput"):
        return None
    for report in runtestprotocol(item, nextitem=nextitem, log=False):
        if report.when == "call" or not report.passed:  # what else is told of each test costs as much as a short one
            item.ihook.pytest_runtest_logreport(report=report)
    return True


def _run_all_of(item: Unread, nextitem: pytest.Item | None) -> bool:
    session = item.session
    place = session.items.index(item)
    tests = item.tests()
    for test, following in zip(tests, [*tests[1:], nextitem], strict=False):
        session.items[place] = test  # a report is taken only from the item whose turn it is
        item.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        if session.shouldfail or session.shouldstop:
            break
    session.items[place] = item
    return True
