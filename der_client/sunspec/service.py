"""Connection and service in a plan: connect, energize, and when a device may enter service. Pure.

SunSpec models 703, 715 and 123; IEEE 2030.5-2018, 10.10 (DERControlBase, setES*).
"""

from collections.abc import Iterator

from der_client.sunspec.capabilities import executor
from der_client.sunspec.codec import Rounding
from der_client.sunspec.drafts import Draft, Stage, Wish
from der_client.sunspec.model import Model
from der_client.sunspec.writes import Wanted, step_of

FULL_PCT = 100.0
DISCONNECT = 2
WINDOW = (("high_v_pct", "ESVHi"), ("low_v_pct", "ESVLo"), ("high_hz", "ESHzHi"), ("low_hz", "ESHzLo"))
DELAYS = (("delay_s", "ESDlyTms"), ("random_delay_s", "ESRndTms"), ("ramp_s", "ESRmpTms"))


def plan_service(wish: Wish, draft: Draft) -> None:
    """Add what opens the connection, before curves, or closes it, last; a shared model obeys what forbids."""
    asked = {field: _service(wish, field) for field in ("connect", "energize")}
    stage = Stage.OPEN if False in asked.values() else Stage.CONNECT
    by_service: dict[str, bool] = {}
    for field, wanted in asked.items():
        number = executor(wish.device_map, field, wish.settings) if wanted is not None else None
        if wanted is None:
            continue
        if number == 703:
            by_service[field] = wanted
        elif number in {715, 123} and field == "connect":
            _connect(wish, draft, number, stage, closed=wanted)
        elif number is None and getattr(wish.setpoint, field) is not None:
            draft.refuse([field])
    service = wish.model(703)
    if by_service and service:
        field = "energize" if "energize" in by_service else "connect"
        draft.add(stage, step_of(service, field, {"ES": Wanted(int(all(by_service.values())))}))
        draft.unguarded.update(
            name for name, wanted in by_service.items() if _is_to_end(wish, name, in_service=wanted)
        )


def _service(wish: Wish, field: str) -> bool | None:
    """What is asked of a field; what nothing took out of service is not brought back."""
    wanted: bool | None = getattr(wish.setpoint, field)
    return True if wanted is None and field in wish.restore else wanted


def _is_to_end(wish: Wish, field: str, *, in_service: bool) -> bool:
    """True if the device is taken out of service, but shall not stay so without this client."""
    goes_on = getattr(wish.reversion.to, field) is not False
    return not in_service and goes_on and bool(wish.reversion.after_s)


def _connect(wish: Wish, draft: Draft, number: int, stage: Stage, *, closed: bool) -> None:
    model = wish.model(number)
    if model is None:
        return
    is_to_end = _is_to_end(wish, "connect", in_service=closed)
    if number == 715:
        step = step_of(model, "connect", {"OpCtl": Wanted(int(closed))})
    else:
        timers = {"Conn_WinTms": 0, "Conn_RvrtTms": wish.reversion.after_s if is_to_end else 0}
        optional = {name: Wanted(value) for name, value in timers.items()}
        step = step_of(model, "connect", {"Conn": Wanted(int(closed))}, optional=optional, enable="Conn")
    draft.add(stage, step)
    if is_to_end and not step.refresh_s:
        draft.unguarded.add("connect")


def plan_contactor(wish: Wish, draft: Draft) -> None:
    """Add the order to a battery to disconnect itself, where the installer permits it, else unsupported.

    Nothing here ever closes a contactor: that is for whoever looks at the battery. SunSpec model 802.
    """
    if not wish.setpoint.open_contactor:
        return
    battery = wish.model(802)
    if battery is None or not battery.is_implemented("SetOp") or not wish.permissions.open_contactor:
        draft.refuse(["open_contactor"])
        return
    order = step_of(battery, "open_contactor", {"SetOp": Wanted(DISCONNECT)}, permissions=wish.permissions)
    draft.add(Stage.OPEN, order)


def plan_enter_service(wish: Wish, draft: Draft) -> None:
    """Add the window, the delays and the ramp of model 703; what cannot be written is refused by its field.

    A soft start ramp is the time that it takes to full power. IEEE 2030.5-2018, 10.10 (setES*, setSoftGradW).
    """
    wanted = dict(_entering(wish))
    soft = wish.setpoint.soft_grad_w_pct_per_s
    if soft is not None and "ESRmpTms" not in wanted:
        wanted["ESRmpTms"] = (
            "soft_grad_w_pct_per_s",
            Wanted(FULL_PCT / soft if soft else 0, Rounding.UP),
        )
    model = wish.model(703)
    fine: dict[str, Wanted] = {}
    for name, (field, value) in wanted.items():
        if model and _fits(wish, model, name, value):
            fine[name] = value
        else:
            draft.refuse([field])
    if model and fine:
        draft.add(Stage.LIMIT, step_of(model, "enter_service", fine, permissions=wish.permissions))


def _fits(wish: Wish, model: Model, name: str, value: Wanted) -> bool:
    """True if one setting can be written."""
    try:
        step_of(model, "enter_service", {name: value}, permissions=wish.permissions)
    except ValueError:
        return False
    return True


def _entering(wish: Wish) -> Iterator[tuple[str, tuple[str, Wanted]]]:
    """Points of model 703 with the field they belong to: the window to nearest, times up."""
    asked = wish.setpoint.enter_service
    if asked is None:
        return
    for name, point in WINDOW:
        value = getattr(asked, name)
        if value is not None:
            yield point, ("enter_service", Wanted(value))
    for name, point in DELAYS:
        value = getattr(asked, name)
        if value is not None:
            yield point, ("enter_service", Wanted(value, Rounding.UP))
