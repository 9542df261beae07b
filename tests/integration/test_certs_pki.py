"""PKI on the disk: what each command and call writes, reads and refuses."""

import argparse
import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs import CertsError, Kind, Pki, check
from certs.cli import add_parser
from certs.errors import AlreadyThereError, HardwareNameError, NotThereError, RequestError, UnreadableError
from certs.files import read_chain, read_key, write_file, write_folder
from certs.refusal import path_findings, refusal


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki.create(tmp_path / "pki", 4)


def lineside(*words: object) -> int:
    """Exit code of `lineside` with these words."""
    parser = argparse.ArgumentParser(prog="lineside")
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args([str(word) for word in words])
    code = args.run(args)
    assert isinstance(code, int)
    return code


def test_the_folder_is_laid_out_as_documented(pki: Pki) -> None:
    pki.issue_device("inverter")
    files = sorted(str(path.relative_to(pki.folder)) for path in pki.folder.rglob("*") if path.is_file())
    assert files == [
        "ca/mca/cert.pem",
        "ca/mca/key.pem",
        "ca/mica/cert.pem",
        "ca/mica/key.pem",
        "ca/serca/cert.pem",
        "ca/serca/key.pem",
        "inverter/cert.pem",
        "inverter/key.pem",
        "root.pem",
    ]


def test_private_keys_are_for_their_owner_alone(pki: Pki) -> None:
    pki.issue_device("inverter")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in pki.folder.rglob("key.pem")}
    assert modes == {0o600}


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_every_depth_gives_chains_that_nobody_refuses(tmp_path: Path, depth: int) -> None:
    pki = Pki.create(tmp_path / "pki", depth)
    issued = [
        (Kind.DEVICE, pki.issue_device("inverter")),
        (Kind.SERVER, pki.issue_server("utility", hosts=["der.example.org", "2001:db8::1"])),
        (Kind.AGGREGATOR, pki.issue_aggregator("acme", hosts=["acme.example.org"])),
    ]
    chains = [
        (kind, [*read_chain(peer.certificate_path), *read_chain(peer.root_path)]) for kind, peer in issued
    ]
    assert [(len(chain), check(chain[0], kind)) for kind, chain in chains] == [(depth, [])] * 3
    assert [path_findings(chain) for _, chain in chains] == [[], [], []]
    assert [refusal(chain) for _, chain in chains] == [None, None, None]


def test_a_pki_that_is_opened_again_goes_on(pki: Pki) -> None:
    first = pki.issue_device("inverter")
    again = Pki.open(pki.folder)
    assert again.depth == 4
    assert again.credentials("inverter") == first
    second = again.issue_device("battery")
    assert path_findings([*read_chain(second.certificate_path), *read_chain(again.root_path)]) == []


