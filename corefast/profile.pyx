"""Sums over profiles and the blocks that days are kept in; contracts are in profile.pyi."""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES,
    Py_buffer, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

import sys


cdef extern from "aggregate.h" nogil:
    struct Aggregate "corefast_aggregate":
        const uint8_t *values
        size_t width
        const uint8_t *flags
        size_t series
        size_t slots
        size_t channels
        const int32_t *bounds
        const int32_t *keys
        size_t runs
        size_t n_keys
        int64_t *sums
        int32_t *counts

    void aggregate_all "corefast_aggregate_all"(const Aggregate *work)

cdef extern from "block.h" nogil:
    const Py_ssize_t BLOCK_SLOTS
    const Py_ssize_t BLOCK_CHANNELS
    const uint8_t BLOCK_NO_VALUE

    void make_table "corefast_crc32_make_table"()
    size_t block_room "corefast_block_room"(size_t slots, size_t channels)
    size_t pack "corefast_pack"(
        const uint8_t *values, const uint8_t *flags, size_t slots, size_t channels, uint8_t *block
    )
    bint unpack "corefast_unpack"(
        const uint8_t *block, size_t size, uint32_t *values, uint8_t *flags, size_t slots,
        size_t channels
    )

cdef extern from "memory.h" nogil:
    void *zeroed "corefast_zeros"(size_t size)

cdef extern from "Python.h":
    char *PyBytes_AsString(object) except NULL
    Py_ssize_t PyBytes_Size(object) except -1
    bytes PyBytes_FromStringAndSize(const char *, Py_ssize_t)
    Py_ssize_t PY_SSIZE_T_MAX

make_table()

cdef str NATIVE = "@=<" if sys.byteorder == "little" else "@=>!"


class BlockDamaged(ValueError):
    def __init__(self, index, /):
        super().__init__(index)
        self.index = index

    def __str__(self):
        return f"block {self.index} is damaged or not one of these slots and channels"


cdef class _Array:
    """Memory of its own behind the memoryviews that this module answers with."""

    cdef void *data
    cdef Py_ssize_t[3] shape
    cdef Py_ssize_t[3] strides
    cdef Py_ssize_t itemsize
    cdef Py_ssize_t size
    cdef int ndim
    cdef bytes format

    def __dealloc__(self):
        free(self.data)

    def __getbuffer__(self, Py_buffer *view, int flags):
        view.obj = self
        view.buf = self.data
        view.len = self.size
        view.itemsize = self.itemsize
        view.readonly = False
        view.ndim = self.ndim
        view.format = PyBytes_AsString(self.format) if flags & PyBUF_FORMAT else NULL
        view.shape = self.shape if flags & PyBUF_ND else NULL
        view.strides = self.strides if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
        view.suboffsets = NULL
        view.internal = NULL


cdef _Array zeros(bytes format, Py_ssize_t itemsize, int ndim, const Py_ssize_t *shape):
    """Make an array of zeros; shape has ndim <= 3 numbers, none negative."""
    cdef _Array array = _Array.__new__(_Array)
    cdef int i
    array.format = format
    array.itemsize = itemsize
    array.ndim = ndim
    array.size = itemsize
    for i in range(ndim):
        array.shape[i] = shape[i]
        if shape[i] and array.size > PY_SSIZE_T_MAX // shape[i]:
            raise MemoryError
        array.size *= shape[i]
    cdef Py_ssize_t stride = itemsize
    for i in range(ndim - 1, -1, -1):
        array.strides[i] = stride
        stride *= max(shape[i], 1)
    array.data = zeroed(<size_t> array.size)
    if array.data is NULL:
        raise MemoryError
    return array


