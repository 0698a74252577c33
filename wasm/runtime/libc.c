// SPDX-License-Identifier: Apache-2.0
// The few C functions that Embedded Swift and the Proxy-Wasm host call in a module without a C
// library.

#include <stddef.h>
#include <stdint.h>

#include "heap.h"

enum { page_size = 65536, no_memory = 12, invalid = 22 };

// The linker puts the heap after stack and data; everything up to the end of memory is ours.
extern unsigned char __heap_base;
static uintptr_t heap_end;

void *heap_grow(size_t size, size_t *granted) {
  uintptr_t memory_end = __builtin_wasm_memory_size(0) * page_size;
  uintptr_t start = heap_end;
  if (!start) start = ((uintptr_t)&__heap_base + HEAP_ALIGNMENT - 1) & -(uintptr_t)HEAP_ALIGNMENT;
  if (memory_end - start < size) {
    size_t pages = (size - (memory_end - start) + page_size - 1) / page_size;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return NULL;
    memory_end += pages * page_size;
  }
  heap_end = memory_end;
  *granted = memory_end - start;
  return (void *)start;
}

// The host allocates in our memory what it returns; the SDK frees it.
__attribute__((export_name("malloc"))) void *malloc(size_t size) { return heap_allocate(size); }
void free(void *payload) { heap_free(payload); }
void proxy_wasm_release(void *payload) { heap_free(payload); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return invalid;
  *result = heap_allocate_aligned(alignment, size);
  return *result ? 0 : no_memory;
}

// The bulk-memory instructions do the work; a call back to these functions is not emitted for them.
void *memcpy(void *to, const void *from, size_t size) { return __builtin_memcpy(to, from, size); }
void *memmove(void *to, const void *from, size_t size) { return __builtin_memmove(to, from, size); }
void *memset(void *to, int byte, size_t size) { return __builtin_memset(to, byte, size); }

int memcmp(const void *left, const void *right, size_t size) {
  const unsigned char *a = left, *b = right;
  for (size_t i = 0; i < size; i++) {
    if (a[i] != b[i]) return a[i] - b[i];
  }
  return 0;
}

// What the code generator calls for where Wasm has no instruction: 128-bit products, which checked
// 64-bit multiplication uses, and rounding half away from zero.
__int128 __multi3(__int128 left, __int128 right) {
  uint64_t a = (uint64_t)left, b = (uint64_t)right, low = UINT32_MAX;
  uint64_t a0 = a & low, a1 = a >> 32, b0 = b & low, b1 = b >> 32;
  uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (middle & low);
  uint64_t high = a1 * b1 + (middle >> 32) + (other >> 32);
  high += a * (uint64_t)(right >> 64) + (uint64_t)(left >> 64) * b;
  return (__int128)((unsigned __int128)high << 64 | (other << 32 | (a0 * b0 & low)));
}

double round(double value) {
  double whole = __builtin_trunc(value);
  return __builtin_fabs(value - whole) < 0.5 ? whole : whole + __builtin_copysign(1, value);
}

// The stack lies below all data and grows down, so running out of it traps by itself; the canary
// sees the rest.
uintptr_t __stack_chk_guard = 0x5AFE57AC;
_Noreturn void __stack_chk_fail(void) { __builtin_trap(); }

// Seeds of hash tables: a client must not be able to foresee them.
__attribute__((import_module("wasi_snapshot_preview1"), import_name("random_get"))) int32_t
wasi_random_get(void *buffer, size_t size);

void arc4random_buf(void *buffer, size_t size) {
  if (wasi_random_get(buffer, size) != 0) __builtin_trap();
}

// The SDK's only global: the registered plugin. Swift refuses unguarded globals, and rightly so
// where there are threads; a Wasm VM has one.
void *proxy_wasm_plugin_slot;
void **proxy_wasm_plugin(void) { return &proxy_wasm_plugin_slot; }

int __main_argc_argv(int argc, char **argv);

// Envoy calls this once a VM: the plugin's top-level code, which registers it.
__attribute__((export_name("_initialize"))) void _initialize(void) { __main_argc_argv(0, NULL); }

__attribute__((export_name("proxy_abi_version_0_2_1"))) void proxy_abi_version_0_2_1(void) {}
