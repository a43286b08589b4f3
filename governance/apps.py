from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "governance"

    def ready(self) -> None:
        from audit.rules.vocabulary import register_action
        from governance import controls, inventory, records  # noqa: F401 - its controls register themselves
        from governance.actions import ACTIONS

        for code, label, dicom in ACTIONS:
            register_action(code, label, dicom=dicom)
        inventory.register()
        records.register()
