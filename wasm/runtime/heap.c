// SPDX-License-Identifier: Apache-2.0
// A boundary-tag allocator with segregated free lists. A filter runs for as long as its proxy does,
// so freed memory has to come back and must not crumble: neighbours are joined on every free, and a
// fit is found by size class in constant time but for the last class looked at.
//
// A region is a row of blocks that ends with a header of size 0, in use. A block is an 8-byte
// header (two 32-bit words) and its payload; headers lie 8 bytes below a 16-byte boundary, so
// payloads lie on one.

#include "heap.h"

#include <stdint.h>

typedef struct {
  uint32_t previous;  // size of the block below in units of 16 bytes; 0 for a region's first
  uint32_t units;     // size of this block, header included, shifted left; bit 0: in use
} header;

typedef struct links {
  struct links *next, *previous;
} links;

enum {
  unit = HEAP_ALIGNMENT,
  header_size = sizeof(header),
  smallest = (header_size + sizeof(links) + unit - 1) / unit,  // units of the smallest block
  exact_classes = 32,  // blocks below this many units have a class of their own
  class_count = 64,
};

static links classes[class_count];  // heads of circular lists; next is NULL before first use
static uint64_t filled;             // bit n: class n has a block
static header *last_end;            // closing header of the newest region
static size_t units_in_use;

_Static_assert(sizeof(header) == 8, "payloads would lose their alignment");

static size_t units_of(const header *block) { return block->units >> 1; }
static int in_use(const header *block) { return block->units & 1; }
static void *payload_of(header *block) { return (char *)block + header_size; }
static header *block_of(const void *payload) { return (header *)((char *)payload - header_size); }
static header *above(const header *block) {
  return (header *)((char *)block + units_of(block) * unit);
}
static header *below(const header *block) {
  return (header *)((char *)block - (size_t)block->previous * unit);
}
static links *links_of(header *block) { return payload_of(block); }

static unsigned class_of(size_t units) {
  if (units < exact_classes) return (unsigned)units;
  unsigned log = 31 - (unsigned)__builtin_clz((uint32_t)units);  // at least 5
  unsigned class = exact_classes + (log - 5);
  return class < class_count ? class : class_count - 1;
}

static void set(header *block, size_t units, int used) {
  block->units = (uint32_t)(units << 1) | (uint32_t)used;
  above(block)->previous = (uint32_t)units;
}

static void insert(header *block) {
  unsigned class = class_of(units_of(block));
  links *head = &classes[class], *here = links_of(block);
  if (!head->next) head->next = head->previous = head;
  here->next = head->next;
  here->previous = head;
  head->next->previous = here;
  head->next = here;
  filled |= UINT64_C(1) << class;
}

static void take(header *block) {
  links *here = links_of(block);
  here->next->previous = here->previous;
  here->previous->next = here->next;
  unsigned class = class_of(units_of(block));
  if (classes[class].next == &classes[class]) filled &= ~(UINT64_C(1) << class);
}

// Frees the tail of a used block if it can stand alone.
static void trim(header *block, size_t units) {
  size_t rest = units_of(block) - units;
  if (rest < smallest) return;
  set(block, units, 1);
  header *tail = above(block);
  set(tail, rest, 0);
  header *next = above(tail);
  if (!in_use(next)) {
    take(next);
    set(tail, rest + units_of(next), 0);
  }
  insert(tail);
}

static header *find(size_t units) {
  unsigned class = class_of(units);
  if (filled >> class & 1) {
    // Blocks of one wide class differ in size, so the first that fits is looked for.
    for (links *here = classes[class].next; here != &classes[class]; here = here->next) {
      if (units_of(block_of(here)) >= units) return block_of(here);
    }
  }
  if (class + 1 >= class_count) return NULL;
  uint64_t larger = filled >> (class + 1) << (class + 1);
  return larger ? block_of(classes[__builtin_ctzll(larger)].next) : NULL;
}

static header *extend(size_t units) {
  size_t granted = 0;
  // One unit more for the closing header, one for the offset of the first.
  char *region = heap_grow((units + 2) * unit, &granted);
  if (!region) return NULL;
  header *block;
  size_t gained;
  if (last_end && (char *)last_end + header_size == region) {
    block = last_end;  // the closing header becomes the new block's
    gained = granted / unit;
  } else {
    block = (header *)(region + unit - header_size);
    block->previous = 0;
    gained = granted / unit - 1;
  }
  header *end = (header *)((char *)block + gained * unit);
  end->units = 1;
  set(block, gained, 0);
  last_end = end;
  header *lower = below(block);
  if (block->previous && !in_use(lower)) {
    take(lower);
    set(lower, units_of(lower) + gained, 0);
    block = lower;
  }
  insert(block);
  return block;
}

