from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"

    def ready(self) -> None:
        from audit.rules.vocabulary import register_action
        from consent import controls, inventory  # noqa: F401 - its controls register themselves
        from consent.actions import ACTIONS
        from consent.impact import impact_on_shares
        from policies.rules.impact import register_impact

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        inventory.register()
        register_impact("shares", impact_on_shares)