cdef int take(
    object source, Py_buffer *view, str name, str letters, str kind, int ndim,
    Py_ssize_t least, Py_ssize_t most,
) except -1:
    """Borrow a buffer of `ndim` dimensions and numbers of `least`..`most` bytes; on success the
    caller gives it back."""
    try:
        PyObject_GetBuffer(source, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
    except (BufferError, ValueError) as error:
        raise ValueError(f"{name} must be a C-contiguous buffer") from error
    cdef str format = "B" if view.format is NULL else view.format.decode("latin-1")
    if format[:1] in NATIVE:
        format = format[1:]
    try:
        if (
            len(format) != 1 or format not in letters or view.itemsize not in (least, most)
            or view.ndim != ndim
        ):
            raise ValueError(
                f"{name} must be {kind} in {ndim} dimension{'s' if ndim > 1 else ''}, not "
                f"{view.ndim} of format {format!r}"
            )
    except ValueError:
        PyBuffer_Release(view)
        raise
    return 0


cdef int check_size(Py_ssize_t slots, Py_ssize_t channels) except -1:
    if not 1 <= slots <= BLOCK_SLOTS:
        raise ValueError(f"a day has 1..{BLOCK_SLOTS} slots, not {slots}")
    if not 1 <= channels <= BLOCK_CHANNELS:
        raise ValueError(f"a block has 1..{BLOCK_CHANNELS} channels, not {channels}")
    return 0


cdef int check_runs(
    const int32_t *bounds, const int32_t *keys, Py_ssize_t runs, Py_ssize_t slots,
    Py_ssize_t n_keys,
) except -1:
    """Check everything that the loops will believe."""
    cdef Py_ssize_t i
    if bounds[0] < 0 or bounds[runs] > slots:
        raise ValueError(f"bounds must stay within the {slots} slots")
    for i in range(runs):
        if bounds[i] > bounds[i + 1]:
            raise ValueError(f"bounds must not fall, as they do after place {i}")
        if not 0 <= keys[i] < n_keys:
            raise ValueError(f"key {keys[i]} at place {i} is not one of 0..{n_keys - 1}")
    return 0


cdef tuple sum_runs(
    const Py_buffer *values, const Py_buffer *flags, const Py_buffer *bounds,
    const Py_buffer *keys, Py_ssize_t n_keys,
):
    cdef Py_ssize_t series = values.shape[0]
    cdef Py_ssize_t slots = values.shape[1]
    cdef Py_ssize_t channels = values.shape[2]
    cdef Py_ssize_t runs = keys.shape[0]
    if channels < 1:
        raise ValueError("values must have at least one channel")
    if flags.shape[0] != series or flags.shape[1] != slots:
        raise ValueError(
            f"flags must be of shape ({series}, {slots}) like values, "
            f"not ({flags.shape[0]}, {flags.shape[1]})"
        )
    if bounds.shape[0] != runs + 1:
        raise ValueError(
            f"{runs} keys need {runs + 1} bounds, one more than keys, not {bounds.shape[0]}"
        )
    if n_keys < 0:
        raise ValueError(f"n_keys must not be negative: {n_keys}")

    cdef _Array sums = zeros(b"q", 8, 3, [series, n_keys, channels])
    cdef _Array counts = zeros(b"i", 4, 2, [series, n_keys, 0])
    # Another thread may write to the caller's memory, so what is checked is a copy, and the copy
    # is what is used.
    cdef int32_t *copy = <int32_t *> calloc(<size_t> (2 * runs + 1), 4)
    if copy is NULL:
        raise MemoryError
    cdef Aggregate work
    try:
        memcpy(copy, bounds.buf, <size_t> (runs + 1) * 4)
        if runs:
            memcpy(copy + runs + 1, keys.buf, <size_t> runs * 4)
        check_runs(copy, copy + runs + 1, runs, slots, n_keys)
        work.values = <const uint8_t *> values.buf
        work.width = <size_t> values.itemsize
        work.flags = <const uint8_t *> flags.buf
        work.series = <size_t> series
        work.slots = <size_t> slots
        work.channels = <size_t> channels
        work.bounds = copy
        work.keys = copy + runs + 1
        work.runs = <size_t> runs
        work.n_keys = <size_t> n_keys
        work.sums = <int64_t *> sums.data
        work.counts = <int32_t *> counts.data
        with nogil:
            aggregate_all(&work)
    finally:
        free(copy)
    return memoryview(sums), memoryview(counts)


def aggregate(values, flags, bounds, keys, Py_ssize_t n_keys, /):
    cdef Py_buffer of_values, of_flags, of_bounds, of_keys
    take(values, &of_values, "values", "HIL", "uint16 or uint32", 3, 2, 4)
    try:
        take(flags, &of_flags, "flags", "B", "uint8", 2, 1, 1)
        try:
            take(bounds, &of_bounds, "bounds", "il", "int32", 1, 4, 4)
            try:
                take(keys, &of_keys, "keys", "il", "int32", 1, 4, 4)
                try:
                    return sum_runs(&of_values, &of_flags, &of_bounds, &of_keys, n_keys)
                finally:
                    PyBuffer_Release(&of_keys)
            finally:
                PyBuffer_Release(&of_bounds)
        finally:
            PyBuffer_Release(&of_flags)
    finally:
        PyBuffer_Release(&of_values)


cdef bytes pack_checked(const Py_buffer *values, const Py_buffer *flags):
    cdef Py_ssize_t slots = values.shape[0]
    cdef Py_ssize_t channels = values.shape[1]
    check_size(slots, channels)
    if flags.shape[0] != slots:
        raise ValueError(f"{slots} slots need {slots} flags, not {flags.shape[0]}")
    # Packing reads twice. Flags decide how much is written, so they are a copy that no other
    # thread or process can change in between; changing values can only spoil the counts.
    cdef size_t size
    cdef uint8_t[1440] own
    memcpy(own, flags.buf, slots)
    cdef uint8_t *block = <uint8_t *> calloc(block_room(<size_t> slots, <size_t> channels), 1)
    if block is NULL:
        raise MemoryError
    try:
        size = pack(
            <const uint8_t *> values.buf, own, <size_t> slots, <size_t> channels, block
        )
        return PyBytes_FromStringAndSize(<const char *> block, size)
    finally:
        free(block)


def pack_day(values, flags, /):
    cdef Py_buffer of_values, of_flags
    take(values, &of_values, "values", "IL", "uint32", 2, 4, 4)
    try:
        take(flags, &of_flags, "flags", "B", "uint8", 1, 1, 1)
        try:
            return pack_checked(&of_values, &of_flags)
        finally:
            PyBuffer_Release(&of_flags)
    finally:
        PyBuffer_Release(&of_values)


def unpack_days(blocks, Py_ssize_t slots, Py_ssize_t channels, /):
    check_size(slots, channels)
    # A tuple of our own keeps every block alive and in its place.
    cdef tuple own = tuple(blocks)
    cdef Py_ssize_t days = len(own)
    cdef Py_ssize_t day
    cdef _Array values = zeros(b"I", 4, 3, [days, slots, channels])
    cdef _Array flags = zeros(b"B", 1, 2, [days, slots, 0])
    cdef uint32_t *to_values = <uint32_t *> values.data
    cdef uint8_t *to_flags = <uint8_t *> flags.data
    for day in range(days):
        block = own[day]
        if block is None:
            memset(to_flags, BLOCK_NO_VALUE, slots)
        elif not isinstance(block, bytes):
            raise TypeError(f"block {day} must be bytes or None, not {type(block).__name__}")
        elif not unpack(
            <const uint8_t *> PyBytes_AsString(block), <size_t> PyBytes_Size(block),
            to_values, to_flags, slots, channels,
        ):
            raise BlockDamaged(day)
        to_values += slots * channels
        to_flags += slots
    return memoryview(values), memoryview(flags)
