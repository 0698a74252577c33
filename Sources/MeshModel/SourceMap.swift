// SPDX-License-Identifier: Apache-2.0

/// Which file an object came from, and the line of each of its fields.
package struct SourceMap: Hashable, Sendable {
  package var file: String
  /// Lines count from 1; the empty path is the object's first line.
  package var lines: [FieldPath: Int]

  package init(file: String, lines: [FieldPath: Int]) {
    self.file = file
    self.lines = lines
  }

  /// The place of a field, or of the nearest field around it that was written.
  package func location(of path: FieldPath) -> SourceLocation? {
    var candidate: FieldPath? = path
    while let path = candidate {
      if let line = lines[path] { return SourceLocation(file: file, line: line) }
      candidate = path.parent
    }
    return nil
  }
}
