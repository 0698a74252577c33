// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Finds the manifests below some roots.
///
/// Directories are walked recursively for `.yaml`, `.yml` and `.json`. Hidden names are skipped, which
/// makes Kubernetes' ConfigMap mounts work: there `x.yaml` is a link to `..data/x.yaml` and `..data`
/// one to a dated directory, so each file is found once, by its visible name, and a swap of `..data`
/// changes what the visible names lead to. Editors' temporary files have other endings or are hidden.
package struct ManifestFiles: Sendable {
  package struct File: Hashable, Sendable {
    package var path: String
    package var status: FileStatus
  }

  /// In the order of the roots, then of the paths.
  package private(set) var files: [File] = []
  /// All directories that were read, for a watch.
  package private(set) var directories: [String] = []
  /// Directories and files that could not be looked at: what was below them is unknown.
  package private(set) var unreadable: [String: ConfigError] = [:]

  /// Levels below a root; a loop of links that does not come back to itself ends here.
  private static let depthLimit = 32
  /// Files in all; a root such as `/` is a mistake that should be told, not waited for.
  private static let countLimit = 100_000

  private let fileSystem: any FileSystem
  /// The directories on the way to the current one, by identity: links may lead back to them.
  private var ancestors: [Identity] = []
  private var seen: Set<String> = []

  private struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64
  }

  /// Looks at the file system once.
  ///
  /// - Parameters:
  ///   - roots: directories or files; a file given by name is taken whatever its ending.
  ///   - fileSystem: where they are.
  package init(under roots: [String], in fileSystem: any FileSystem) {
    self.fileSystem = fileSystem
    for root in roots {
      let root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
      visit(root, depth: 0, isRoot: true)
    }
  }

  private mutating func visit(_ path: String, depth: Int, isRoot: Bool) {
    guard files.count < Self.countLimit else { return }
    do throws(FileSystemError) {
      let status = try fileSystem.status(of: path)
      switch status.kind {
      case .directory: try enter(path, status, depth: depth)
      case .file:
        guard isRoot || Self.isManifest(path), seen.insert(path).inserted else { return }
        files.append(File(path: path, status: status))
        if files.count == Self.countLimit {
          refuse(path, "more than \(Self.countLimit) manifests; name a smaller directory")
        }
      case .other: if isRoot { refuse(path, "expected a file or a directory") }
      }
    } catch .notFound where !isRoot {
      // Gone between the listing and now, or a link to nowhere: as good as deleted.
    } catch {
      refuse(path, error.reason)
    }
  }

  private mutating func enter(
    _ path: String, _ status: FileStatus, depth: Int
  ) throws(FileSystemError) {
    let identity = Identity(device: status.signature.device, inode: status.signature.inode)
    guard !ancestors.contains(identity) else { return }
    guard depth <= Self.depthLimit else {
      refuse(path, "nested deeper than \(Self.depthLimit) directories")
      return
    }
    guard seen.insert(path).inserted else { return }
    let names = try fileSystem.names(in: path)
    directories.append(path)
    ancestors.append(identity)
    defer { ancestors.removeLast() }
    for name in names.sorted() where !name.hasPrefix(".") {
      visit(path == "/" ? "/\(name)" : "\(path)/\(name)", depth: depth + 1, isRoot: false)
    }
  }

  private mutating func refuse(_ path: String, _ reason: String) {
    unreadable[path] = .unavailable(path, reason)
  }

  private static func isManifest(_ path: String) -> Bool {
    [".yaml", ".yml", ".json"].contains { path.hasSuffix($0) }
  }
}

extension ConfigError {
  /// The problem of a file or directory that cannot be read.
  package static func unavailable(_ path: String, _ reason: String) -> ConfigError {
    ConfigError(.unavailable, reason: "\(path): \(reason)")
  }
}
