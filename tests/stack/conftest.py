from __future__ import annotations

import pytest

# Left to `make bench`, unless they are asked for with -m.
LEFT_OUT = {
    "powercut": "stops a disk of its own in mid-write; needs root (make bench)",
    "thorough": "every step and hundreds of kills, where others take a sample (make bench)",
}


def pytest_configure(config: pytest.Config) -> None:
    for name, words in LEFT_OUT.items():
        config.addinivalue_line("markers", f"{name}: {words}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked_for = config.getoption("markexpr") or ""
    for name in LEFT_OUT.keys() - set(asked_for.split()):
        left_out = [item for item in items if item.get_closest_marker(name)]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]
