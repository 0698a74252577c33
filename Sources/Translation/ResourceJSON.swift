// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
package import JSON
package import MeshModel
import ProtoReflection
package import SwiftProtobuf

/// Encoded resources as people read them: Envoy's field names, every Any expanded, private keys and
/// what else is sensitive replaced by `[redacted]`.
package enum ResourceJSON {
  /// A resource as the JSON of an Any: `{"@type": "type.googleapis.com/…", fields…}`.
  ///
  /// Bytes that do not parse as their type print as `{"@type": …, "error": …}`.
  package static func any(_ resource: EncodedResource) -> JSONValue {
    json(resource.bytes, typeURL: resource.typeURL.rawValue)
  }

  /// A resource with what is sensitive in it: for comparisons, never to be shown.
  static func withSecrets(_ resource: EncodedResource) -> JSONValue {
    json(resource.bytes, typeURL: resource.typeURL.rawValue, redacted: false)
  }

  /// A message that was built here, in the same form.
  package static func message(_ message: some Message) -> JSONValue {
    json(message.deterministicBytes(), typeURL: type(of: message).typeURL)
  }

  private static func json(
    _ bytes: [UInt8], typeURL: String, redacted: Bool = true
  ) -> JSONValue {
    do {
      guard let descriptor = EnvoyTypes.pool.message(typeURL: typeURL) else {
        throw ReflectionError("\(typeURL) is not a type of the Envoy API")
      }
      var json = try DynamicMessage(parsing: bytes, as: descriptor)
        .json(JSONEncodingOptions(redactsSensitive: redacted))
      if redacted { json = withoutLogins(json) }
      json.insertFirst(.string(typeURL), forKey: "@type")
      return json
    } catch {
      return ["@type": .string(typeURL), "error": .string("\(error)")]
    }
  }

  /// Without the logins of image pull secrets, which no schema marks as sensitive.
  private static func withoutLogins(_ json: JSONValue) -> JSONValue {
    switch json {
    case .object(let members):
      .object(
        pairs: members.map { key, value in
          let isLogin = key == PullSecret.variable && value != ""
          return (key, isLogin ? .string(SensitiveBytes.placeholder) : withoutLogins(value))
        })
    case .array(let elements): .array(elements.map(withoutLogins))
    case .null, .bool, .number, .string: json
    }
  }

  /// All resources of a snapshot: `{"<type url>": [resource, …], …}`, types in push order.
  package static func snapshot(_ snapshot: ResourceSnapshot) -> JSONValue {
    .object(
      pairs: snapshot.typeURLs.map { typeURL in
        (typeURL.rawValue, .array(snapshot[typeURL].resources.map(any)))
      })
  }
}
