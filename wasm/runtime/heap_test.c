// SPDX-License-Identifier: Apache-2.0
// Drives the plugin heap on the host, where sanitizers watch: random lives of blocks against a
// model, then the promises one by one. Usage: heap_test SEED STEPS. Prints what it did; aborts at
// the first lie.

#include "heap.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                        \
  do {                                                                           \
    if (!(condition)) {                                                          \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);  \
      abort();                                                                   \
    }                                                                            \
  } while (0)

enum { arena_size = 64 << 20, page = 65536, slots = 2000 };

// Stands for linear memory: contiguous, grown in pages, exhausted at its end.
static _Alignas(page) unsigned char arena[arena_size];
static size_t grown;

void *heap_grow(size_t size, size_t *granted) {
  size_t pages = (size + page - 1) / page * page;
  if (pages > arena_size - grown) return NULL;
  void *start = arena + grown;
  grown += pages;
  *granted = pages;
  return start;
}

static uint64_t state;
static uint32_t any(uint32_t below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33) % below;
}

typedef struct {
  unsigned char *payload;
  size_t size;
  unsigned char mark;
} life;
static life lives[slots];

static void expect_untouched(const life *one) {
  for (size_t i = 0; i < one->size; i++) EXPECT(one->payload[i] == one->mark);
}

static size_t any_size(void) {
  switch (any(10)) {
    case 0: return any(200000);
    case 1: case 2: return any(5000);
    default: return any(200);
  }
}

static void step(void) {
  life *one = &lives[any(slots)];
  if (one->payload && any(4) == 0) {
    size_t size = any_size();
    unsigned char *moved = heap_reallocate(one->payload, size);
    if (!moved) return;
    size_t kept = size < one->size ? size : one->size;
    for (size_t i = 0; i < kept; i++) EXPECT(moved[i] == one->mark);
    one->payload = moved;
    one->size = size;
  } else if (one->payload) {
    expect_untouched(one);
    heap_free(one->payload);
    one->payload = NULL;
    return;
  } else {
    size_t alignment = any(5) ? 1 : (size_t)1 << any(14);
    one->size = any_size();
    one->payload = heap_allocate_aligned(alignment, one->size);
    if (!one->payload) return;
    if (alignment < HEAP_ALIGNMENT) alignment = HEAP_ALIGNMENT;
    EXPECT((uintptr_t)one->payload % alignment == 0);
  }
  EXPECT(heap_usable_size(one->payload) >= one->size);
  one->mark = (unsigned char)any(256);
  memset(one->payload, one->mark, one->size);
}

static void free_all(void) {
  for (life *one = lives; one < lives + slots; one++) {
    if (one->payload) expect_untouched(one);
    heap_free(one->payload);
    one->payload = NULL;
  }
  EXPECT(heap_check());
  EXPECT(heap_bytes_in_use() == 0);
}

int main(int count, char **arguments) {
  EXPECT(count == 3);
  state = strtoull(arguments[1], NULL, 10);
  long steps = strtol(arguments[2], NULL, 10);
  for (long i = 0; i < steps; i++) {
    step();
    if (i % 5000 == 0) EXPECT(heap_check());
  }
  free_all();

  // All of it joined again: one block nearly as large as everything ever grown.
  size_t before = grown;
  void *whole = heap_allocate(grown - 64);
  EXPECT(whole && grown == before);
  heap_free(whole);

  // A steady load does not grow the heap, however long it runs.
  for (int i = 0; i < 200000; i++) {
    void *a = heap_allocate(any(3000)), *b = heap_allocate(any(300));
    heap_free(a);
    heap_free(b);
  }
  EXPECT(grown == before);

  // What cannot be had is refused and harms nothing.
  EXPECT(!heap_allocate(SIZE_MAX) && !heap_allocate((size_t)1 << 31) && !heap_allocate(arena_size));
  EXPECT(!heap_allocate_aligned((size_t)1 << 40, 16));
  void *kept = heap_allocate(100);
  memset(kept, 7, 100);
  EXPECT(!heap_reallocate(kept, arena_size) && ((unsigned char *)kept)[99] == 7);
  heap_free(kept);
  heap_free(NULL);
  void *none = heap_allocate(0), *other = heap_allocate(0);
  EXPECT(none && other && none != other);
  heap_free(none);
  heap_free(other);
  EXPECT(heap_check() && heap_bytes_in_use() == 0);
  printf("%ld steps, %zu KiB grown, all returned\n", steps, before / 1024);
  return 0;
}
