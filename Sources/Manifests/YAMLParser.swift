// SPDX-License-Identifier: Apache-2.0

import JSON
package import MeshModel
import Yams

/// Reads YAML text to values that know their lines.
///
/// The text is cut at its document marks first, so that a broken document costs nothing but itself.
/// Every limit is checked before the work that it bounds: complex keys and aliases before composing
/// (the library hashes keys, which would walk an alias bomb), the expanded size while converting.
/// https://yaml.org/spec/1.2.2/
package struct YAMLParser: Sendable {
  package var limits: ManifestLimits

  package init(limits: ManifestLimits = ManifestLimits()) { self.limits = limits }

  package struct Stream: Sendable {
    /// The documents that could be read; empty ones are left out.
    package var documents: [YAMLValue] = []
    /// One for each document that could not, with its location.
    package var problems: [ConfigError] = []
  }

  /// Reads all documents of a text.
  ///
  /// - Parameters:
  ///   - text: UTF-8, with or without a byte order mark.
  ///   - file: the name to give in problems.
  /// - Returns: the documents that could be read, and a problem for each that could not.
  package func parse(_ text: [UInt8], file: String) -> Stream {
    var stream = Stream()
    guard text.count <= limits.fileSize else {
      stream.problems.append(
        ConfigError(
          .invalid, reason: Self.tooLarge(bytes: text.count, limit: limits.fileSize),
          location: SourceLocation(file: file, line: 1)))
      return stream
    }
    for piece in YAMLDocuments(text) {
      do throws(SyntaxError) {
        stream.documents += try documents(piece)
      } catch {
        stream.problems.append(
          ConfigError(
            .invalid, reason: error.reason,
            location: SourceLocation(file: file, line: error.line)))
      }
    }
    return stream
  }

  /// The words for a file above the limit, for whoever finds out before reading it.
  package static func tooLarge(bytes: Int, limit: Int) -> String {
    "the file has \(bytes) bytes, more than the limit of \(limit); split it"
  }

  struct SyntaxError: Error {
    var reason: String
    var line: Int
  }

  /// The documents of a piece: one, or more where old line breaks hide a mark.
  private func documents(_ piece: YAMLDocuments.Piece) throws(SyntaxError) -> [YAMLValue] {
    guard let text = String(validating: piece.bytes, as: UTF8.self) else {
      let line = piece.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        .firstIndex { String(validating: $0, as: UTF8.self) == nil }
      throw SyntaxError(
        reason: "the text is not UTF-8; save the file as UTF-8",
        line: piece.firstLine + (line ?? 0))
    }
    try piece.checkAliases(limits)
    var roots: [Yams.Node] = []
    do {
      // Rules of the default resolver cost a regular expression for each scalar; ours come later.
      let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
      while let root = try parser.nextRoot() { roots.append(root) }
    } catch {
      if let json = Self.jsonDocument(piece) { return [json] }
      throw explain(error, in: piece)
    }
    var converter = YAMLConverter(
      lineOffset: piece.firstLine - 1, depthLimit: limits.depth,
      // Without aliases a value takes at least a byte, so more values than that come from aliases.
      valueLimit: min(limits.values, piece.bytes.count + 100_000))
    var values: [YAMLValue] = []
    for root in roots {
      let value = try converter.convert(root, depth: 1)
      if value.content != .null { values.append(value) }
    }
    return values
  }

  /// JSON that is no YAML (an escaped surrogate pair) is read without lines.
  private static func jsonDocument(_ piece: YAMLDocuments.Piece) -> YAMLValue? {
    let marked = piece.bytes.starts(with: "---".utf8)
    let bytes = Array(marked ? piece.bytes.dropFirst(3) : piece.bytes)
    guard let first = bytes.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{"),
      let json = try? JSONValue(parsing: bytes)
    else { return nil }
    let blankLines = bytes.prefix { $0 <= 0x20 }.count { $0 == 0x0A }
    return YAMLValue(json, line: piece.firstLine + blankLines)
  }
}