def test_openssl_agrees_about_the_chain(pki: Pki) -> None:
    openssl = shutil.which("openssl") or pytest.skip("the openssl command is not on this machine")
    issued = pki.issue_device("inverter")
    chain, root = str(issued.certificate_path), str(issued.root_path)
    command = [openssl, "verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, chain]
    verified = subprocess.run(command, capture_output=True, check=True, text=True)
    assert verified.stdout == f"{issued.certificate_path}: OK\n"


def test_a_device_carries_what_it_was_asked_to(pki: Pki) -> None:
    policies = ["1.3.6.1.4.1.40732.1.2", "1.3.6.1.4.1.40732.2.4"]
    issued = pki.issue_device("m", hw_type="1.3.6.1.4.1.32473.7", serial=b"\xff\x00", policies=policies)
    assert lineside("certs", "show", issued.certificate_path) == 0
    assert check(read_chain(issued.certificate_path)[0], Kind.DEVICE) == []


def test_a_self_signed_client_is_its_own_chain(pki: Pki) -> None:
    issued = pki.issue_self_signed("home")
    chain = read_chain(issued.certificate_path)
    assert len(chain) == 1
    assert check(chain[0], Kind.SELF_SIGNED_DEVICE) == []


def test_nothing_is_overwritten_without_force(pki: Pki) -> None:
    first = pki.issue_device("inverter")
    with pytest.raises(AlreadyThereError, match="inverter exists; give --force to replace it"):
        pki.issue_device("inverter")
    with pytest.raises(AlreadyThereError, match="holds a PKI; give --force to replace its CAs"):
        Pki.create(pki.folder)
    assert pki.credentials("inverter") == first


def test_force_replaces_certificate_and_key_together(pki: Pki) -> None:
    first = pki.issue_device("inverter")
    second = pki.issue_device("inverter", force=True)
    leaf, key = read_chain(second.certificate_path)[0], read_key(second.key_path)
    assert second.lfdi != first.lfdi
    assert leaf.public_key() == key.public_key()
    assert sorted(path.name for path in pki.folder.iterdir()) == ["ca", "inverter", "root.pem"]


def test_force_replaces_the_cas_and_keeps_the_peers(pki: Pki) -> None:
    pki.issue_device("inverter")
    fresh = Pki.create(pki.folder, 2, force=True)
    assert Pki.open(pki.folder).depth == fresh.depth == 2
    assert sorted(path.name for path in pki.folder.iterdir()) == ["ca", "inverter", "root.pem"]


@pytest.mark.parametrize("name", ["", "ca", "root.pem", "../x", ".x", "a/b", "a b", "x" * 65])
def test_a_name_that_is_no_folder_name_is_refused(pki: Pki, name: str) -> None:
    with pytest.raises(RequestError, match="name: "):
        pki.issue_device(name)


def test_requests_that_make_no_certificate_are_refused(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="depth: 5 is not 2, 3 or 4 certificates"):
        Pki.create(tmp_path / "deep", 5)
    with pytest.raises(RequestError, match="name at least one host"):
        pki.issue_server("utility", hosts=[])
    with pytest.raises(RequestError, match="policy: 'x' is no object identifier"):
        pki.issue_device("d", policies=["x"])
    with pytest.raises(HardwareNameError, match="hwType: 'x' is no dotted object identifier"):
        pki.issue_device("d", hw_type="x")


def test_what_is_not_there_is_named(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="holds no PKI; make one with: lineside certs init"):
        Pki.open(tmp_path)
    with pytest.raises(NotThereError, match=r"nobody/cert\.pem: no such file"):
        pki.credentials("nobody")


def test_files_that_are_no_certificate_or_key_are_named(tmp_path: Path) -> None:
    useless, other = tmp_path / "useless.pem", tmp_path / "rsa.pem"
    useless.write_text("nothing")
    key = rsa.generate_private_key(65537, 2048)
    other.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UnreadableError, match=r"useless\.pem: no certificate that can be read"):
        read_chain(useless)
    with pytest.raises(RequestError, match=r"useless\.pem: no unencrypted private key in PEM form"):
        read_key(useless)
    with pytest.raises(RequestError, match=r"rsa\.pem: the key is not on an elliptic curve"):
        read_key(other)
    with pytest.raises(NotThereError, match=r": is a directory$"):
        read_chain(tmp_path)


@pytest.mark.parametrize("left", [0, -100, -1], ids=["mark", "middle", "end"])
def test_a_chain_that_is_not_whole_is_none(tmp_path: Path, left: int) -> None:
    """One that is being written: its last certificate would be left out, and the way to a root with it."""
    pki = Pki.create(tmp_path / "pki", depth=3)
    path = pki.issue_device("halved").certificate_path
    text = path.read_bytes().rstrip()
    path.write_bytes(text[: left or text.rindex(b"-----BEGIN") + 10])
    with pytest.raises(UnreadableError, match=r"cert\.pem: the last part begins and does not end"):
        read_chain(path)


def test_a_file_is_written_whole_once_and_again_by_force(tmp_path: Path) -> None:
    path = tmp_path / "root.pem"
    write_file(path, b"first")
    with pytest.raises(AlreadyThereError, match="give --force to replace it"):
        write_file(path, b"second")
    assert path.read_bytes() == b"first"
    write_file(path, b"third", force=True)
    assert path.read_bytes() == b"third"
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.pem"]


