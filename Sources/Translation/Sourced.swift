// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// A message with the configuration objects that caused it to be as it is.
struct Sourced<Content> {
  var content: Content
  var origins: [Origin]

  init(_ content: Content, origins: [Origin]) {
    self.content = content
    self.origins = origins
  }
}

extension Sourced where Content: Message {
  /// The resource as it is served.
  func encoded(as typeURL: TypeURL, named name: String) -> EncodedResource {
    EncodedResource(
      typeURL: typeURL, name: name, bytes: content.deterministicBytes(), origins: origins)
  }
}
