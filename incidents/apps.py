from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from audit.rules.vocabulary import register_action
        from incidents import inventory, records
        from incidents.actions import ACTIONS
        from incidents.rules.letters import TEMPLATES
        from incidents.tasks import register_jobs

        for code, label, dicom in ACTIONS:
            register_action(code, label, dicom=dicom)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        register_jobs()
