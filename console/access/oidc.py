"""OIDC: somebody else vouches for who logs in: authorization code with PKCE, state and nonce.

What must be remembered between the two requests lies in a cookie of the browser that began: a signature would add
nothing, for whoever begins a login gets one.

Source  OpenID Connect Core 1.0 and Discovery 1.0; RFC 7636 (PKCE); RFC 9207 (`iss`); RFC 9700 (best current practice)
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
import msgspec
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from console.access.doors import Oidc
from console.access.roles import ROLES, Role
from records import SettingsError, VigieError

HERE = ("localhost", "127.0.0.1")  # where nobody listens in
TIMEOUT_SECS = 10.0
CACHED_SECS = 600.0
LEEWAY_SECS = 120
MOST_BYTES = 1 << 20  # of one answer
LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Those with a key of the provider's own; never one that whoever knows our secret could sign with, nor none."""

UNSOUND_ANSWER = (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, LookupError, TypeError, RecursionError)
"""What comes of an answer that is not what it should be: the libraries take much of it for granted."""
UNSOUND = "The answer of the login service does not fit: begin again."
NOT_BEGUN = "This login was not begun here, or too long ago: begin again."

log = structlog.get_logger()


class NotVouched(VigieError):
    """Nobody vouched for whoever wanted to log in; the message is a sentence in English, as pages have others."""


