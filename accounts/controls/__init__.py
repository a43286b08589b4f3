"""The controls of this room: signing in, the policy's acceptance, messages, traces in a browser."""


def register() -> None:
    """Make them known; called from `AppConfig.ready`."""
    from accounts.controls import messages, people, signing_in, traces  # noqa: F401 - register
