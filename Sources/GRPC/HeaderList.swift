// SPDX-License-Identifier: Apache-2.0

import CNGHTTP2

/// The fields of a header block in their order, names in lower case.
package typealias HeaderList = [(name: String, value: String)]

/// Calls `body` with the fields as libnghttp2 takes them; the pointers end with the call.
func withNameValues<Result>(
  _ headers: HeaderList, _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
) -> Result {
  var bytes: [UInt8] = []
  for header in headers {
    bytes += header.name.utf8
    bytes += header.value.utf8
  }
  return bytes.withUnsafeMutableBufferPointer { bytes in
    guard var position = bytes.baseAddress else { return body(nil, 0) }
    var fields: [nghttp2_nv] = []
    fields.reserveCapacity(headers.count)
    for header in headers {
      let (name, value) = (header.name.utf8.count, header.value.utf8.count)
      fields.append(
        nghttp2_nv(
          name: position, value: position + name, namelen: name, valuelen: value,
          flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
      position += name + value
    }
    return fields.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
  }
}
