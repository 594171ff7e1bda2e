/* Zeroed memory for answers. */

#ifndef COREFAST_MEMORY_H
#define COREFAST_MEMORY_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define MEMORY_HUGE ((size_t)2 << 20)

/* The first touch of small pages would cost more than the sums that are written there, so large
   answers ask the kernel for huge ones, as numpy does. It is advice: a refusal changes nothing
   but the time. `free` gives the memory back. */
static void *corefast_zeros(size_t size)
{
#if defined(MADV_HUGEPAGE)
    if (size >= MEMORY_HUGE && size <= (size_t)-1 - MEMORY_HUGE) {
        size_t whole = (size + MEMORY_HUGE - 1) & ~(MEMORY_HUGE - 1);
        void *memory = NULL;
        if (posix_memalign(&memory, MEMORY_HUGE, whole))
            return NULL;
        (void)madvise(memory, whole, MADV_HUGEPAGE);
        return memset(memory, 0, size);
    }
#endif
    return calloc(size ? size : 1, 1);
}

#endif
