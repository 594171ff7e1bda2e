"""Virtual toy meters: computed from address and time, the last 40 days kept. No hub in here."""

from datetime import datetime, timedelta, timezone

START, HALF_HOUR, KEPT = datetime(2020, 1, 1), timedelta(minutes=30), 40 * 48
MOSCOW = timezone(timedelta(hours=3))


def face(now):
    """What the meter's clock shows at an aware instant."""
    return now.astimezone(MOSCOW).replace(tzinfo=None)


def count(address, number):
    """Wh of a half-hour: a day's curve, another for each address."""
    return 100 + address + 7 * (number % 48)


def total(address, number):
    """Wh of all half-hours before this one."""
    days, rest = divmod(number, 48)
    return days * sum(count(address, at) for at in range(48)) + sum(
        count(address, at) for at in range(rest)
    )


def seal(data):
    return data + bytes([sum(data) % 256])


class VirtualToys:
    def __init__(self, settings):
        self.addresses = range(settings.address, settings.address + settings.meters)
        self.waiting = b""

    def receive(self, data, now):
        self.waiting += data
        answers = []
        while len(self.waiting) >= 7:
            request, self.waiting = self.waiting[:7], self.waiting[7:]
            if seal(request[:-1]) == request and request[0] in self.addresses:
                argument = int.from_bytes(request[2:6], "big")
                body = self.answer(request[0], request[1:2], argument, face(now))
                answers.append((0.001, seal(request[:2] + bytes([len(body)]) + body)))
        return answers

    def answer(self, address, letter, argument, shown):
        running = (shown - START) // HALF_HOUR
        longs = {
            b"t": [int((shown - START).total_seconds())],
            b"e": [total(address, running), total(address, running - running % 48)],
            b"o": [max(0, running - KEPT), running - 1],
        }
        if letter in longs:
            return b"".join(number.to_bytes(4, "big") for number in longs[letter])
        if letter == b"p":
            kept = range(max(argument, running - KEPT, 0), min(argument + 48, running))
            return b"".join(count(address, number).to_bytes(2, "big") for number in kept)
        return f"T{address:06d}".encode("ascii")
