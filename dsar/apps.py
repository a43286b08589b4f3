from django.apps import AppConfig


class DsarConfig(AppConfig):
    name = "dsar"

    def ready(self) -> None:
        from accounts.rules.messages import register_template
        from accounts.services.preferences import when_signalled
        from audit.rules.vocabulary import register_action
        from backups.rules.links import end_links_with
        from dsar import controls, erasing, holdings, inventory, records  # noqa: F401 - its controls register themselves
        from dsar.actions import ACTIONS
        from dsar.controls import account, california, copies, laws, rights  # noqa: F401 - and so do these
        from dsar.impact import impact_on_requests
        from dsar.rules.letters import TEMPLATES
        from dsar.selectors import (
            blobs_among,
            document_keys_among,
            keys_among,
            people_asking,
            subjects_asked_about,
        )
        from dsar.services.directing import note_signal
        from dsar.services.erasing import carried_out_erasures, note_disposal_ended
        from dsar.services.reminders import end_drafts
        from dsar.tasks import register_jobs
        from policies.rules.erasing import register_past_erasures
        from policies.rules.impact import register_impact
        from retention.rules.requests import (
            register_carried_out,
            register_open_requests,
            register_people_asking,
        )
        from studies.services.sweeping import keep_blobs, keep_keys

        for code, label in ACTIONS:
            register_action(code, label)
        for template in TEMPLATES:
            register_template(template)
        inventory.register()
        records.register()
        holdings.register()
        erasing.register()
        register_impact("requests", impact_on_requests)
        register_jobs()
        when_signalled(note_signal)
        keep_blobs("dsar", blobs_among)
        keep_keys("request-package", keys_among)
        keep_keys("request-document", document_keys_among)
        register_open_requests("requests", subjects_asked_about)
        register_people_asking("requests", people_asking)
        register_carried_out("requests", note_disposal_ended)
        register_past_erasures("requests", carried_out_erasures)
        end_links_with("dsar", end_drafts)
