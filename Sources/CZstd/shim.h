// SPDX-License-Identifier: Apache-2.0

// The Zstandard format (RFC 8878), from the system's libzstd.
#include <zstd.h>
