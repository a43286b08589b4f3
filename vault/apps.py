"""The vault: keys, sealed streams, sealed fields, blind indexes."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Lowest room of the tower; it imports no other app."""

    name = "vault"
