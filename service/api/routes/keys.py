"""`GET /v1/keys`: which keys a tenant has, so that who looks after it sees what expires and what is over."""

from __future__ import annotations

from fastapi import APIRouter

from service.access.keys import PREFIX, ApiKey, utc_now
from service.api import paths
from service.api.dependencies import AuthenticatorDep, PrincipalOf
from service.api.schemas.keys import KeyOut, KeysResponse

router = APIRouter(tags=["keys"])


@router.get(paths.KEYS, summary="List the keys of your tenant")
async def list_keys(authenticator: AuthenticatorDep, principal: PrincipalOf) -> KeysResponse:
    """Name, scopes, times and status of each, also of those that are over; never a key itself.

    As the service knows them: a change takes effect here and for requests at the same time. Keys are made,
    rotated and revoked with `evenmatch keys`. Without keys, and of tokens of an identity provider, there are
    none.
    """
    known = [] if authenticator is None else authenticator.keys()
    own = sorted((key for key in known if key.tenant == principal.tenant), key=lambda key: key.created)
    return KeysResponse(tenant=principal.tenant, data=[_out(key) for key in own])


def _out(key: ApiKey) -> KeyOut:
    return KeyOut(
        id=key.shown,
        name=key.name,
        scopes=sorted(key.scopes),
        status=key.status(utc_now()),
        created_at=key.created,
        expires_at=key.expires,
        revoked_at=key.revoked,
        replaces=None if key.replaces is None else f"{PREFIX}_{key.replaces}",
    )
