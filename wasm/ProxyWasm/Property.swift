// SPDX-License-Identifier: Apache-2.0
// Properties: what the host knows about the plugin, the connection and the request. Which there are
// is the host's matter; Envoy's are its attributes.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes

/// The bytes of a property, such as `property("source", "address")`; nil if there is none.
///
/// Text comes as it is, integers as eight bytes in little endian, booleans as one byte.
func property(_ path: String...) -> [UInt8]? {
  property(at: path)
}

/// An integer property, such as `integerProperty("response", "code")`.
func integerProperty(_ path: String...) -> Int64? {
  guard let bytes = property(at: path), bytes.count == 8 else { return nil }
  var value: UInt64 = 0
  for index in 0..<8 { value |= UInt64(bytes[index]) << UInt64(8 * index) }
  return Int64(bitPattern: value)
}

private func property(at path: [String]) -> [UInt8]? {
  propertyPath(path).withPayload { path, pathSize in
    try? hostBytes { hostGetProperty(path, pathSize, $0, $1) }
  }
}

/// Sets a property that later filters and access logs can read.
///
/// In Envoy it is filter state under `wasm.` and the path, which `property` finds if the path has
/// one segment.
@discardableResult
func setProperty(_ path: String..., value: some Payload) -> ProxyStatus {
  let path = propertyPath(path)
  return path.withPayload { data, size in
    value.withPayload { ProxyStatus(code: hostSetProperty(data, size, $0, $1)) }
  }
}

/// Segments with a NUL between them.
private func propertyPath(_ segments: [String]) -> [UInt8] {
  var path: [UInt8] = []
  for segment in segments {
    if !path.isEmpty { path.append(0) }
    path.append(contentsOf: segment.utf8)
  }
  return path
}
