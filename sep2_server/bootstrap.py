"""What a database holds from the start: the lists at the root and the set that Responses go to."""

from typing import Final

from function_sets import ROUTES, Mark, sort_key
from schemas import ResponseListLink, ResponseSet
from schemas.csip_aus import CSIP_AUS_ALL
from sep2_server.environment import Environment
from sep2_server.errors import StoreError
from sep2_server.orders import keep_orders
from sep2_server.rows import Row
from sep2_server.transaction import Transaction

URIS_OPTION: Final = "uris"
EXTENSIONS_OPTION: Final = "extensions"
RESPONSE_SET_MRID: Final = "52455350"
"""Upper part of the mRID of the ResponseSet; the PEN of the settings is the lower one."""
NO_RESPONSE: Final = "00"
"""responseRequired of an event that asks for none."""


def prepare(tx: Transaction, environment: Environment) -> None:
    """Store what is missing. StoreError for a database of another salt of URIs, or another profile."""
    _keep_profile(tx, environment)
    fingerprint = environment.uris.fingerprint
    stored = tx.option(URIS_OPTION)
    if stored is None:
        tx.put_option(URIS_OPTION, fingerprint)
    elif stored != fingerprint:
        raise StoreError("the URIs in this database were made with another uri_salt")
    for route in ROUTES.values():
        is_root = route.is_list and "{" not in route.path and route.methods["GET"] is not Mark.DISCOURAGED
        if is_root and tx.by_href(environment.uris.of(route.id)) is None:
            tx.insert(Row(tx.next_id(), environment.uris.of(route.id), route.id))
    keep_orders(tx, environment)
    if not tx.of_kind("ResponseSet", limit=1):
        _add_response_set(tx, environment)


def _keep_profile(tx: Transaction, environment: Environment) -> None:
    """Note the extensions that are stored. StoreError where these settings know others."""
    profile = environment.codec.profile
    extensions = ",".join(sorted(cls.__name__ for cls in profile.extensions))
    stored = tx.option(EXTENSIONS_OPTION)
    if stored is None or (stored != extensions and profile is CSIP_AUS_ALL):
        tx.put_option(EXTENSIONS_OPTION, extensions)
    elif stored != extensions:
        raise StoreError(
            f"this database was written with other extensions than those of profile {profile.name}: "
            "name the profiles of before and now together in [mounts], or use another database"
        )


def response_list_href(tx: Transaction, environment: Environment) -> str:
    """URI that events name as replyTo."""
    sets = tx.of_kind("ResponseSet", limit=1)
    return environment.uris.of("ResponseList", (sets[0].id,))


def reply_to(tx: Transaction, environment: Environment) -> str | None:
    """The same, None where the server takes no Responses, so that no event asks for them. 10.2.3."""
    return response_list_href(tx, environment) if "ResponseList" in environment.offered_kinds else None


def _add_response_set(tx: Transaction, environment: Environment) -> None:
    of = environment.uris.of
    number = tx.next_id()
    href = of("ResponseList", (number,))
    response_set = ResponseSet(
        href=of("ResponseSet", (number,)),
        mRID=f"{RESPONSE_SET_MRID:>024}{environment.settings.pen:08X}",
        ResponseListLink_=ResponseListLink(href=href),
    )
    root = tx.by_href(of("ResponseSetList"))
    tx.insert(
        Row(
            number,
            response_set.href or "",
            "ResponseSet",
            list_id=root.id if root else None,
            sort_key=sort_key(ROUTES["ResponseSetList"], response_set),
            mrid=response_set.mRID,
            body=environment.codec.fragment(response_set),
        )
    )
    tx.insert(Row(tx.next_id(), href, "ResponseList"))
