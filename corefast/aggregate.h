/* Sums over runs of slots.

   Values lie slot by slot, (series, slots, channels). `bounds` cuts a series' slots into runs and
   `keys` says into which sum each run goes; all series share both. The caller has checked that
   bounds rise, stay within the slots, and that every key is one of the n_keys: here they are
   believed. Values may lie at any address, so they are read with memcpy. */

#ifndef COREFAST_AGGREGATE_H
#define COREFAST_AGGREGATE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Slots with no value (bit 0) or a rejected one (bit 4) are not summed. */
#define AGGREGATE_LEAVE 0x11u
#define AGGREGATE_LEAVE_8 UINT64_C(0x1111111111111111)

/* Two 32-bit sums live in each 64-bit word; so many 16-bit values never carry out of one. */
#define AGGREGATE_LANES UINT64_C(0x0000FFFF0000FFFF)
#define AGGREGATE_PIECE 65536u

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define AGGREGATE_EVEN_LOW 3
#define AGGREGATE_EVEN_HIGH 1
#define AGGREGATE_ODD_LOW 2
#define AGGREGATE_ODD_HIGH 0
#else
#define AGGREGATE_EVEN_LOW 0
#define AGGREGATE_EVEN_HIGH 2
#define AGGREGATE_ODD_LOW 1
#define AGGREGATE_ODD_HIGH 3
#endif

static inline uint64_t corefast_load_64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t corefast_load_value(const uint8_t *at, size_t width)
{
    uint16_t narrow;
    uint32_t wide;
    if (width == 2) {
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

/* Four channels of 16 bits: a slot is one word, added to four sums with two additions. */
static inline size_t corefast_sum_u16x4(
    const uint8_t *values, const uint8_t *flags, size_t slots, int64_t *sums)
{
    size_t counted = 0;

    while (slots) {
        size_t piece = slots < AGGREGATE_PIECE ? slots : AGGREGATE_PIECE;
        uint64_t even = 0, odd = 0;
        size_t i = 0;

        for (; i + 8 <= piece; i += 8) {
            uint64_t leave = corefast_load_64(flags + i) & AGGREGATE_LEAVE_8;
            if (leave == 0) {
                for (size_t j = 0; j < 8; j++) {
                    uint64_t word = corefast_load_64(values + 8 * (i + j));
                    even += word & AGGREGATE_LANES;
                    odd += (word >> 16) & AGGREGATE_LANES;
                }
                counted += 8;
            } else {
                for (size_t j = 0; j < 8; j++) {
                    uint64_t take = (flags[i + j] & AGGREGATE_LEAVE) == 0;
                    uint64_t word = corefast_load_64(values + 8 * (i + j)) & (0 - take);
                    even += word & AGGREGATE_LANES;
                    odd += (word >> 16) & AGGREGATE_LANES;
                    counted += take;
                }
            }
        }
        for (; i < piece; i++) {
            uint64_t take = (flags[i] & AGGREGATE_LEAVE) == 0;
            uint64_t word = corefast_load_64(values + 8 * i) & (0 - take);
            even += word & AGGREGATE_LANES;
            odd += (word >> 16) & AGGREGATE_LANES;
            counted += take;
        }
        sums[AGGREGATE_EVEN_LOW] += (int64_t)(even & UINT32_MAX);
        sums[AGGREGATE_EVEN_HIGH] += (int64_t)(even >> 32);
        sums[AGGREGATE_ODD_LOW] += (int64_t)(odd & UINT32_MAX);
        sums[AGGREGATE_ODD_HIGH] += (int64_t)(odd >> 32);
        values += 8 * piece;
        flags += piece;
        slots -= piece;
    }
    return counted;
}

/* Any width and number of channels; with constants for both the compiler unrolls it. */
static inline size_t corefast_sum_any(
    const uint8_t *values, size_t width, size_t channels, const uint8_t *flags, size_t slots,
    int64_t *sums)
{
    size_t counted = 0;

    for (size_t i = 0; i < slots; i++, values += width * channels) {
        if (flags[i] & AGGREGATE_LEAVE)
            continue;
        for (size_t c = 0; c < channels; c++)
            sums[c] += (int64_t)corefast_load_value(values + width * c, width);
        counted++;
    }
    return counted;
}

static inline size_t corefast_sum_u32x4(
    const uint8_t *values, const uint8_t *flags, size_t slots, int64_t *sums)
{
    int64_t run[4] = {0, 0, 0, 0};
    size_t counted = corefast_sum_any(values, 4, 4, flags, slots, run);

    for (size_t c = 0; c < 4; c++)
        sums[c] += run[c];
    return counted;
}

/* What the loops need to know; sums and counts start as zeros. */
struct corefast_aggregate {
    const uint8_t *values;
    size_t width; /* bytes of a value, 2 or 4 */
    const uint8_t *flags;
    size_t series, slots, channels;
    const int32_t *bounds, *keys;
    size_t runs, n_keys;
    int64_t *sums;
    int32_t *counts;
};

static void corefast_aggregate_all(const struct corefast_aggregate *a)
{
    const uint8_t *values = a->values, *flags = a->flags;
    int64_t *sums = a->sums;
    int32_t *counts = a->counts;

    for (size_t s = 0; s < a->series; s++) {
        for (size_t r = 0; r < a->runs; r++) {
            size_t from = (size_t)a->bounds[r], slots = (size_t)a->bounds[r + 1] - from;
            size_t key = (size_t)a->keys[r], counted;
            const uint8_t *first = values + from * a->channels * a->width;
            int64_t *into = sums + key * a->channels;

            assert(from + slots <= a->slots && key < a->n_keys);
            if (a->channels == 4 && a->width == 2)
                counted = corefast_sum_u16x4(first, flags + from, slots, into);
            else if (a->channels == 4)
                counted = corefast_sum_u32x4(first, flags + from, slots, into);
            else
                counted = corefast_sum_any(
                    first, a->width, a->channels, flags + from, slots, into);
            counts[key] += (int32_t)counted;
        }
        values += a->slots * a->channels * a->width;
        flags += a->slots;
        sums += a->n_keys * a->channels;
        counts += a->n_keys;
    }
}

#endif
