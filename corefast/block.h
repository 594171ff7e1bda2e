/* A block: one day of one series, as the store keeps it.

   All numbers low byte first.

   0           version, 1
   1           bits 0-1 channels - 1; bits 2-3 how flags are kept; bits 4-7 zero
   2..3        slots, 1..1440
   a channel   one byte: bits 0-5 width, 0..32; bits 6-7 size of the minimum: 0, 1, 2 or 4 bytes
               minimum
   flags       NONE all zero: nothing
               SAME one byte for all slots
               RUNS number of runs, then for each its flag and its length - 1
               RAW  a byte a slot
   counts      channel after channel, slot after slot, value - minimum in `width` bits, lowest bit
               first; no gaps between channels; slots without a value (flag bit 0) take no bits and
               do not touch minimum and width
   last 4      CRC-32 (the one of zlib) of all bytes before it

   Reading believes nothing: not the checksum, which a hostile writer can make, nor a length. */

#ifndef COREFAST_BLOCK_H
#define COREFAST_BLOCK_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BLOCK_VERSION 1
#define BLOCK_SLOTS 1440u
#define BLOCK_CHANNELS 4u
#define BLOCK_HEAD 4u
#define BLOCK_TAIL 4u
#define BLOCK_NO_VALUE 0x01u
#define BLOCK_RUNS 255u

enum { FLAGS_NONE, FLAGS_SAME, FLAGS_RUNS, FLAGS_RAW };

static const uint8_t corefast_minimum_size[4] = {0, 1, 2, 4};
static uint32_t corefast_crc32_table[8][256];

static void corefast_crc32_make_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) ? UINT32_C(0xEDB88320) : 0);
        corefast_crc32_table[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t before = corefast_crc32_table[k - 1][byte];
            corefast_crc32_table[k][byte] =
                (before >> 8) ^ corefast_crc32_table[0][before & 0xFF];
        }
}

static uint32_t corefast_crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (; size >= 8; data += 8, size -= 8)
        crc = corefast_crc32_table[7][(data[0] ^ crc) & 0xFF]
            ^ corefast_crc32_table[6][(data[1] ^ (crc >> 8)) & 0xFF]
            ^ corefast_crc32_table[5][(data[2] ^ (crc >> 16)) & 0xFF]
            ^ corefast_crc32_table[4][data[3] ^ (crc >> 24)]
            ^ corefast_crc32_table[3][data[4]] ^ corefast_crc32_table[2][data[5]]
            ^ corefast_crc32_table[1][data[6]] ^ corefast_crc32_table[0][data[7]];
    for (; size; data++, size--)
        crc = (crc >> 8) ^ corefast_crc32_table[0][(crc ^ *data) & 0xFF];
    return ~crc;
}

static inline uint64_t corefast_get(const uint8_t *from, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)from[i] << (8 * i);
    return number;
}

static inline uint8_t *corefast_put(uint8_t *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *to++ = (uint8_t)(number >> (8 * i));
    return to;
}

/* The most bytes that a block of so many slots and channels can take. */
static inline size_t corefast_block_room(size_t slots, size_t channels)
{
    return BLOCK_HEAD + 5 * channels + slots + 4 * slots * channels + BLOCK_TAIL;
}

static uint8_t *corefast_put_flags(
    uint8_t *to, const uint8_t *flags, size_t slots, unsigned *kept_as)
{
    size_t runs = 1, length = 1, changes = 0;

    for (size_t i = 1; i < slots; i++, length++) {
        changes += flags[i] != flags[i - 1];
        if (flags[i] != flags[i - 1] || length == 256) {
            runs++;
            length = 0;
        }
    }
    *kept_as = FLAGS_RAW;
    if (changes == 0)
        *kept_as = flags[0] ? FLAGS_SAME : FLAGS_NONE;
    else if (runs <= BLOCK_RUNS && 1 + 2 * runs < slots)
        *kept_as = FLAGS_RUNS;

    if (*kept_as == FLAGS_SAME) {
        *to++ = flags[0];
    } else if (*kept_as == FLAGS_RUNS) {
        *to++ = (uint8_t)runs;
        for (size_t i = 0; i < slots; i += length) {
            for (length = 1; length < 256 && i + length < slots; length++)
                if (flags[i + length] != flags[i])
                    break;
            *to++ = flags[i];
            *to++ = (uint8_t)(length - 1);
        }
    } else if (*kept_as == FLAGS_RAW) {
        memcpy(to, flags, slots);
        to += slots;
    }
    return to;
}

