"""The controls of this room, and of the rooms below it, which know no policies."""


def register() -> None:
    """Make them known; called from `AppConfig.ready`."""
    from policies.controls import below, purposes, texts, versions  # noqa: F401 - register themselves
