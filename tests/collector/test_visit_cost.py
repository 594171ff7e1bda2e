"""What visits cost a line: the half-hour one is short, journals come once a day."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime

from structlog.testing import capture_logs
from virtual_time import run_virtual, virtual_line, virtual_now

from hub.collector.loop import CollectorSettings, collect
from hub.plugins.api import SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.services import meters
from hub.store.secrets import new_key
from hub.store.unit import Store

START = datetime(2026, 11, 10, 9, 7, 31, tzinfo=UTC)
JOURNAL, CLOCK = 0x04, 0x00


class Counting:
    """A wire log that counts requests by their code, journals apart."""

    def __init__(self):
        self.asked = Counter()

    def exchange(self, item):
        is_journal = item.request[1] == JOURNAL and item.request[2] != CLOCK
        self.asked["journal" if is_journal else "other"] += 1

    def note(self, *_):
        pass

    def flush(self):
        pass


async def visits(folder, *pauses_s):
    """Visit a meter once, and again after each pause; what each visit asked."""
    store = Store.open(f"sqlite:///{folder}/hub.sqlite", keys=[new_key()], clock=virtual_now)
    drivers = load_plugins(only=("mercury234",))
    asked = SimulatorSettings(meters=1, seed=3, options={"since": "2026-11-08"})
    found = []
    try:
        store.upgrade()
        spec = drivers.driver("mercury234")
        open_link, address = virtual_line(spec.simulator(asked))
        meters.add_meter(
            store, line=str(address), driver=spec.id, settings=json.dumps({"address": 1})
        )
        for pause_s in (0, *pauses_s):
            await asyncio.sleep(pause_s)
            log = Counting()
            settings = CollectorSettings(open_link=open_link, now=virtual_now, wire_log=log)
            outcome = await collect(store, drivers, settings, once=True)
            assert outcome.failed == {}
            found.append(log.asked)
    finally:
        store.close()
    return found


def test_a_half_hour_visit_is_a_dozen_exchanges_and_journals_come_once_a_day(tmp_path):
    with capture_logs():
        first, second, third, next_day = run_virtual(visits(tmp_path, 1800, 1800, 20 * 3600), START)
    assert first["journal"] > 40
    for regular in (second, third):
        assert regular["journal"] == 0
        assert regular["other"] <= 12
    assert 20 < next_day["journal"] < first["journal"]