def test_a_folder_that_cannot_be_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_folder(tmp_path / "new", {"a/b/cert.pem": b"too deep"})
    assert list(tmp_path.iterdir()) == []


def test_the_commands_make_a_pki_in_a_minute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pki"
    assert lineside("certs", "init", folder, "--depth", 3) == 0
    assert (
        capsys.readouterr().out
        == f"PKI with chains of 3 certificates in {folder}; peers trust {folder}/root.pem\n"
    )
    assert lineside("certs", "device", folder, "inverter", "--serial", "SN-1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        f"certificate {folder}/inverter/cert.pem",
        f"key         {folder}/inverter/key.pem",
        f"root        {folder}/root.pem",
    ]
    assert [line[:12] for line in lines[3:]] == ["LFDI        ", "SFDI        "]
    assert (
        lineside("certs", "server", folder, "utility", "--host", "127.0.0.1", "--host", "der.example.org")
        == 0
    )
    assert lineside("certs", "aggregator", folder, "acme", "--organization", "Acme", "--country", "AU") == 0
    assert lineside("certs", "show", folder / "acme" / "cert.pem", folder / "root.pem") == 0
    assert "subject     CN=acme,O=Acme,C=AU" in capsys.readouterr().out


def test_check_succeeds_for_the_right_kind_and_fails_for_another(
    pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pki.issue_device("inverter").certificate_path
    assert lineside("certs", "check", file, "--kind", "device") == 0
    assert capsys.readouterr().out == f"{file}: in order as device\n"
    assert lineside("certs", "check", file, "--kind", "server") == 1
    assert "error: server-host-name: " in capsys.readouterr().out


def test_warnings_alone_do_not_fail_the_check(pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    file = pki.issue_aggregator("acme").certificate_path
    assert lineside("certs", "check", file, "--kind", "aggregator") == 0
    assert capsys.readouterr().out.startswith("warning: aggregator-host-name: ")


def test_pin_prints_six_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert lineside("certs", "pin", "00001") == 0
    assert capsys.readouterr().out == "000019\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pin", "1234"], "lineside certs: PIN: the code is not five decimal digits\n"),
        (
            ["check", "absent.pem", "--kind", "device"],
            "lineside certs: absent.pem: no such file or directory\n",
        ),
        (["server", "nowhere", "u"], "holds no PKI; make one with: lineside certs init nowhere\n"),
    ],
)
def test_a_wrong_request_ends_with_2_and_one_line(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lineside("certs", *words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.endswith(says)
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [[], ["check", "x.pem"], ["init", "x", "--depth", "5"], ["check", "x", "--kind", "y"]]
)
def test_wrong_words_end_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        lineside("certs", *words)
    assert stopped.value.code == 2
    assert "usage: lineside certs" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["init", "device", "aggregator", "server", "show", "check", "pin"])
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        lineside("certs", command, "--help")
    assert stopped.value.code == 0
    assert f"example: lineside certs {command} " in capsys.readouterr().out


def test_the_real_pair_is_shown_with_its_identity(vectors: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = json.loads((vectors / "lfdi_sfdi_pin.json").read_text())["certificates_and_pairs"][1]
    assert pair["sfdi"] == "17298934539"
    folder = vectors / "certs"
    assert lineside("certs", "show", folder / "epri_pti_dev.x509.der", folder / "epri_csep_root.pem") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  LFDI        0671-C144-D27D-C9E6-12AF-E7DC-6C79-EC08-9ED3-DCC5" in lines
    assert "  SFDI        017-298-934-539" in lines
    assert "  hardware    type 1.3.6.1.4.1.37250.13.1.1, serial number FF150032" in lines
    assert lines.count("  findings    none") == 2


def test_every_error_of_the_package_is_one_family() -> None:
    assert {error.__name__ for error in CertsError.__subclasses__()} == {
        "AlreadyThereError",
        "HardwareNameError",
        "IdentifierError",
        "NotThereError",
        "RequestError",
        "UnreadableError",
    }


def test_a_fresh_key_is_on_the_mandatory_curve(pki: Pki) -> None:
    assert isinstance(read_key(pki.issue_device("inverter").key_path).curve, ec.SECP256R1)
