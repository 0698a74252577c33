// SPDX-License-Identifier: Apache-2.0

import JSON

/// `google.protobuf.Any`, which says by `@type` what it holds.
extension JSONMessageDecoder {
  /// Decodes `{"@type": "type.googleapis.com/…", …}`.
  ///
  /// The fields of the content are beside the type; a content with a JSON form of its own has that
  /// under `value`.
  mutating func any(
    _ json: JSONValue, as descriptor: MessageDescriptor, depth: Int
  ) -> DynamicMessage? {
    guard case .object(let object) = json else {
      return fail("expected an object with \"@type\", found \(json.kind)")
    }
    if object.isEmpty { return DynamicMessage(descriptor) }
    guard let member = object["@type"] else {
      return fail("expected \"@type\" to say which message this is, found none")
    }
    guard case .string(let typeURL) = member else {
      return at(.field("@type")) { $0.fail("expected a type URL, found \(member.kind)") }
    }
    guard let type = descriptor.pool.message(typeURL: typeURL) else {
      if options.acceptsUnknownAnyTypes, let opaque = opaqueAny(object, typeURL, as: descriptor) {
        return opaque
      }
      return at(.field("@type")) { $0.unknownType(typeURL, pool: descriptor.pool) }
    }
    var any = DynamicMessage(descriptor)
    let content: DynamicMessage?
    if type.wellKnownType != nil {
      content = wellKnownContent(of: object, as: type, depth: depth)
    } else {
      content = fields(
        of: emptied(object, type), as: type, skipping: "@type", depth: depth + 1)
    }
    guard let content else { return nil }
    any.setAnyContent(content, typeURL: typeURL)
    return any
  }

  private mutating func wellKnownContent(
    of object: JSONObject, as type: MessageDescriptor, depth: Int
  ) -> DynamicMessage? {
    for key in object.keys where key != "@type" && key != "value" {
      at(.field(key)) {
        _ = $0.fail("expected only \"value\" beside the type \(type.fullName)") as Void?
      }
    }
    guard let value = object["value"] else {
      return fail("expected \"value\" with the content of \(type.fullName), found none")
    }
    return at(.field("value")) { $0.message(value, as: type, depth: depth + 1) }
  }

  /// Some printers write an empty message as if it had a JSON form: `"value": {}`.
  private func emptied(_ object: JSONObject, _ type: MessageDescriptor) -> JSONObject {
    guard type.fullName == "google.protobuf.Empty", object["value"] == [:] else { return object }
    var object = object
    object["value"] = nil
    return object
  }

  private func opaqueAny(
    _ object: JSONObject, _ typeURL: String, as descriptor: MessageDescriptor
  ) -> DynamicMessage? {
    guard object.count <= 2, typeURL.contains("/"),
      case .string(let text) = object["value"] ?? "", object.count == 1 || object["value"] != nil,
      let bytes = Base64.decode(text)
    else { return nil }
    var any = DynamicMessage(descriptor, number: 1, .string(typeURL))
    if let field = descriptor.field(number: 2) { any.store(.bytes(bytes), for: field) }
    return any
  }

  private mutating func unknownType(
    _ typeURL: String, pool: DescriptorPool
  ) -> DynamicMessage? {
    guard let slash = typeURL.lastIndex(of: "/") else {
      var reason = "expected a type URL such as \"type.googleapis.com/package.Message\", found "
      reason += Self.quoted(typeURL, limit: 256)
      if pool.message(named: typeURL) != nil {
        reason += "; did you mean \"type.googleapis.com/\(typeURL)\"?"
      }
      return fail(reason)
    }
    var reason = "unknown type \(Self.quoted(typeURL, limit: 256))"
    if let nearest = pool.nearestMessageName(to: String(typeURL[typeURL.index(after: slash)...])) {
      reason += "; did you mean \"\(typeURL[...slash])\(nearest)\"?"
    }
    return fail(reason)
  }
}
