from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "policies"

    def ready(self) -> None:
        from policies import checks, controls, inventory  # noqa: F401 - its checks register themselves

        inventory.register()
        controls.register()
