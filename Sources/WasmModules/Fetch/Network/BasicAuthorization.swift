// SPDX-License-Identifier: Apache-2.0

import struct Foundation.Data

extension String {
  /// The text's UTF-8 in base64, as HTTP's Basic scheme wants it (RFC 7617).
  var base64: String { Data(utf8).base64EncodedString() }

  /// The value of an Authorization header for `user:password`.
  var basicAuthorization: String { "Basic \(base64)" }
}
