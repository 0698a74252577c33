// SPDX-License-Identifier: Apache-2.0
#include "envoy_descriptors.h"

// #embed is C23; clang has it in every language mode and says so in a warning.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t descriptors[] = {
#embed "envoy.binpb"
};

const uint8_t *skiff_envoy_descriptors(void) { return descriptors; }

size_t skiff_envoy_descriptors_length(void) { return sizeof(descriptors); }
