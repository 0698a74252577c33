// SPDX-License-Identifier: Apache-2.0
// The heap of a plugin: what malloc, free and posix_memalign stand on.
#ifndef PROXY_WASM_HEAP_H
#define PROXY_WASM_HEAP_H

#include <stddef.h>

// Every payload starts on such a boundary; a larger one is had from heap_allocate_aligned.
#define HEAP_ALIGNMENT 16

// Returns NULL when memory is exhausted or `size` is beyond half of the address space.
// A size of 0 yields a unique pointer that can be freed.
void *heap_allocate(size_t size);

// `alignment` is a power of two.
void *heap_allocate_aligned(size_t alignment, size_t size);

// Grows in place where a neighbour is free; on failure the old block stays as it was.
void *heap_reallocate(void *payload, size_t size);

// NULL is allowed. Traps on a pointer that is not a live payload, as far as it can be told.
void heap_free(void *payload);

// Bytes that the caller could still use of this payload.
size_t heap_usable_size(const void *payload);

// Walks every block; returns 1 when all invariants hold. For the tests.
int heap_check(void);

// Bytes of blocks in use, headers included. For the tests.
size_t heap_bytes_in_use(void);

// Where the heap gets its memory: at least `size` more bytes, or NULL. Consecutive regions that
// touch each other become one. *granted is the size of the region, a multiple of HEAP_ALIGNMENT.
void *heap_grow(size_t size, size_t *granted);

#endif
