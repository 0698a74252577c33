// SPDX-License-Identifier: Apache-2.0

import Yams

extension YAMLParser {
  /// The library's error as a sentence with a line of the file and a remedy.
  func explain(_ error: any Error, in piece: YAMLDocuments.Piece) -> SyntaxError {
    let lines = piece.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    func text(of line: Int) -> String {
      lines.indices.contains(line - 1) ? String(decoding: lines[line - 1], as: UTF8.self) : ""
    }
    func failure(_ reason: String, line: Int) -> SyntaxError {
      SyntaxError(reason: reason, line: piece.firstLine + max(line, 1) - 1)
    }
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      if text(of: mark.line).prefix(while: \.isWhitespace).contains("\t") {
        return failure("a tab in the indentation; indent with spaces", line: mark.line)
      }
      return failure(remedy(for: problem, at: text(of: mark.line)), line: mark.line)
    case .reader(let problem, let offset, _, let yaml):
      let before = yaml.unicodeScalars.prefix(offset ?? 0)
      return failure(
        "\(problem); remove the character or write it as an escape in double quotes",
        line: before.count { $0 == "\n" } + 1)
    case .duplicatedKeysInMapping(let keys, let context):
      let key = keys.first ?? ""
      let second = (context.mark.line + 1..<max(lines.count, context.mark.line) + 1).first {
        text(of: $0).dropFirst(context.mark.column - 1).hasPrefix("\(key):")
          && text(of: $0).prefix(context.mark.column - 1).allSatisfy { $0 == " " }
      }
      return failure(
        "the key \"\(key)\" is written twice, first in line "
          + "\(piece.firstLine + context.mark.line - 1); remove one",
        line: second ?? context.mark.line)
    case .memory: return failure("not enough memory to read the document", line: 1)
    default: return failure("the text is not YAML", line: 1)
    }
  }

  private func remedy(for problem: String, at line: String) -> String {
    switch problem {
    case "mapping values are not allowed in this context":
      "a colon where none is expected; quote the value, or check the indentation"
    case "did not find expected key", "did not find expected '-' indicator":
      "expected another entry of the block around it; check the indentation"
    case "could not find expected ':'":
      "expected a colon after a key; add it, or check the quotes and the indentation"
    case "found character that cannot start any token":
      line.contains("\t")
        ? "a tab where none is allowed; use spaces"
        : "a value may not begin with @, ` or %; quote it"
    case "found undefined alias":
      "the alias refers to an anchor that is not written before it in this document"
    case "found unexpected end of stream":
      "the document ends inside of a quoted text; close the quotes"
    case "did not find expected ',' or ']'":
      "expected a comma or ] in the list"
    case "did not find expected ',' or '}'":
      "expected a comma or } in the object"
    case "did not find expected node content":
      "expected a value; add it, or close the list or object before it"
    case _ where problem.hasPrefix("Maximum nesting level"):
      "nested deeper than \(limits.depth) levels"
    default: problem
    }
  }
}
