from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    name = "releases"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from audit.rules.vocabulary import register_action
        from jobs.permissions import allow_seeing_jobs
        from releases import controls, erasing, holdings, inventory, records  # noqa: F401 - its controls register themselves
        from releases.actions import ACTIONS
        from releases.rules.messages import TEMPLATES
        from releases.selectors import blobs_among, keys_among, link_keys_among, may_see_job
        from releases.tasks import register_jobs
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
        allow_seeing_jobs("releases", may_see_job)
        keep_blobs("releases", blobs_among)
        keep_keys("release", keys_among)
        keep_keys("release-link", link_keys_among)
