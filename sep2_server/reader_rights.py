"""What can be asked of clients, of what bars them and what they answered, and of the network of operators."""

from sep2_server import statements as q
from sep2_server import statements_rights as rights
from sep2_server.connection import Connection
from sep2_server.rows import MEMBERS, Blocked, Client, Node, Report, full_mrid


class RightsReader:
    """The part of a Reader that knows nothing of resources."""

    _db: Connection

    def client(self, lfdi: str) -> Client | None:
        """The client with an LFDI (40 upper-case hex digits)."""
        return self._db.one(Client._make, q.CLIENT, lfdi=lfdi)

    def client_named(self, name: str) -> Client | None:
        """The client that an operator calls so."""
        return self._db.one(Client._make, q.CLIENT_NAMED, name=name)

    def client_of(self, end_device_id: int) -> Client | None:
        """The client that an EndDevice stands for."""
        return self._db.one(Client._make, q.CLIENT_OF_DEVICE, end_device_id=end_device_id)

    def clients_of_sfdi(self, sfdi: int) -> list[Client]:
        """The clients with an SFDI, which is short: there may be several."""
        return self._db.all(Client._make, q.CLIENTS_OF_SFDI, sfdi=sfdi)

    def clients(self, *, after: str = "", limit: int = 100) -> list[Client]:
        """Clients by name, from the one behind `after` on."""
        return self._db.all(Client._make, q.CLIENTS, after=after, limit=limit)

    def blocked(self) -> list[Blocked]:
        """The certificates that are refused, by LFDI."""
        return self._db.all(Blocked._make, rights.BLOCKED)

    def is_blocked(self, lfdi: str) -> bool:
        """Whether a certificate is refused."""
        return self.block_of(lfdi) is not None

    def block_of(self, lfdi: str) -> Blocked | None:
        """Why and since when a certificate is refused; None where it is not."""
        return self._db.one(Blocked._make, rights.IS_BLOCKED, lfdi=lfdi)

    def is_disabled(self, end_device_id: int) -> bool:
        """Whether an EndDevice is not registered any more."""
        return self._db.number(rights.DISABLED, end_device_id=end_device_id) is not None

    def barred(self, client: Client, speaker: Client) -> str | None:
        """Why a client is not served, by itself or by who speaks for it; None where it is."""
        found = self._db.one(
            lambda row: (str(row[0]), int(row[1])),
            rights.BARRED,
            lfdi=client.lfdi,
            other_lfdi=speaker.lfdi,
            end_device_id=client.end_device_id,
            other_id=speaker.end_device_id,
        )
        if found is None or found[0]:
            return found and f"{found[0]} is blocked"
        is_own = found[1] == client.end_device_id
        return f"{client.lfdi if is_own else speaker.lfdi} is disabled"

    def count_reports(self, subject: str) -> dict[int | None, int]:
        """How many devices have given which Response to the event with an mRID, by its status."""
        found = self._db.run(rights.COUNT_REPORTS, subject=full_mrid(subject)).fetchall()
        return {status: int(amount) for status, amount in found}

    def reports_of(
        self, end_device_id: int, subject: str, *, after_id: int = 0, limit: int = 1000
    ) -> list[Report]:
        """Responses of one device to the event with an mRID, in the order of their arrival."""
        values = {"end_device_id": end_device_id, "subject": full_mrid(subject)}
        return self._db.all(Report._make, rights.REPORTS_OF_DEVICE, after_id=after_id, limit=limit, **values)

    def count_members(self, group_id: int) -> int:
        """How many devices a group has; kept, not counted."""
        return self._db.number(q.TALLY, list_id=group_id, scope=MEMBERS) or 0

    def node(self, group_id: int) -> Node | None:
        """The node of the network that a group stands for."""
        return self._db.one(Node._make, rights.NODE, id=group_id)

    def node_named(self, parent_id: int, name: str) -> Node | None:
        """The node with a name below another; below 0 those at the top."""
        return self._db.one(Node._make, rights.NODE_NAMED, parent_id=parent_id, name=name)

    def nodes_below(self, parent_id: int) -> list[Node]:
        """The nodes below another by name; below 0 those at the top."""
        return self._db.all(Node._make, rights.NODES_BELOW, parent_id=parent_id)
