// SPDX-License-Identifier: Apache-2.0
// The complete Envoy API as one serialised google.protobuf.FileDescriptorSet.
//
// It is compiled into the program, so that no resource bundle has to be found at run time: the bytes
// are mapped with the executable, read-only and shared between processes.

#ifndef SKIFF_ENVOY_DESCRIPTORS_H
#define SKIFF_ENVOY_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/// The first byte of the set. It stays valid as long as the process lives.
const uint8_t *_Nonnull skiff_envoy_descriptors(void);

/// How many bytes the set has.
size_t skiff_envoy_descriptors_length(void);

#endif
