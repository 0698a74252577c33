// SPDX-License-Identifier: Apache-2.0

import JSON

/// The index as `index.json` has it.
///
/// What only this process knows is left out: which files were checked, and pulls without a resource
/// version, which a new process repeats, for nothing else would ever repeat them.
extension ModuleIndex {
  private static let version: Int64 = 1

  var json: JSONValue {
    func list(_ entries: some Sequence<JSONValue>) -> JSONValue {
      .array(entries.map { ($0.text(), $0) }.sorted { $0.0 < $1.0 }.map(\.1))
    }
    func entry(_ members: KeyValuePairs<String, String>) -> JSONValue {
      .object(pairs: members.map { ($0.key, .string($0.value)) })
    }
    return .object(pairs: [
      ("version", .integer(Self.version)),
      ("salt", .string(salt)),
      (
        "held",
        list(
          held.map { content, held in
            .object(pairs: [
              ("content", .string(content.hex)), ("lastUse", .integer(held.lastUse)),
            ])
          })
      ),
      (
        "contents",
        list(
          contents.map { version, content in
            entry([
              "name": version.name, "checksum": version.checksum.hex, "content": content.hex,
            ])
          })
      ),
      (
        "latest",
        list(
          latest.map { viewpoint, version in
            entry([
              "url": viewpoint.url, "authorisation": viewpoint.authorisation,
              "name": version.name, "checksum": version.checksum.hex,
            ])
          })
      ),
      (
        "pulls",
        list(
          pulls.filter { !$0.value.resourceVersion.isEmpty }.map { key, pull in
            entry([
              "url": key.viewpoint.url, "authorisation": key.viewpoint.authorisation,
              "plugin": key.plugin, "resourceVersion": pull.resourceVersion,
              "name": pull.version.name, "checksum": pull.version.checksum.hex,
            ])
          })
      ),
      (
        "lastGood",
        list(
          lastGood.map { plugin, found in
            entry([
              "plugin": plugin, "checksum": found.checksum.hex, "content": found.content.hex,
            ])
          })
      ),
    ])
  }

  /// Reads an index; nil unless all of it can be read.
  ///
  /// Sizes are 0, for the files know them.
  init?(_ json: JSONValue) {
    guard let root = json.objectMembers, root["version"]?.integerValue == Self.version,
      let salt = root["salt"]?.stringValue
    else { return nil }
    self.init(salt: salt)
    for entry in root["held"]?.arrayElements ?? [] {
      guard let content = Self.digest(entry, "content"),
        let lastUse = entry.objectMembers?["lastUse"]?.integerValue
      else { return nil }
      held[content] = Held(size: 0, lastUse: lastUse)
    }
    for entry in root["contents"]?.arrayElements ?? [] {
      guard let version = Version(entry), let content = Self.digest(entry, "content") else {
        return nil
      }
      contents[version] = content
    }
    for entry in root["latest"]?.arrayElements ?? [] {
      guard let viewpoint = ModuleLookup.Viewpoint(entry), let version = Version(entry) else {
        return nil
      }
      latest[viewpoint] = version
    }
    for entry in root["pulls"]?.arrayElements ?? [] {
      guard let viewpoint = ModuleLookup.Viewpoint(entry), let version = Version(entry),
        let plugin = Self.text(entry, "plugin"),
        let resourceVersion = Self.text(entry, "resourceVersion")
      else { return nil }
      pulls[PullKey(viewpoint: viewpoint, plugin: plugin)] = Pull(
        resourceVersion: resourceVersion, version: version)
    }
    for entry in root["lastGood"]?.arrayElements ?? [] {
      guard let plugin = Self.text(entry, "plugin"), let content = Self.digest(entry, "content"),
        let checksum = Self.digest(entry, "checksum")
      else { return nil }
      lastGood[plugin] = Found(content: content, checksum: checksum)
    }
  }

  fileprivate static func text(_ entry: JSONValue, _ key: String) -> String? {
    entry.objectMembers?[key]?.stringValue
  }

  fileprivate static func digest(_ entry: JSONValue, _ key: String) -> ModuleDigest? {
    text(entry, key).flatMap { ModuleDigest(hex: $0) }
  }
}

extension ModuleIndex.Version {
  fileprivate init?(_ entry: JSONValue) {
    guard let name = ModuleIndex.text(entry, "name"),
      let checksum = ModuleIndex.digest(entry, "checksum")
    else { return nil }
    self.init(name: name, checksum: checksum)
  }
}

extension ModuleLookup.Viewpoint {
  fileprivate init?(_ entry: JSONValue) {
    guard let url = ModuleIndex.text(entry, "url"),
      let authorisation = ModuleIndex.text(entry, "authorisation")
    else { return nil }
    self.init(url: url, authorisation: authorisation)
  }
}
