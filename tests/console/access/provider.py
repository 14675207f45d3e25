"""A small provider of OpenID Connect for tests: right by default, and wrong in whichever way it is told to be.

The certified one from npm is asked, too, where it is (`test_oidc.py`); this one can lie.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from records import Clock
from tests.console.chromium import serving

CLIENT, SECRET = "vigie", "a secret of thirty-two characters"


@cache
def a_key() -> RSAKey:
    """Return the key with which it signs, unless it is given another."""
    return RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class SmallProvider:
    """What it knows, and how it lies: `claims` over what is right, `lie` by name, `says` in place of any answer."""

    clock: Clock
    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    lie: str = ""
    says: dict[str, str] = field(default_factory=dict)  # path -> what is answered there, as if all were well
    key: RSAKey = field(default_factory=a_key)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)  # code -> what was asked for

    @property
    def app(self) -> Starlette:
        """Its addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._or_what_it_says(self.said)),
                Route("/keys", self._or_what_it_says(self.keys)),
                Route("/authorize", self.authorize),
                Route("/token", self._or_what_it_says(self.token), methods=["POST"]),
                Route("/me", self._or_what_it_says(self.me)),
            ]
        )

    def _or_what_it_says(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            said = self.says.get(request.url.path)
            return await answer(request) if said is None else Response(said.replace("ISSUER", self.issuer))

        return answered

    async def said(self, _: Request) -> Response:
        if self.lie == "broken":
            return Response("<html>", 500)
        return JSONResponse(
            {
                "issuer": "https://elsewhere.example" if self.lie == "issuer" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/me",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """Let everybody in at once."""
        asked = dict(request.query_params)
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        if self.lie == "denied":
            back = {"error": "access_denied", "state": asked["state"]}
        elif self.lie == "mix-up":
            back["iss"] = "https://elsewhere.example"
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}")

    async def token(self, request: Request) -> Response:
        form = await request.form()
        asked = self.asked.pop(str(form["code"]), {})
        challenge = _base64(sha256(str(form["code_verifier"]).encode()).digest())
        if asked.get("code_challenge") != challenge or asked.get("code_challenge_method") != "S256":
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": "user-1",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "preferred_username": "Astreinte",
            "roles": ["crisis-cell"],
        } | self.claims
        said = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": self._signed(said)})

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.lie == "none":
            return ".".join(_base64(json.dumps(one).encode()) for one in ({"alg": "none"}, claims)) + "."
        if self.lie == "secret":
            key = OctKey.import_key(SECRET)
            return jwt.encode({"alg": "HS256"}, claims, key, algorithms=["HS256"])
        key_used = RSAKey.generate_key(2048, {"kid": "one"}) if self.lie == "key" else self.key
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key_used)

    async def me(self, _: Request) -> Response:
        return JSONResponse({"sub": "user-1", **self.userinfo})


@asynccontextmanager
async def running(provider: SmallProvider) -> AsyncIterator[SmallProvider]:
    """Run it on a free port of this machine."""
    async with serving(provider.app) as address:
        provider.issuer = address
        yield provider


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
