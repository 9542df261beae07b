"""The declarations against the facts of the schema, and against the schema file that is written from them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import schemas
from schemas import check as check_module
from schemas.xsd import xsd_text

SEP_XSD = Path(schemas.__file__).with_name("sep.xsd")


def test_declarations_and_facts_of_the_2018_schema_differ_in_nothing(vectors: Path) -> None:
    facts = json.loads((vectors / "schema_2018_facts.json").read_text())["types"]
    assert check_module.differences(facts) == []
    assert check_module.code_differences(facts) == []
    assert len(facts) == 349


def test_schema_has_324_complex_and_25_simple_types() -> None:
    kinds = [fact["kind"] for fact in check_module.declared_facts().values()]
    assert (kinds.count("complex"), kinds.count("simple")) == (324, 25)


def test_sep_xsd_is_what_the_declarations_write() -> None:
    assert SEP_XSD.read_text() == xsd_text()
    done = subprocess.run([sys.executable, "-m", "schemas.xsd"], capture_output=True, text=True, check=True)
    assert done.stdout == xsd_text()


def test_sep_xsd_read_by_xmlschema_differs_from_the_declarations_in_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert check_module.main([str(SEP_XSD)]) == 0
    assert capsys.readouterr().out == "0 differences in 349 types\n"


def test_check_names_every_kind_of_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = check_module.declared_facts()
    facts["Time"] = {**facts["Time"], "elements": facts["Time"]["elements"][::-1]}
    facts["PerCent"] = {**facts["PerCent"], "base": "UInt32"}
    facts["DERType"] = {**facts["DERType"], "codes": {"0": "unknown"}}
    facts["Unheard"] = {"kind": "simple"}
    del facts["DER"]
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({"types": facts}))
    assert check_module.main([str(path)]) == 1
    words = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert words == [
        "Unheard",
        "DER",
        "PerCent.base",
        "Time.elements",
        "DERType",
        "5 differences in 349 types",
    ]


def test_check_without_a_file_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_module.main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")


def test_unit_of_a_quantity_is_in_its_declaration() -> None:
    units = {f.name: f.unit for f in schemas.spec_of(schemas.DERControlBase)}
    assert (units["rampTms"], units["opModMaxLimW"]) == ("0.01 s", "0.01 %")


def test_codes_of_a_field_are_in_its_declaration() -> None:
    status = next(f for f in schemas.spec_of(schemas.EventStatus) if f.name == "currentStatus")
    assert status.codes is schemas.codes.EventState
    assert int(schemas.codes.EventState.CANCELLED_WITH_RANDOMIZATION) == 3


def test_extension_keeps_the_name_of_what_it_extends() -> None:
    assert schemas.wire_name(schemas.csip_aus.DERControlBaseV13) == "DERControlBase"
    assert schemas.wire_name(schemas.csip_aus.ConnectionPoint) == "ConnectionPoint"


def test_resources_are_values_with_names_not_positions() -> None:
    interval = schemas.DateTimeInterval(duration=60, start=10)
    assert replace(interval, start=20) == schemas.DateTimeInterval(duration=60, start=20)


def test_check_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "schemas.check", str(SEP_XSD)], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"0 differences in 349 types\n")
