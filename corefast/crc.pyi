"""CRC-16/MODBUS: polynomial 0x8005 reflected, start 0xFFFF, no final inversion.

On the wire the low byte goes first, so a frame together with its checksum has checksum zero. The
functions for one frame take `bytes` and nothing else: a buffer view costs more than the checksum.
"""

from typing_extensions import Buffer

def crc16(data: bytes, /) -> int:
    """Return the checksum of `data`, 0..65535; of no bytes it is 0xFFFF.

    Raises:
        TypeError: `data` is not bytes.

    """

def seal(payload: bytes, /) -> bytes:
    """Return `payload` with its checksum behind it, low byte first.

    Raises:
        TypeError: `payload` is not bytes.

    """

def is_sealed(frame: bytes, /) -> bool:
    """Tell whether the last two bytes of `frame` are the checksum of the bytes before them.

    A frame of fewer than two bytes is not sealed. `seal(b"")` is two bytes and sealed: whether a
    frame is long enough to say anything is the protocol's question.

    Raises:
        TypeError: `frame` is not bytes.

    """

def check_frames(buffer: Buffer, frame_len: int, /) -> bytes:
    """Check many frames of one length in one call, without the GIL.

    Args:
        buffer: frames one after another, any C-contiguous buffer, taken as bytes.
        frame_len: bytes in a frame, its checksum included, at least 2.

    Returns:
        One byte a frame: 1 if the frame's last two bytes are its checksum, else 0.

    Raises:
        TypeError: `buffer` is not a buffer.
        ValueError, BufferError: the buffer is not contiguous.
        ValueError: `frame_len` is below 2, or the buffer is not a whole number of frames.

    """
