from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from accounts.services.agreements import Resting, register_resting
        from audit.rules.vocabulary import register_action
        from consent import controls, erasing, holdings, inventory, records  # noqa: F401 - its controls register themselves
        from consent.actions import ACTIONS
        from consent.controls import directives, transfers  # noqa: F401 - and so do these
        from consent.impact import impact_on_shares
        from consent.rules.messages import TEMPLATES
        from consent.services.grants import end_shares_resting_on, shares_resting_on
        from policies.rules.impact import register_impact

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        holdings.register()
        erasing.register()
        register_impact("shares", impact_on_shares)
        register_resting(Resting(shares_resting_on, end_shares_resting_on))
