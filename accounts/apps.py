from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import controls, holdings, inventory, records
        from accounts.actions import ACTIONS
        from accounts.impact import impact_on_members
        from accounts.rules.messages import TEMPLATES, register_template
        from accounts.tasks import register_jobs
        from audit.configuration import register_configuration
        from audit.rules.vocabulary import register_action
        from policies.rules.impact import register_impact

        for code, label, dicom in ACTIONS:
            register_action(code, label, dicom=dicom)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        holdings.register()
        register_configuration(self.get_model("Organisation"), mask_fields=["privacy_email"])
        register_impact("members", impact_on_members)
        register_jobs()
        controls.register()
