"""One look at a server without following it: the walk, once. For people who set up a client."""

from der_client.errors import MissingError, RefusedError, UnreachableError
from der_client.identity import identity_of
from der_client.session import Session
from der_client.settings import ServerSettings
from der_client.shelf import Party, Shelf
from der_client.view import ServerView


async def look(settings: ServerSettings) -> ServerView:
    """What the server offers to this certificate now; ExchangeError if there is no DeviceCapability."""
    party = Party(identity=identity_of(settings.certificate))
    shelf = Shelf(settings.uri, [party], floor_s=settings.poll_floor_s)
    async with Session(settings) as session:
        while (want := shelf.next(0.0)) is not None and not shelf.holds(want.href):
            try:
                shelf.put(want.href, await session.get(want.href, want.type), 0.0, 0.0)
            except (MissingError, RefusedError):
                if want.href == settings.uri:
                    raise
                shelf.miss(want.href, 0.0, 0.0)
    view = shelf.view()
    if view is None:
        raise UnreachableError(settings.uri, "the walk did not come to an end")
    return view
