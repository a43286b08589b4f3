"""The controls of this room: signing in, the policy's acceptance, messages, traces in a browser."""


def register() -> None:
    """Make them known; called from `AppConfig.ready`."""
    from accounts.controls import (  # noqa: F401 - register
        ages,
        agreements,
        billing,
        details,
        messages,
        people,
        sealing,
        signing_in,
        traces,
        use,
    )
