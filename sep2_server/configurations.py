"""Configuration of a device, which both it and the operator may set. IEEE 2030.5-2018, 10 (Configuration).

What the operator sets is shown at once, so that the device finds it. What the device puts from then on is
kept beside it as reported, until the two agree: a device that has not seen the new values yet does not
overwrite them. From then on the device's word counts again.
"""

from dataclasses import replace

from schemas import Configuration
from sep2_server.action import Action
from sep2_server.environment import Environment
from sep2_server.extra_routes import REPORTED_CONFIGURATION
from sep2_server.messages import NO_CONTENT, Answer
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from sep2_server.tree import link_lists
from sep2_server.writes import put_resource

KIND = "Configuration"


def put_configuration(action: Action) -> Answer:
    """Store what a device says of itself, beside what the operator wants while the two differ."""
    row = action.target.row
    reported = None if row is None else reported_row(action.tx, action.environment, row.owner_id or 0)
    if row is None or reported is None:
        return put_resource(action)
    wanted: Configuration = action.environment.codec.decode_fragment(row.body, Configuration)
    if settings_of(wanted) == settings_of(action.value):
        action.tx.delete(reported)
        return put_resource(action)
    action.tx.replace(reported, reported._replace(body=action.environment.codec.fragment(action.value)))
    return NO_CONTENT


def want(tx: Transaction, environment: Environment, end_device_id: int, wanted: Configuration) -> Row:
    """Show a device the configuration that the operator wants, and keep what it reported."""
    of, parts = environment.uris.of, (end_device_id,)
    row = tx.by_href(of(KIND, parts))
    if reported_row(tx, environment, end_device_id) is None:
        body = b"" if row is None else row.body
        href = of(REPORTED_CONFIGURATION, parts)
        tx.insert(Row(tx.next_id(), href, REPORTED_CONFIGURATION, owner_id=end_device_id, body=body))
    wanted.href = of(KIND, parts)
    link_lists(environment, KIND, wanted, parts)
    body = environment.codec.fragment(wanted)
    if row is not None:
        return tx.replace(row, row._replace(body=body))
    return tx.insert(Row(tx.next_id(), wanted.href, KIND, owner_id=end_device_id, body=body))


def withdraw(tx: Transaction, environment: Environment, end_device_id: int) -> bool:
    """Show what the device reported again; False where the operator wants nothing."""
    reported = reported_row(tx, environment, end_device_id)
    row = tx.by_href(environment.uris.of(KIND, (end_device_id,)))
    if reported is None or row is None:
        return False
    if reported.body:
        held: Configuration = environment.codec.decode_fragment(reported.body, Configuration)
        held.href = row.href
        link_lists(environment, KIND, held, (end_device_id,))
        tx.replace(row, row._replace(body=environment.codec.fragment(held)))
    else:
        tx.delete(row)
    tx.delete(reported)
    return True


def reported_row(tx: Transaction, environment: Environment, end_device_id: int) -> Row | None:
    """What the device reported last, while the operator wants something else; an empty body for nothing."""
    return tx.by_href(environment.uris.of(REPORTED_CONFIGURATION, (end_device_id,)))


def settings_of(configuration: Configuration) -> Configuration:
    """A configuration without what the server adds to it."""
    return replace(configuration, href=None, subscribable=None, pollRate=None, PriceResponseCfgListLink_=None)
