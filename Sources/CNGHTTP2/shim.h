// SPDX-License-Identifier: Apache-2.0

// The HTTP/2 framing layer (RFC 9113) and HPACK, from the system's libnghttp2.
#include <nghttp2/nghttp2.h>
