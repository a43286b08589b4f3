from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "policies"

    def ready(self) -> None:
        from audit.configuration import register_configuration
        from policies import checks, controls, inventory, records  # noqa: F401 - its checks register themselves

        inventory.register()
        records.register()
        # Who changed which key when is in the trail, by number; what it was is kept beside it.
        register_configuration(self.get_model("PolicyVersion"))
        controls.register()
