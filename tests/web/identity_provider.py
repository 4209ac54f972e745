"""A small identity provider (OpenID Connect) on loopback: codes, PKCE, keys, signed tokens."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server


@dataclass
class Provider:
    """What it says can be changed by a test, to see whether it is believed."""

    client_id: str = "gridmap"
    client_secret: str = "shared"  # noqa: S105 - of a throwaway provider
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "p-1", "preferred_username": "hq"})
    claims: dict[str, Any] = field(default_factory=dict)
    forged: bool = False
    algorithm: str = "RS256"
    algorithms: list[str] = field(default_factory=lambda: ["RS256"])

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.other = RSAKey.generate_key(2048, {"kid": "1"})
        self.codes: dict[str, dict[str, str]] = {}
        app = Flask("provider")
        app.add_url_rule("/.well-known/openid-configuration", view_func=self.configuration)
        app.add_url_rule("/authorize", view_func=self.authorize)
        app.add_url_rule("/token", view_func=self.token, methods=["POST"])
        app.add_url_rule("/keys", view_func=self.keys)
        self.server = make_server("127.0.0.1", 0, app)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def configuration(self):
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            jwks_uri=f"{self.issuer}/keys",
            id_token_signing_alg_values_supported=self.algorithms,
        )

    def keys(self):
        return jsonify(keys=[self.key.as_dict(private=False)])

    def authorize(self):
        asked = request.args.to_dict()
        assert asked["response_type"] == "code"
        assert asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return redirect(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")

    def token(self):
        asked = self.codes.pop(request.form["code"], None)
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        known = request.authorization and (request.authorization.username, request.authorization.password)
        if asked is None or asked["code_challenge"] != challenge:
            return jsonify(error="invalid_grant"), 400
        if asked["redirect_uri"] != request.form["redirect_uri"]:
            return jsonify(error="invalid_grant"), 400
        if known != (self.client_id, self.client_secret):
            return jsonify(error="invalid_client"), 401
        moment = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": moment,
            "exp": moment + 300,
            "nonce": asked.get("nonce"),
            **self.person,
            **self.claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        return jsonify(access_token="a", token_type="Bearer", id_token=self._signed(said))  # noqa: S106

    def _signed(self, said: dict[str, Any]) -> str:
        head = {"alg": self.algorithm, "kid": "1"}
        if self.algorithm == "none":
            part = [base64.urlsafe_b64encode(jsonify(one).data).decode().rstrip("=") for one in (head, said)]
            return ".".join([*part, ""])
        return jwt.encode(head, said, self.other if self.forged else self.key)
