// SPDX-License-Identifier: Apache-2.0

package import JSON
package import ProtoReflection

/// A configuration that is written as a struct beside the name of its type: `xds.type.v3.TypedStruct`
/// and its elder twin of `udpa.type.v1`.
package struct TypedStruct {
  private static let names: Set = ["xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct"]

  /// As it was written, with or without a host.
  package let typeURL: String
  package let value: JSONValue

  /// Nil for messages of any other type.
  package init?(_ message: DynamicMessage) {
    guard Self.names.contains(message.descriptor.fullName) else { return nil }
    let written = message["type_url"]?.string ?? ""
    typeURL = written.contains("/") ? written : "type.googleapis.com/\(written)"
    value = message["value"]?.message.map { $0.json() } ?? [:]
  }

  package var typeName: String { typeURL.split(separator: "/").last.map(String.init) ?? "" }
}
