// SPDX-License-Identifier: Apache-2.0

// DEFLATE and the gzip format (RFC 1951, RFC 1952), from the system's zlib.
#include <zlib.h>
