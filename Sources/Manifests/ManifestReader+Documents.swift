// SPDX-License-Identifier: Apache-2.0

package import MeshModel

extension ManifestReader {
  /// The objects of files, directories and standard input (`-`) as values with lines, not decoded:
  /// for clients of a server that judges them.
  ///
  /// - Parameters:
  ///   - paths: as given on a command line.
  ///   - fileSystem: where they are.
  /// - Returns: the objects in the order of writing, the items of lists one by one, and what could not
  ///   be read.
  package func documents(
    paths: [String], in fileSystem: any FileSystem = POSIXFileSystem()
  ) -> (objects: [(value: YAMLValue, file: String)], problems: [ConfigError]) {
    var objects: [(value: YAMLValue, file: String)] = []
    var reading = ManifestReading()
    func take(_ text: Result<[UInt8], FileSystemError>, _ file: String) {
      switch text {
      case .success(let text):
        let stream = YAMLParser(limits: limits).parse(text, file: file)
        reading.problems += stream.problems
        for document in stream.documents {
          objects += Self.objects(in: document, file: file, &reading).map { ($0, file) }
        }
      case .failure(let error): reading.problems.append(problem(error, file))
      }
    }
    for path in paths {
      if path == "-" {
        take(
          Result { () throws(FileSystemError) in
            try POSIXFileSystem().standardInput(limit: limits.fileSize)
          }, "<stdin>")
        continue
      }
      let found = ManifestFiles(under: [path], in: fileSystem)
      reading.problems += found.unreadable.sorted { $0.key < $1.key }.map(\.value)
      for file in found.files {
        take(
          Result { () throws(FileSystemError) in
            try fileSystem.contents(of: file.path, limit: limits.fileSize)
          }, file.path)
      }
    }
    return (objects, reading.problems)
  }
}
