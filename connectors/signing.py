"""Signing: the one key that Standard Webhooks asks for, coming in or going out."""

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from records import SettingsError


def signing_key(secret: str, *, name: str) -> Webhook:
    """Return the key of a secret.

    Errors  SettingsError, without the secret, when it is not one
    """
    try:
        return Webhook(secret)
    except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
        raise SettingsError(
            f'{name}: the secret is not "whsec_" and 24 to 64 bytes in base64 (standardwebhooks.com)'
        ) from error
