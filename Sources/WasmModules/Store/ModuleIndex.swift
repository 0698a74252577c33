// SPDX-License-Identifier: Apache-2.0

/// What the library remembers: which modules are held, and what they are known as.
///
/// Invariant: whatever names a module names one that is held.
struct ModuleIndex: Hashable, Sendable {
  /// A file of the store.
  struct Held: Hashable, Sendable {
    var size: Int
    /// Seconds since 1970.
    var lastUse: Int64
    /// Of the file whose bytes were compared with its name in this process; nil before that.
    var checked: FileStamp?
  }

  /// One version of a module, by Istio's key: (module name, checksum).
  struct Version: Hashable, Sendable {
    var name: String
    var checksum: ModuleDigest
  }

  /// What a pull of policy `always` brought, so that it is not repeated for the same resource version.
  struct Pull: Hashable, Sendable {
    var resourceVersion: String
    var version: Version
  }

  struct PullKey: Hashable, Sendable {
    var viewpoint: ModuleLookup.Viewpoint
    var plugin: String
  }

  /// What a lookup finds: the content, and the checksum that was verified.
  struct Found: Hashable, Sendable {
    var content: ModuleDigest
    var checksum: ModuleDigest
  }

  /// Makes hashes of pull secrets useless elsewhere.
  var salt: String
  var held: [ModuleDigest: Held] = [:]
  var contents: [Version: ModuleDigest] = [:]
  /// What each URL named last.
  var latest: [ModuleLookup.Viewpoint: Version] = [:]
  var pulls: [PullKey: Pull] = [:]
  var lastGood: [String: Found] = [:]

  init(salt: String) { self.salt = salt }

  var bytes: Int { held.values.reduce(0) { $0 + $1.size } }

  /// The module that may answer without asking anybody.
  func find(_ lookup: ModuleLookup) -> Found? {
    if let expected = lookup.expected { return find(expected, for: lookup) }
    let version: Version?
    if lookup.mustPull {
      let pull = pulls[PullKey(viewpoint: lookup.viewpoint, plugin: lookup.plugin)]
      version = pull?.resourceVersion == lookup.resourceVersion ? pull?.version : nil
    } else {
      version = latest[lookup.viewpoint]
    }
    return version.flatMap { version in
      contents[version].map { Found(content: $0, checksum: version.checksum) }
    }
  }

  /// The module of this checksum, which the caller may have: it was asked for, or just resolved.
  func find(_ checksum: ModuleDigest, for lookup: ModuleLookup) -> Found? {
    let version = Version(name: lookup.location.moduleName, checksum: checksum)
    if let content = contents[version] { return Found(content: content, checksum: checksum) }
    // The checksum of an image is its manifest's, which names no file of ours.
    if case .oci = lookup.location { return nil }
    return held[checksum] == nil ? nil : Found(content: checksum, checksum: checksum)
  }

  /// Remembers what a fetch brought; only now, so that one that failed is repeated.
  mutating func record(_ found: Found, for lookup: ModuleLookup) {
    guard held[found.content] != nil else { return }
    let version = Version(name: lookup.location.moduleName, checksum: found.checksum)
    contents[version] = found.content
    if lookup.location.digest == nil { latest[lookup.viewpoint] = version }
    if lookup.mustPull {
      pulls[PullKey(viewpoint: lookup.viewpoint, plugin: lookup.plugin)] = Pull(
        resourceVersion: lookup.resourceVersion, version: version)
    }
  }

  /// Notes that a plugin got a module; whether the plugin had another one before.
  mutating func use(_ found: Found, by plugin: String, at time: Int64) -> Bool {
    guard held[found.content] != nil else { return false }
    held[found.content]?.lastUse = time
    return lastGood.updateValue(found, forKey: plugin) != found
  }

  /// Forgets a module and all that names it.
  mutating func remove(_ content: ModuleDigest) {
    guard held.removeValue(forKey: content) != nil else { return }
    dropDangling()
  }

  /// Restores the invariant.
  mutating func dropDangling() {
    contents = contents.filter { held[$0.value] != nil }
    latest = latest.filter { contents[$0.value] != nil }
    pulls = pulls.filter { contents[$0.value.version] != nil }
    lastGood = lastGood.filter { held[$0.value.content] != nil }
  }

  /// What is to be deleted: first what nobody wanted for long, then, while it is too much, what
  /// nobody wanted for longest.
  ///
  /// - Parameters:
  ///   - limit: how many bytes may be held.
  ///   - kept: what may not go, for a user holds it.
  ///   - expired: goes if it was not used since this time.
  ///   - recent: what was used after this time stays: it may be about to be held.
  /// - Returns: in the order in which they go.
  func excess(
    over limit: Int, keeping kept: Set<ModuleDigest>, expired: Int64, recent: Int64
  ) -> [ModuleDigest] {
    var total = bytes
    var excess: [ModuleDigest] = []
    let idle = held.filter { !kept.contains($0.key) && $0.value.lastUse < recent }
    for (content, entry) in idle.sorted(by: {
      ($0.value.lastUse, $0.key.hex) < ($1.value.lastUse, $1.key.hex)
    }) where entry.lastUse < expired || total > limit {
      excess.append(content)
      total -= entry.size
    }
    return excess
  }
}