class Begun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A login that was begun, as the browser keeps it meanwhile."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    way_back: str

    def to_cookie(self) -> str:
        """Return it as a cookie."""
        return urlsafe_b64encode(msgspec.json.encode(self)).decode()


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody the provider vouches for."""

    subject: str
    name: str
    role: Role


class _Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself, as far as we need it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


def begun_from(cookie: str) -> Begun:
    """Return the login that a browser began.

    Errors  NotVouched where it began none
    """
    try:
        return msgspec.json.decode(urlsafe_b64decode(cookie.encode()), type=Begun)
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise NotVouched(NOT_BEGUN) from error


class Provider:
    """A provider, as the settings name it."""

    def __init__(self, oidc: Oidc) -> None:
        parts = urlsplit(oidc.issuer)
        if parts.scheme != "https" and parts.hostname not in HERE:
            raise SettingsError(f"console.oidc_issuer: {oidc.issuer!r} is no https:// address; give one that is")
        self._oidc = oidc
        self._cached: tuple[datetime, _Provider, KeySet] | None = None

    @property
    def label(self) -> str:
        """What it is called on the page."""
        return self._oidc.label

    async def begin(self, redirect_uri: str, way_back: str, now: datetime) -> tuple[str, Begun]:
        """Return where the browser has to go, and what it has to keep meanwhile.

        Errors  NotVouched where the provider cannot be asked
        """
        provider, _ = await self._found(now)
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            way_back=way_back,
        )
        address: str = prepare_grant_uri(
            provider.authorization_endpoint,
            client_id=self._oidc.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=self._oidc.scope,
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
        )
        return address, begun

    async def end(self, begun: Begun, answer: Mapping[str, str], now: datetime) -> Vouched:
        """Return who logged in, by the answer that the browser brought back.

        Errors  NotVouched where it is not an answer to what was begun, or nobody with a role here
        """
        if not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise NotVouched(NOT_BEGUN)
        if answer.get("iss", self._oidc.issuer) != self._oidc.issuer:
            raise NotVouched(UNSOUND)
        if "code" not in answer:
            log.warning("oidc_refused", why=answer.get("error", "")[:100])
            raise NotVouched("The login service did not let you in.")
        provider, keys = await self._found(now)
        try:
            async with _client() as client:
                token = await self._token(client, provider, begun, answer["code"])
                claims = await self._checked(provider, keys, token, begun.nonce, now)
                if self._oidc.roles_claim not in claims and provider.userinfo_endpoint:
                    claims = {**await _userinfo(client, provider, token, claims["sub"]), **claims}
        except UNSOUND_ANSWER as error:
            log.warning("oidc_unsound", why=repr(error))
            raise NotVouched(UNSOUND) from error
        return self._vouched(claims)

    async def _found(self, now: datetime) -> tuple[_Provider, KeySet]:
        if self._cached and abs((now - self._cached[0]).total_seconds()) < CACHED_SECS:
            return self._cached[1:]
        address = self._oidc.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            async with _client() as client:
                found = _provider_from(await _answer(client, "GET", address), self._oidc.issuer)
                keys = KeySet.import_key_set(msgspec.json.decode(await _answer(client, "GET", found.jwks_uri)))
        except UNSOUND_ANSWER as error:
            log.warning("oidc_unreachable", issuer=self._oidc.issuer, why=repr(error))
            raise NotVouched("The login service does not answer. Accounts with a password still work.") from error
        self._cached = (now, found, keys)
        return found, keys

    async def _token(self, client: httpx.AsyncClient, provider: _Provider, begun: Begun, code: str) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect_uri,
            "code_verifier": begun.verifier,
            "client_id": self._oidc.client_id,
        }
        auth, secret = httpx.Auth(), self._oidc.client_secret  # which adds nothing
        if secret and "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
            auth = httpx.BasicAuth(quote_plus(self._oidc.client_id), quote_plus(secret))  # RFC 6749, 2.3.1
        elif secret:
            fields["client_secret"] = secret
        said = await _answer(client, "POST", provider.token_endpoint, data=fields, auth=auth)
        return msgspec.json.decode(said, type=dict[str, Any])

    async def _checked(
        self, provider: _Provider, keys: KeySet, token: Mapping[str, Any], nonce: str, now: datetime
    ) -> dict[str, Any]:
        """Return what the token says; where its key is a new one, the keys are asked for again."""
        try:
            return self._claims(provider, keys, token, nonce, now)
        except InvalidKeyIdError:
            self._cached = None
            return self._claims(*await self._found(now), token, nonce, now)

    def _claims(
        self, provider: _Provider, keys: KeySet, token: Mapping[str, Any], nonce: str, now: datetime
    ) -> dict[str, Any]:
        allowed = [one for one in provider.id_token_signing_alg_values_supported if one in ALGORITHMS]
        signed = jwt.decode(
            token["id_token"], keys, registry=JWSRegistry(algorithms=allowed, strict_check_header=False)
        )
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": self._oidc.client_id},
            },
            {"nonce": nonce, "client_id": self._oidc.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECS)
        return dict(claims)

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        said = claims.get(self._oidc.roles_claim, ())
        has = {said} if isinstance(said, str) else set(map(str, said)) if isinstance(said, list) else set()
        roles = [role for value, role in self._oidc.roles if value in has]
        if not roles:
            raise NotVouched("You have no role here. Whoever administers Vigie, or the login service, can change that.")
        if len(claims["sub"]) > LONGEST_SUBJECT or not claims["sub"].isprintable():
            log.warning("oidc_unsound", why="its subject cannot be kept")
            raise NotVouched(UNSOUND)
        name = claims.get("preferred_username") or claims.get("name") or claims["sub"]
        return Vouched(subject=f"{self._oidc.issuer} {claims['sub']}", name=str(name), role=max(roles, key=ROLES.index))


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT_SECS, headers={"accept": "application/json"})


async def _answer(client: httpx.AsyncClient, method: str, address: str, **more: Any) -> bytes:
    """Return what an address answers; a ValueError where that is longer than anything that we ask for."""
    said = bytearray()
    async with client.stream(method, address, **more) as answer:
        answer.raise_for_status()
        async for part in answer.aiter_bytes():
            said += part
            if len(said) > MOST_BYTES:
                raise ValueError(f"{address} answers more than {MOST_BYTES} bytes")
    return bytes(said)


async def _userinfo(
    client: httpx.AsyncClient, provider: _Provider, token: Mapping[str, Any], subject: str
) -> dict[str, Any]:
    authorization = {"authorization": f"Bearer {token['access_token']}"}
    answer = await _answer(client, "GET", provider.userinfo_endpoint, headers=authorization)
    said = msgspec.json.decode(answer, type=dict[str, Any])
    if said.get("sub") != subject:
        raise ValueError("it tells of another user")
    return said


def _provider_from(said: bytes, issuer: str) -> _Provider:
    found = msgspec.json.decode(said, type=_Provider)
    if found.issuer != issuer:
        raise ValueError(f"it calls itself {found.issuer}")
    for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
        parts, is_plain = urlsplit(address), address.isascii() and address.isprintable()  # as headers can bear it
        if not is_plain or not parts.hostname or parts.port == 0:  # asked for, a port that is none is an error
            raise ValueError(f"{address!r} is no address")
    return found
