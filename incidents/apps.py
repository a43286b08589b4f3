from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from audit.rules.vocabulary import register_action
        from incidents import controls, erasing, holdings, inventory, records  # noqa: F401 - its controls register themselves
        from incidents.actions import ACTIONS
        from incidents.rules.letters import TEMPLATES
        from incidents.sealing import KEY_KIND
        from incidents.selectors import keys_among
        from incidents.tasks import register_jobs
        from studies.services.sweeping import keep_keys

        for code, label, dicom in ACTIONS:
            register_action(code, label, dicom=dicom)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        holdings.register()
        erasing.register()
        register_jobs()
        keep_keys(KEY_KIND, keys_among)
