"""`lineside op file`: files for devices and how far their roll-out is."""

import argparse
from pathlib import Path

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, columns, command, listed, moment, rows_of


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser("file", help="files for devices: firmware and more").add_subparsers(
        metavar="ACTION", required=True
    )
    example = "file add feeder-7 firmware.bin --mf-id 37250 --model PV-5 --version 2.1"
    parser = command(actions, "add", add, example=example)
    parser.add_argument("group", help="the group whose devices are to load it")
    parser.add_argument("path", type=Path, help="the file")
    parser.add_argument("--mf-id", type=int, required=True, metavar="PEN", help="mfID of the devices")
    parser.add_argument("--model", required=True, metavar="TEXT", help="mfModel of the devices")
    parser.add_argument("--version", required=True, metavar="TEXT", help="mfVer: what the file brings")
    parser.add_argument(
        "--type", default="00", metavar="HEX", help="00 software, 01 credential, 02 configuration, 03 log"
    )
    parser.add_argument("--hardware", metavar="TEXT", help="mfHwVer that the devices must have")
    parser.add_argument("--serial", metavar="TEXT", help="mfSerNum that the device must have")
    parser.add_argument("--device", metavar="NAME", help="the only device that may see it")
    parser.add_argument("--activate", type=int, metavar="T", help="activateTime, s since 1970 UTC")
    parser = command(actions, "list", files, example="file list feeder-7")
    parser.add_argument("group", help="name of the group")
    for name, run in (("show", show), ("remove", remove)):
        parser = command(actions, name, run, example=f"file {name} 42")
        parser.add_argument("file", help="its number")
    parser = command(actions, "activate", activate, example="file activate 42 --at 1800000000")
    parser.add_argument("file", help="its number")
    parser.add_argument("--at", type=int, metavar="T", help="s since 1970 UTC; as soon as loaded if absent")


def add(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Give a file to the devices of a group."""
    try:
        with args.path.open("rb") as octets:
            content = api.send("/contents", octets)
    except OSError as flaw:
        raise UsageError(f"{args.path}: cannot be read ({flaw.strerror})", "name a file") from flaw
    given = {
        "sha256": content["sha256"],
        "mfID": args.mf_id,
        "mfModel": args.model,
        "mfVer": args.version,
        "type": args.type,
        "mfHwVer": args.hardware,
        "mfSerNum": args.serial,
        "device": args.device,
        "activateTime": args.activate,
    }
    body = {name: value for name, value in given.items() if value is not None}
    return _file(api.call("POST", ("groups", args.group, "files"), body))


def files(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the files of a group."""
    answer = api.get("groups", args.group, "files")
    rows = [_flat(row) for row in rows_of(answer, "files")]
    names = ("file", "mfID", "mfModel", "mfVer", "type", "size", "activateTime")
    return Shown(data=answer, text=columns(rows, names, empty="the group has no files"))


def show(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show how far the roll-out of a file is."""
    answer = api.get("files", args.file)
    rows = [{**row, "since": moment(row.get("statusTime"))} for row in rows_of(answer, "devices")]
    names = ("name", "status", "loadPercent", "since", "request503Count", "requestFailCount")
    table = columns(rows, names, empty="the file is for no device of its groups")
    counts = answer.get("counts")
    told = ", ".join(f"{n} {name}" for name, n in counts.items()) if isinstance(counts, dict) else ""
    return Shown(data=answer, text=f"{listed(_flat(answer))}\n{told}\n{table}")


def activate(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Set when devices activate a file."""
    body = {} if args.at is None else {"activateTime": args.at}
    return _file(api.call("PUT", ("files", args.file), body))


def remove(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Take a file back from all devices."""
    answer = api.call("DELETE", ("files", args.file))
    return Shown(data=answer, text=f"file {args.file} is removed")


def _file(answer: Row) -> Shown:
    return Shown(data=answer, text=listed(_flat(answer)))


def _flat(answer: Row) -> Row:
    """A file with its fields beside its number."""
    held = answer.get("File")
    fields = held if isinstance(held, dict) else {}
    return {"file": answer.get("file"), "sha256": answer.get("sha256"), **fields}
