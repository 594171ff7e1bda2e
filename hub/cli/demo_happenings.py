"""What has happened at the demo's meters: scenarios of the virtual meters.

Each begins at the midnight ``DAYS`` before the day on which the demo was made, and ends before it.
"""

from datetime import date, timedelta
from typing import Final

DAYS: Final = 30

# An evening without power, a sagging phase, somebody at the terminal cover, a clock that gains six
# seconds a day and was put right yesterday, a new schedule.
AT_HOUSE: Final = """
[[event]]
kind = "drift"
seconds_a_day = 6
at = "+10d"

[[event]]
kind = "dip"
phases = [2]
percent = 84
at = "+12d18h"
lasts = "40m"

[[event]]
kind = "phase_loss"
phases = [1]
at = "+21d18h30m"
lasts = "25m"

[[event]]
kind = "schedule"
at = "+24d11h40m"

[[event]]
kind = "outage"
at = "+25d19h2m"
lasts = "4h22m"

[[event]]
kind = "dip"
phases = [2]
percent = 87
at = "+26d5h24m"
lasts = "1h10m"

[[event]]
kind = "outage"
at = "+27d2h10m"
every = "7m"
times = 2
lasts = "50s"

[[event]]
kind = "swell"
phases = [3]
percent = 112
at = "+29d0h50m"
lasts = "20m"

[[event]]
kind = "clock_correct"
at = "+29d3h3m"

[[event]]
kind = "cover"
cover = "terminal"
at = "+29d14h12m"
lasts = "19m"
"""

# A magnet at night, a load that went past its limit, the lid of the case.
AT_WORKSHOP: Final = """
[[event]]
kind = "power_limit"
watts = 1125
at = "+2d10h"

[[event]]
kind = "current_loss"
phases = [3]
at = "+19d9h15m"
lasts = "2h40m"

[[event]]
kind = "dip"
percent = 78
at = "+22d13h5m"
lasts = "3s"

[[event]]
kind = "cover"
cover = "case"
at = "+26d20h40m"
lasts = "12m"

[[event]]
kind = "magnet"
at = "+28d21h"
lasts = "6h30m"

[[event]]
kind = "clock_set"
error_s = 2
at = "+27d10h30m"
"""


def scenario(events: str, today: date) -> str:
    """Give the text of a scenario file."""
    return f"start = {(today - timedelta(days=DAYS)).isoformat()}\n{events}"
