"""CRC-16/MODBUS, which seals every frame on a meter's line; contracts are in crc.pyi."""

from cpython.buffer cimport (
    PyBUF_SIMPLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport uint8_t


cdef extern from "crc16.h" nogil:
    void make_table "corefast_crc16_make_table"()
    unsigned int crc_of "corefast_crc16"(const uint8_t *data, size_t size)
    bint sealed "corefast_crc16_sealed"(const uint8_t *frame, size_t size)
    void check "corefast_crc16_check"(
        const uint8_t *frames, size_t count, size_t size, uint8_t *sealed
    )

cdef extern from "Python.h":
    char *PyBytes_AsString(object) except NULL
    Py_ssize_t PyBytes_Size(object) except -1
    bytes PyBytes_FromStringAndSize(const char *, Py_ssize_t)

make_table()


def crc16(bytes data not None, /):
    return crc_of(<const uint8_t *> PyBytes_AsString(data), <size_t> PyBytes_Size(data))


def seal(bytes payload not None, /):
    cdef Py_ssize_t size = PyBytes_Size(payload)
    cdef const char *source = PyBytes_AsString(payload)
    cdef unsigned int crc = crc_of(<const uint8_t *> source, <size_t> size)
    cdef uint8_t[2] ending = [crc & 0xFF, crc >> 8]
    return payload + PyBytes_FromStringAndSize(<const char *> ending, 2)


def is_sealed(bytes frame not None, /):
    return sealed(<const uint8_t *> PyBytes_AsString(frame), <size_t> PyBytes_Size(frame))


def check_frames(buffer, Py_ssize_t frame_len, /):
    cdef Py_buffer view
    cdef Py_ssize_t count
    cdef bytes result
    cdef uint8_t *answers
    if frame_len < 2:
        raise ValueError(f"a frame has at least the two bytes of its checksum, not {frame_len}")
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    try:
        if view.len % frame_len:
            raise ValueError(
                f"{view.len} bytes are not a whole number of frames of {frame_len} bytes"
            )
        count = view.len // frame_len
        result = PyBytes_FromStringAndSize(NULL, count)
        answers = <uint8_t *> PyBytes_AsString(result)
        with nogil:
            check(<const uint8_t *> view.buf, <size_t> count, <size_t> frame_len, answers)
        return result
    finally:
        PyBuffer_Release(&view)
