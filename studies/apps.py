from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "studies"

    def ready(self) -> None:
        from audit.rules.vocabulary import register_action
        from studies import controls, inventory  # noqa: F401 - its controls register themselves
        from studies.actions import ACTIONS
        from studies.tasks import register_jobs

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        register_jobs()
        inventory.register()
