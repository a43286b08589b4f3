from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "powercut: stops a disk of its own in mid-write; needs root (make bench)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave power cuts to `make bench`, unless they were asked for."""
    if "powercut" in (config.getoption("markexpr") or ""):
        return
    cuts = [item for item in items if item.get_closest_marker("powercut")]
    if cuts:
        config.hook.pytest_deselected(items=cuts)
        items[:] = [item for item in items if not item.get_closest_marker("powercut")]
