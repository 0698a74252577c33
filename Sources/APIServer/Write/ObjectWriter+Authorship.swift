// SPDX-License-Identifier: Apache-2.0

import ObjectStore

extension ObjectWriter {
  /// A client may call itself anything, as long as it is not a novel.
  private static let agentLimit = 256

  /// Whom the history names for a write; nil for kinds without one.
  func authorship(_ options: WriteOptions, _ resource: APIResource) -> Authorship? {
    guard resource.hasHistory else { return nil }
    return Authorship(
      manager: options.manager, userAgent: String(options.userAgent.prefix(Self.agentLimit)),
      time: now())
  }

  /// Whom the history names for a deletion, which has no field manager.
  func authorship(of resource: APIResource, for userAgent: String) -> Authorship? {
    guard resource.hasHistory else { return nil }
    let name = String(userAgent.prefix { $0 != "/" }.prefix(128))
    return Authorship(
      manager: name.isEmpty ? "unknown" : name,
      userAgent: String(userAgent.prefix(Self.agentLimit)), time: now())
  }
}
