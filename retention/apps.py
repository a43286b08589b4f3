from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "retention"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from audit.rules.vocabulary import register_action
        from jobs.permissions import allow_seeing_jobs
        from policies.rules.impact import register_impact
        from policies.rules.lint import register_lint
        from retention import controls, erasing, holdings, inventory, records  # noqa: F401 - its controls register themselves
        from retention.actions import ACTIONS
        from retention.controls import records as _record_controls  # noqa: F401 - and so do these
        from retention.impact import findings_of_law, impact_on_studies
        from retention.rules.messages import TEMPLATES
        from retention.selectors.archive import keys_among as keys_of_archive
        from retention.selectors.pages import keeping_for_page
        from retention.selectors.runs import can_see_disposal
        from retention.services.anonymising import KEY_KIND, keys_among
        from retention.services.archiving import KEY_KIND as ARCHIVE_KEY
        from retention.services.leaving import register_leaving
        from retention.tasks import register_jobs
        from studies.rules.keeping import tell_keeping
        from studies.services.sweeping import keep_keys

        for name, label, verb, dicom in ACTIONS:
            register_action(name, label, verb=verb, dicom=dicom)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        holdings.register()
        erasing.register()
        register_jobs()
        register_impact("studies", impact_on_studies)
        register_lint("retention", findings_of_law)
        allow_seeing_jobs("retention", can_see_disposal)
        tell_keeping(keeping_for_page)
        keep_keys(KEY_KIND, keys_among)
        keep_keys(ARCHIVE_KEY, keys_of_archive)
        register_leaving()
