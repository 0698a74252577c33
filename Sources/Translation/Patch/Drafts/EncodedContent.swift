// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// A resource that stays encoded until a patch changes it.
enum EncodedContent<Content: Message> {
  case resource(EncodedResource)
  case message(Content)

  var message: Content {
    switch self {
    case .resource(let resource): Content(reading: resource.bytes)
    case .message(let message): message
    }
  }

  /// Origins are those of what was changed; the resource has its own.
  func encoded(
    as typeURL: TypeURL, named name: String, _ origins: [Origin]
  ) -> EncodedResource {
    switch self {
    case .resource(let resource): resource
    case .message(let message): Sourced(message, origins: origins).encoded(as: typeURL, named: name)
    }
  }
}

extension Message {
  /// Reads what this program has written.
  init(reading bytes: [UInt8]) {
    do {
      try self.init(serializedBytes: bytes)
    } catch {
      preconditionFailure("a \(Self.protoMessageName) that we wrote must parse: \(error)")
    }
  }
}
