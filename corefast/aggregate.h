/* Sums over runs of slots.

   Values lie slot by slot, (series, slots, channels). `bounds` cuts a series' slots into runs and
   `keys` says into which sum each run goes; all series share both. The caller has checked that
   bounds rise, stay within the slots, and that every key is one of the n_keys: here they are
   believed. Values may lie at any address, so they are read with memcpy.

   Four channels, the usual case, are summed two channels to a lane. A lane is twice as wide as a
   value and holds an upper and a lower channel. Adding up whole lanes gives, modulo the lane,
   lower + (upper << half); adding up the upper halves alone gives upper; the lower sum is the
   difference. That is two additions and a shift for a vector of lanes and no masks at all.
   Vectors are those of gcc and clang, which make the best of any processor out of them. */

#ifndef COREFAST_AGGREGATE_H
#define COREFAST_AGGREGATE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Slots with no value (bit 0) or a rejected one (bit 4) are not summed. */
#define AGGREGATE_LEAVE 0x11u
#define AGGREGATE_LEAVE_4 UINT32_C(0x11111111)
#define AGGREGATE_LEAVE_8 UINT64_C(0x1111111111111111)

/* So many 16-bit values never overflow a 32-bit lane. */
#define AGGREGATE_PIECE 65536u

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define AGGREGATE_LOWER 1 /* which of a lane's two channels is its lower half */
#define AGGREGATE_UPPER 0
#else
#define AGGREGATE_LOWER 0
#define AGGREGATE_UPPER 1
#endif

/* 16 bytes: wider ones go through memory where the processor has none. */
typedef uint32_t corefast_lanes_32 __attribute__((vector_size(16)));
typedef uint64_t corefast_lanes_64 __attribute__((vector_size(16)));

static inline uint32_t corefast_load_32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t corefast_load_64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t corefast_load_value(const uint8_t *at, size_t width)
{
    uint16_t narrow;
    if (width == 4)
        return corefast_load_32(at);
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

/* Any width and number of channels, a slot at a time; returns how many slots were summed. */
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

/* Two slots of four 16-bit channels are a vector of four lanes. */
#define AGGREGATE_ADD_32(at, whole, upper) \
    do { \
        corefast_lanes_32 lanes; \
        memcpy(&lanes, (at), sizeof lanes); \
        (whole) += lanes; \
        (upper) += lanes >> 16; \
    } while (0)

static inline size_t corefast_sum_u16x4(
    const uint8_t *values, const uint8_t *flags, size_t slots, int64_t *sums)
{
    size_t counted = 0;

    while (slots) {
        size_t piece = slots < AGGREGATE_PIECE ? slots : AGGREGATE_PIECE, i = 0;
        corefast_lanes_32 whole = {0}, upper = {0}, whole_2 = {0}, upper_2 = {0};

        for (; i + 8 <= piece; i += 8) {
            const uint8_t *at = values + 8 * i;
            if (corefast_load_64(flags + i) & AGGREGATE_LEAVE_8) {
                counted += corefast_sum_any(at, 2, 4, flags + i, 8, sums);
                continue;
            }
            AGGREGATE_ADD_32(at, whole, upper);
            AGGREGATE_ADD_32(at + 16, whole_2, upper_2);
            AGGREGATE_ADD_32(at + 32, whole, upper);
            AGGREGATE_ADD_32(at + 48, whole_2, upper_2);
            counted += 8;
        }
        if (i + 4 <= piece && !(corefast_load_32(flags + i) & AGGREGATE_LEAVE_4)) {
            AGGREGATE_ADD_32(values + 8 * i, whole, upper);
            AGGREGATE_ADD_32(values + 8 * i + 16, whole_2, upper_2);
            counted += 4;
            i += 4;
        }
        counted += corefast_sum_any(values + 8 * i, 2, 4, flags + i, piece - i, sums);
        whole += whole_2;
        upper += upper_2;
        for (unsigned pair = 0; pair < 2; pair++) {
            uint32_t all = whole[pair] + whole[pair + 2], high = upper[pair] + upper[pair + 2];
            sums[2 * pair + AGGREGATE_UPPER] += (int64_t)high;
            sums[2 * pair + AGGREGATE_LOWER] += (int64_t)(uint32_t)(all - (high << 16));
        }
        values += 8 * piece;
        flags += piece;
        slots -= piece;
    }
    return counted;
}

/* A slot of four 32-bit channels is a vector of two lanes, and nothing overflows. */
#define AGGREGATE_ADD_64(at, whole, upper) \
    do { \
        corefast_lanes_64 lanes; \
        memcpy(&lanes, (at), sizeof lanes); \
        (whole) += lanes; \
        (upper) += lanes >> 32; \
    } while (0)

static inline size_t corefast_sum_u32x4(
    const uint8_t *values, const uint8_t *flags, size_t slots, int64_t *sums)
{
    size_t counted = 0, i = 0;
    corefast_lanes_64 whole = {0}, upper = {0}, whole_2 = {0}, upper_2 = {0};

    for (; i + 4 <= slots; i += 4) {
        const uint8_t *at = values + 16 * i;
        if (corefast_load_32(flags + i) & AGGREGATE_LEAVE_4) {
            counted += corefast_sum_any(at, 4, 4, flags + i, 4, sums);
            continue;
        }
        AGGREGATE_ADD_64(at, whole, upper);
        AGGREGATE_ADD_64(at + 16, whole_2, upper_2);
        AGGREGATE_ADD_64(at + 32, whole, upper);
        AGGREGATE_ADD_64(at + 48, whole_2, upper_2);
        counted += 4;
    }
    counted += corefast_sum_any(values + 16 * i, 4, 4, flags + i, slots - i, sums);
    whole += whole_2;
    upper += upper_2;
    for (unsigned pair = 0; pair < 2; pair++) {
        sums[2 * pair + AGGREGATE_UPPER] += (int64_t)upper[pair];
        sums[2 * pair + AGGREGATE_LOWER] += (int64_t)(whole[pair] - (upper[pair] << 32));
    }
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
