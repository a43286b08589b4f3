from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "studies"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from audit.rules.vocabulary import register_action
        from studies import controls, erasing, holdings, inventory, records  # noqa: F401 - its controls register themselves
        from studies.actions import ACTIONS
        from studies.gateways.objects import on_damage
        from studies.rules.messages import TEMPLATES
        from studies.services.integrity import DAMAGED, note_damage
        from studies.tasks import register_jobs

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        register_jobs()
        inventory.register()
        records.register()
        holdings.register()
        erasing.register()
        for template in (DAMAGED, *TEMPLATES):
            register_template(template)
        on_damage(lambda blob_id, reason: note_damage(blob_id=blob_id, reason=reason))
