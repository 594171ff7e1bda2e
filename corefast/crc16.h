/* CRC-16/MODBUS (polynomial 0x8005 reflected, start 0xFFFF, no final inversion).

   corefast_crc16_table[k][b] is what byte b does to the checksum when k more bytes follow it. The
   checksum is linear, so a whole short frame is the exclusive or of one look-up a byte: no
   look-up waits for the one before it. Longer data goes in steps of CRC16_STEP bytes. */

#ifndef COREFAST_CRC16_H
#define COREFAST_CRC16_H

#include <stddef.h>
#include <stdint.h>

#define CRC16_START 0xFFFFu
#define CRC16_SHORT 32u /* a meter's frame: one step, 16 KiB of tables */
#define CRC16_STEP 16u  /* longer data: half of the tables, which leaves room in the cache */

static uint16_t corefast_crc16_table[CRC16_SHORT][256];

static void corefast_crc16_make_table(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) ? 0xA001u : 0u);
        corefast_crc16_table[0][byte] = (uint16_t)crc;
    }
    for (unsigned k = 1; k < CRC16_SHORT; k++)
        for (unsigned byte = 0; byte < 256; byte++) {
            unsigned before = corefast_crc16_table[k - 1][byte];
            corefast_crc16_table[k][byte] =
                (uint16_t)((before >> 8) ^ corefast_crc16_table[0][before & 0xFF]);
        }
}

/* Up to CRC16_SHORT bytes in one step. */
static inline unsigned corefast_crc16_piece(unsigned crc, const uint8_t *data, size_t size)
{
    unsigned even, odd;
    size_t i;

    if (size < 2)
        return size ? (crc >> 8) ^ corefast_crc16_table[0][(crc ^ data[0]) & 0xFF] : crc;
    even = corefast_crc16_table[size - 1][(data[0] ^ crc) & 0xFF];
    odd = corefast_crc16_table[size - 2][data[1] ^ (crc >> 8)];
    for (i = 2; i + 1 < size; i += 2) {
        even ^= corefast_crc16_table[size - 1 - i][data[i]];
        odd ^= corefast_crc16_table[size - 2 - i][data[i + 1]];
    }
    if (i < size)
        even ^= corefast_crc16_table[0][data[i]];
    return even ^ odd;
}

static inline unsigned corefast_crc16(const uint8_t *data, size_t size)
{
    unsigned crc = CRC16_START;

    while (size > CRC16_SHORT) {
        crc = corefast_crc16_piece(crc, data, CRC16_STEP);
        data += CRC16_STEP;
        size -= CRC16_STEP;
    }
    return corefast_crc16_piece(crc, data, size);
}

/* A checksum sent low byte first makes the checksum of the whole frame zero. */
static inline int corefast_crc16_sealed(const uint8_t *frame, size_t size)
{
    return size >= 2 && corefast_crc16(frame, size) == 0;
}

static void corefast_crc16_check(const uint8_t *frames, size_t count, size_t size, uint8_t *sealed)
{
    /* The lengths of the answers that come by the thousand are constants for the compiler. */
    if (size == 20)
        for (size_t i = 0; i < count; i++, frames += 20)
            sealed[i] = corefast_crc16_piece(CRC16_START, frames, 20) == 0;
    else
        for (size_t i = 0; i < count; i++, frames += size)
            sealed[i] = (uint8_t)corefast_crc16_sealed(frames, size);
}

#endif
