// SPDX-License-Identifier: Apache-2.0

package import MeshModel

extension ManifestReader {
  /// Reads files, directories and standard input (`-`), for use without a store.
  ///
  /// - Parameters:
  ///   - paths: as given on a command line.
  ///   - fileSystem: where they are.
  /// - Returns: all objects; of one that is written in several files the first stays.
  package func read(
    paths: [String], in fileSystem: any FileSystem = POSIXFileSystem()
  ) -> ManifestReading {
    var reading = ManifestReading()
    var places: [ObjectRef: SourceLocation] = [:]
    for path in paths {
      if path == "-" {
        let text = Result { () throws(FileSystemError) in
          try POSIXFileSystem().standardInput(limit: limits.fileSize)
        }
        reading.merge(self.reading(of: text, file: "<stdin>"), places: &places)
        continue
      }
      let found = ManifestFiles(under: [path], in: fileSystem)
      for unreadable in found.unreadable.sorted(by: { $0.key < $1.key }) {
        reading.problems.append(unreadable.value)
        reading.isComplete = false
      }
      for file in found.files {
        reading.merge(self.reading(of: file.path, in: fileSystem), places: &places)
      }
    }
    return reading
  }

  /// Reads one file; what keeps it from being read is a problem of the result.
  package func reading(of path: String, in fileSystem: any FileSystem) -> ManifestReading {
    let text = Result { () throws(FileSystemError) in
      try fileSystem.contents(of: path, limit: limits.fileSize)
    }
    return reading(of: text, file: path)
  }

  private func reading(of text: Result<[UInt8], FileSystemError>, file: String) -> ManifestReading {
    switch text {
    case .success(let text): return read(text: text, file: file)
    case .failure(let error):
      var reading = ManifestReading()
      reading.isComplete = false
      reading.problems = [problem(error, file)]
      return reading
    }
  }

  /// What keeps a file from being read.
  func problem(_ error: FileSystemError, _ file: String) -> ConfigError {
    if case .tooLarge(let bytes) = error {
      return .unavailable(file, YAMLParser.tooLarge(bytes: bytes, limit: limits.fileSize))
    }
    return .unavailable(file, error.reason)
  }
}

extension ManifestReading {
  fileprivate mutating func merge(
    _ other: ManifestReading, places: inout [ObjectRef: SourceLocation]
  ) {
    problems += other.problems
    isComplete = isComplete && other.isComplete
    refused.formUnion(other.refused)
    for object in other.objects {
      let place = object.place
      if let first = places[object.ref] {
        // The same path named twice is no conflict.
        if first != place { problems.append(.duplicate(of: object.ref, at: place, first: first)) }
      } else {
        places[object.ref] = place
        objects.append(object)
      }
    }
  }
}

extension DecodedObject {
  /// Where it begins.
  package var place: SourceLocation {
    source.location(of: FieldPath()) ?? SourceLocation(file: source.file, line: 0)
  }
}
