from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import inventory
        from accounts.actions import ACTIONS
        from audit.rules.vocabulary import register_action

        for code, label, dicom in ACTIONS:
            register_action(code, label, dicom=dicom)
        inventory.register()