static size_t units_for(size_t size) {
  // Half of a 32-bit address space bounds every sum below.
  if (size > (size_t)INT32_MAX - 4 * unit) return 0;
  size_t units = (size + header_size + unit - 1) / unit;
  return units < smallest ? smallest : units;
}

void *heap_allocate(size_t size) {
  size_t units = units_for(size);
  if (!units) return NULL;
  header *block = find(units);
  if (!block) block = extend(units);
  if (!block || units_of(block) < units) return NULL;
  take(block);
  set(block, units_of(block), 1);
  trim(block, units);
  units_in_use += units_of(block);
  return payload_of(block);
}

void *heap_allocate_aligned(size_t alignment, size_t size) {
  if (alignment <= unit) return heap_allocate(size);
  size_t units = units_for(size);
  if (!units || alignment > (size_t)INT32_MAX / 4) return NULL;
  // Room to cut off a block below the aligned payload, or none if it is aligned already.
  char *payload = heap_allocate(size + alignment + smallest * unit);
  if (!payload) return NULL;
  header *block = block_of(payload);
  size_t offset = -(uintptr_t)payload & (alignment - 1);
  if (offset && offset < smallest * unit) offset += alignment;
  units_in_use -= units_of(block);
  if (offset) {
    size_t total = units_of(block), front = offset / unit;
    set(block, front, 1);
    header *aligned = above(block);
    set(aligned, total - front, 1);
    units_in_use += front;
    heap_free(payload);
    block = aligned;
  }
  trim(block, units);
  units_in_use += units_of(block);
  return payload_of(block);
}

void heap_free(void *payload) {
  if (!payload) return;
  header *block = block_of(payload);
  size_t units = units_of(block);
  // A block freed twice, or overwritten, no longer agrees with its neighbour.
  int is_live = (uintptr_t)payload % unit == 0 && in_use(block) && above(block)->previous == units;
  if (!is_live) __builtin_trap();
  units_in_use -= units;
  header *upper = above(block), *lower = below(block);
  if (!in_use(upper)) {
    take(upper);
    units += units_of(upper);
  }
  if (block->previous && !in_use(lower)) {
    take(lower);
    units += units_of(lower);
    block->units &= ~UINT32_C(1);  // so that a second free of this payload is seen
    block = lower;
  }
  set(block, units, 0);
  insert(block);
}

void *heap_reallocate(void *payload, size_t size) {
  if (!payload) return heap_allocate(size);
  size_t units = units_for(size);
  if (!units) return NULL;
  header *block = block_of(payload), *upper = above(block);
  size_t had = units_of(block);
  if (units > had && !in_use(upper) && had + units_of(upper) >= units) {
    take(upper);
    set(block, had + units_of(upper), 1);
  }
  if (units_of(block) >= units) {
    units_in_use -= had;
    trim(block, units);
    units_in_use += units_of(block);
    return payload;
  }
  void *moved = heap_allocate(size);
  if (!moved) return NULL;
  __builtin_memcpy(moved, payload, had * unit - header_size);
  heap_free(payload);
  return moved;
}

size_t heap_usable_size(const void *payload) {
  return units_of(block_of(payload)) * unit - header_size;
}

size_t heap_bytes_in_use(void) { return units_in_use * unit; }

int heap_check(void) {
  size_t listed = 0, walked = 0;
  for (unsigned class = 0; class < class_count; class++) {
    if (!classes[class].next) continue;
    if ((filled >> class & 1) != (classes[class].next != &classes[class])) return 0;
    for (links *here = classes[class].next; here != &classes[class]; here = here->next) {
      header *block = block_of(here);
      if (in_use(block) || class_of(units_of(block)) != class) return 0;
      if (here->next->previous != here || here->previous->next != here) return 0;
      listed += units_of(block);
    }
  }
  // Downwards through the newest region; two free neighbours would be a missed join.
  if (!last_end) return listed == 0;
  int free_above = 0;
  for (header *block = last_end; block->previous;) {
    block = below(block);
    if (!in_use(block) && free_above) return 0;
    free_above = !in_use(block);
    if (free_above) walked += units_of(block);
  }
  return walked <= listed;
}