/* Writes at most corefast_block_room bytes and returns how many. */
static size_t corefast_pack(
    const uint8_t *values, const uint8_t *flags, size_t slots, size_t channels, uint8_t *block)
{
    uint32_t minimum[BLOCK_CHANNELS];
    unsigned width[BLOCK_CHANNELS], kept_as, filled = 0;
    uint8_t *to = block + BLOCK_HEAD;
    uint64_t bits = 0;

    for (size_t c = 0; c < channels; c++) {
        uint32_t least = UINT32_MAX, most = 0, number;
        unsigned code;
        for (size_t i = 0; i < slots; i++) {
            if (flags[i] & BLOCK_NO_VALUE)
                continue;
            memcpy(&number, values + 4 * (i * channels + c), 4);
            least = number < least ? number : least;
            most = number > most ? number : most;
        }
        if (least > most) /* not one value */
            least = most = 0;
        minimum[c] = least;
        width[c] = 0;
        while (width[c] < 32 && (most - least) >> width[c])
            width[c]++;
        code = least == 0 ? 0 : least <= 0xFF ? 1 : least <= 0xFFFF ? 2 : 3;
        *to++ = (uint8_t)(width[c] | code << 6);
        to = corefast_put(to, least, corefast_minimum_size[code]);
    }

    to = corefast_put_flags(to, flags, slots, &kept_as);
    block[0] = BLOCK_VERSION;
    block[1] = (uint8_t)((channels - 1) | kept_as << 2);
    corefast_put(block + 2, slots, 2);

    for (size_t c = 0; c < channels; c++) {
        if (width[c] == 0)
            continue;
        for (size_t i = 0; i < slots; i++) {
            uint32_t number;
            if (flags[i] & BLOCK_NO_VALUE)
                continue;
            memcpy(&number, values + 4 * (i * channels + c), 4);
            bits |= (uint64_t)(number - minimum[c]) << filled;
            filled += width[c];
            if (filled >= 32) {
                to = corefast_put(to, bits, 4);
                bits >>= 32;
                filled -= 32;
            }
        }
    }
    to = corefast_put(to, bits, (filled + 7) / 8);
    to = corefast_put(to, corefast_crc32(block, (size_t)(to - block)), 4);
    assert((size_t)(to - block) <= corefast_block_room(slots, channels));
    return (size_t)(to - block);
}

/* Reads the flags at `at`; returns where they end, or 0 if they do not end within `end`. */
static size_t corefast_get_flags(
    const uint8_t *block, size_t at, size_t end, unsigned kept_as, uint8_t *flags, size_t slots)
{
    size_t runs, done = 0;

    switch (kept_as) {
    case FLAGS_NONE:
        memset(flags, 0, slots);
        return at;
    case FLAGS_SAME:
        if (end - at < 1)
            return 0;
        memset(flags, block[at], slots);
        return at + 1;
    case FLAGS_RUNS:
        if (end - at < 1)
            return 0;
        runs = block[at++];
        if (end - at < 2 * runs)
            return 0;
        for (; runs; runs--, at += 2) {
            size_t length = (size_t)block[at + 1] + 1;
            if (length > slots - done)
                return 0;
            memset(flags + done, block[at], length);
            done += length;
        }
        return done == slots ? at : 0;
    default:
        if (end - at < slots)
            return 0;
        memcpy(flags, block + at, slots);
        return at + slots;
    }
}

/* The 64 bits from byte `at` on; what lies behind the block reads as zero. */
static inline uint64_t corefast_window(const uint8_t *block, size_t size, size_t at)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t word;
    if (at + 8 <= size) {
        memcpy(&word, block + at, 8);
        return word;
    }
#endif
    return corefast_get(block + at, size - at < 8 ? size - at : 8);
}

/* Returns 1 and fills values (slots, channels) and flags (slots), or returns 0: damaged. */
static int corefast_unpack(
    const uint8_t *block, size_t size, uint32_t *values, uint8_t *flags, size_t slots,
    size_t channels)
{
    uint32_t minimum[BLOCK_CHANNELS];
    unsigned width[BLOCK_CHANNELS], kept_as;
    size_t at = BLOCK_HEAD, end, present = slots, wanted = 0, bit;
    uint64_t over = 0;

    if (size < BLOCK_HEAD + channels + BLOCK_TAIL)
        return 0;
    end = size - BLOCK_TAIL;
    if (block[0] != BLOCK_VERSION || block[1] >> 4 || (size_t)(block[1] & 3) + 1 != channels
        || corefast_get(block + 2, 2) != slots
        || corefast_get(block + end, 4) != corefast_crc32(block, end))
        return 0;
    kept_as = block[1] >> 2;

    for (size_t c = 0; c < channels; c++) {
        size_t bytes;
        if (at >= end)
            return 0;
        width[c] = block[at] & 0x3F;
        bytes = corefast_minimum_size[block[at++] >> 6];
        if (width[c] > 32 || end - at < bytes)
            return 0;
        minimum[c] = (uint32_t)corefast_get(block + at, bytes);
        at += bytes;
    }
    at = corefast_get_flags(block, at, end, kept_as, flags, slots);
    if (at == 0)
        return 0;
    if (kept_as != FLAGS_NONE)
        for (size_t i = 0; i < slots; i++)
            present -= flags[i] & BLOCK_NO_VALUE;
    for (size_t c = 0; c < channels; c++)
        wanted += present * width[c];
    if (end - at != (wanted + 7) / 8)
        return 0;

    bit = 8 * at;
    for (size_t c = 0; c < channels; c++) {
        uint64_t mask = (UINT64_C(1) << width[c]) - 1, number;
        uint32_t *to = values + c;
        if (present == slots)
            for (size_t i = 0; i < slots; i++, to += channels, bit += width[c]) {
                number = minimum[c];
                number += (corefast_window(block, size, bit >> 3) >> (bit & 7)) & mask;
                over |= number;
                *to = (uint32_t)number;
            }
        else
            for (size_t i = 0; i < slots; i++, to += channels) {
                *to = 0;
                if (flags[i] & BLOCK_NO_VALUE)
                    continue;
                number = minimum[c];
                number += (corefast_window(block, size, bit >> 3) >> (bit & 7)) & mask;
                over |= number;
                *to = (uint32_t)number;
                bit += width[c];
            }
    }
    assert(bit <= 8 * end);
    return over >> 32 == 0;
}

#endif
