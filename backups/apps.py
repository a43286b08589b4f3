from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from audit.rules.vocabulary import register_action
        from backups import controls, inventory, records  # noqa: F401 - its controls register themselves
        from backups.actions import ACTIONS
        from backups.rules.messages import TEMPLATES
        from backups.selectors import end_of_backups
        from backups.tasks import register_jobs
        from retention.rules.backups import tell_end_of_backups

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        register_jobs()
        tell_end_of_backups(end_of_backups)
