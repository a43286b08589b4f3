from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"

    def ready(self) -> None:
        from audit.rules.vocabulary import register_action
        from consent import inventory
        from consent.actions import ACTIONS

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        inventory.register()
