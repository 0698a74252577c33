// SPDX-License-Identifier: Apache-2.0

package import JSON

extension ConfigError {
  /// `{severity, code, kind, namespace, name, field, reason, file, line}`.
  ///
  /// What is not known is left out. On `/debug/problemsz` and in `skiffctl validate -o json`.
  package var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("severity", .string(severity.rawValue)), ("code", .string(code.rawValue)),
    ]
    if let object {
      pairs.append(("kind", .string(object.kind.kind)))
      pairs.append(("namespace", .string(object.namespace)))
      pairs.append(("name", .string(object.name)))
    }
    pairs.append(("field", .string("\(path)")))
    pairs.append(("reason", .string(reason)))
    if let location {
      pairs.append(("file", .string(location.file)))
      pairs.append(("line", .integer(location.line)))
    }
    return .object(pairs: pairs)
  }
}
