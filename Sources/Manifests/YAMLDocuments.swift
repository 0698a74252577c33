// SPDX-License-Identifier: Apache-2.0

/// The documents of a YAML stream as pieces of text, cut at their marks.
///
/// A line that begins with `---` or `...` and a white space or nothing ends a document wherever it
/// stands: YAML forbids it inside of every kind of scalar
/// (https://yaml.org/spec/1.2.2/#912-document-markers). So this cut needs no parser.
struct YAMLDocuments: Sequence {
  struct Piece {
    var bytes: ArraySlice<UInt8>
    /// The line of the first byte, from 1.
    var firstLine: Int
  }

  private let text: [UInt8]

  init(_ text: [UInt8]) { self.text = text }

  func makeIterator() -> AnyIterator<Piece> {
    var start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 1
    return AnyIterator {
      while start < text.count {
        var piece = Piece(bytes: text[start..<start], firstLine: line)
        var end = start
        var hasContent = false
        repeat {
          let next = text[end...].firstIndex(of: 0x0A).map { $0 + 1 } ?? text.count
          hasContent = hasContent || Self.hasContent(text[end..<next])
          end = next
          line += 1
        } while end < text.count && !Self.isMark(text[end...])
        piece.bytes = text[start..<end]
        start = end
        if hasContent { return piece }
      }
      return nil
    }
  }

  private static func isMark(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.starts(with: "---".utf8) || line.starts(with: "...".utf8) else { return false }
    guard line.count > 3 else { return true }
    return [0x20, 0x09, 0x0A, 0x0D].contains(line[line.startIndex + 3])
  }

  /// False for blank lines, comments, directives and bare marks.
  private static func hasContent(_ line: ArraySlice<UInt8>) -> Bool {
    if line.first == UInt8(ascii: "%") { return false }
    let content = isMark(line) ? line.dropFirst(3) : line
    let first = content.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    return first != nil && first != UInt8(ascii: "#")
  }
}

extension YAMLDocuments.Piece {
  /// Refuses what would be expensive before it is composed.
  ///
  /// Composing is linear in the text except that keys are hashed: a key that is an alias, a list or
  /// an object is hashed with all that it stands for. No manifest needs one, so a document with more
  /// than a handful of aliases may not have any. Three aliases can triple the size once more at
  /// best, so a handful is harmless.
  func checkAliases(_ limits: ManifestLimits) throws(YAMLParser.SyntaxError) {
    var scan = YAMLIndicators(firstLine: firstLine)
    bytes.withUnsafeBufferPointer { scan.run(over: $0) }
    guard scan.indicators <= limits.values else {
      throw YAMLParser.SyntaxError(
        reason: "the document has more than \(limits.values) values; split the file",
        line: firstLine)
    }
    if scan.anchors > 0, scan.aliases > 8, let line = scan.complexKeyLine {
      throw YAMLParser.SyntaxError(
        reason: "what may be a key is an alias, a list or an object; with this many aliases, write "
          + "keys as strings and lists of aliases in block style", line: line)
    }
  }
}
