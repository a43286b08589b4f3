from django.apps import AppConfig


class DisclosuresConfig(AppConfig):
    name = "disclosures"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from audit.rules.vocabulary import register_action
        from disclosures import controls, erasing, holdings, inventory, records  # noqa: F401 - its controls register themselves
        from disclosures.actions import ACTIONS
        from disclosures.rules.messages import TEMPLATES
        from disclosures.sealing import KEY_KIND, PACKAGE_KEY, PAPER_KEY
        from disclosures.selectors import (
            blobs_among,
            keys_among,
            package_keys_among,
            paper_keys_among,
        )
        from disclosures.tasks import register_jobs
        from studies.services.sweeping import keep_blobs, keep_keys

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        holdings.register()
        erasing.register()
        register_jobs()
        keep_blobs("disclosures", blobs_among)
        keep_keys(KEY_KIND, keys_among)
        keep_keys(PAPER_KEY, paper_keys_among)
        keep_keys(PACKAGE_KEY, package_keys_among)
