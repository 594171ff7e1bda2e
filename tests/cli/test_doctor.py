"""``hub doctor``: well, and each way of not being well, as one sentence and exit code 1."""

import json
import os

import pytest

from hub.cli import run
from hub.store.secrets import new_key
from hub.store.tables import Line, Meter, MeterState
from hub.store.unit import Store


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUB_KEYS", new_key())
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def database(folder):
    store = Store.open(f"sqlite:///{folder / 'hub.db'}", keys=[new_key()])
    store.upgrade()
    yield store
    store.close()


def findings(capsys) -> tuple[int, dict[str, tuple[bool, str]]]:
    code = run(["doctor", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["healthy"] is (code == 0)
    return code, {each["name"]: (each["well"], each["text"]) for each in said["findings"]}


def bad(capsys) -> dict[str, str]:
    code, found = findings(capsys)
    wrong = {name: text for name, (well, text) in found.items() if not well}
    assert code == (1 if wrong else 0)
    return wrong


def test_a_fresh_installation_is_well_and_stays_untouched(folder, capsys):
    code, found = findings(capsys)
    assert code == 0
    assert found["corefast"][1].startswith("compiled: crc")
    assert "made at the first start" in found["database"][1]
    assert {"plugin mercury234", "plugin house", "plugin email"} <= set(found)
    assert list(folder.iterdir()) == []


def test_for_people_it_is_one_line_each(folder, database, capsys):
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("ok   ") for line in lines)
    assert any("hub.db, of this version" in line for line in lines)


def test_without_keys(folder, monkeypatch, capsys):
    monkeypatch.delenv("HUB_KEYS")
    assert "hub keys new" in bad(capsys)["keys"]


def test_a_key_that_is_none(folder, monkeypatch, capsys):
    monkeypatch.setenv("HUB_KEYS", "k" * 44)
    assert list(bad(capsys)) == ["keys"]


def test_a_database_of_another_version(folder, database, capsys):
    with database.write() as unit:
        unit.cursor().execute("UPDATE alembic_version SET version_num = 'x'")
    assert "hub db upgrade" in bad(capsys)["database"]


def test_a_file_that_is_no_database(folder, capsys):
    (folder / "hub.db").write_bytes(b"no database" * 1000)
    assert list(bad(capsys)) == ["database"]


def test_lines_and_meters_say_their_last_error(folder, database, capsys):
    now = database.now()
    with database.write() as unit:
        line = Line(
            address="tcp://10.0.0.1:4001", down_since_at=now, error_code="line.down",
            error_text="The line can't be opened.",
        )  # fmt: skip
        well = Line(address="tcp://10.0.0.2:4001")
        unit.session.add_all([line, well])
        unit.session.flush()
        meters = [
            Meter(maker="Incotex", serial=str(at), driver="mercury234", line_id=well.id)
            for at in range(3)
        ]
        unit.session.add_all(meters)
        unit.session.flush()
        unit.session.add(MeterState(meter_id=meters[0].id, due_at=now, seen_at=now))
        unit.session.add(
            MeterState(
                meter_id=meters[1].id, due_at=now, stopped=True, failures=1,
                error_code="device.access_denied", error_text="The meter refused the password.",
            )
        )  # fmt: skip
    wrong = bad(capsys)
    assert set(wrong) == {"line tcp://10.0.0.1:4001", "meter Incotex 1"}
    assert wrong["line tcp://10.0.0.1:4001"].endswith("The line can't be opened.")
    assert "stopped: The meter refused the password." in wrong["meter Incotex 1"]


def test_a_folder_that_is_read_only(folder, database, monkeypatch, capsys):
    # Root, as whom containers run tests, may write everywhere; so the question is answered here.
    monkeypatch.setattr("hub.cli.doctor.can_write", lambda _path: False)
    wrong = bad(capsys)
    assert set(wrong) == {"folder", "database"}
    assert all("write access" in text for text in wrong.values())
