// SPDX-License-Identifier: Apache-2.0

package import JSON
import MeshModel

extension Explanation {
  /// The whole explanation, as `/debug/explain` answers it; docs/skiffctl.md has the shape.
  package var json: JSONValue {
    var pairs: [(String, JSONValue)] = [("object", object.json(at: location))]
    pairs.append(("verdict", .string(verdict.rawValue)))
    pairs.append(("attachment", .array(trace.attachment.map(\.json))))
    if let order { pairs.append(("order", order.json)) }
    pairs.append(("patches", .array(trace.patches.map(json))))
    pairs.append(("problems", .array(problems.map(\.json))))
    return .object(pairs: pairs)
  }

  private func json(_ patch: PatchTrace.Patch) -> JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("path", .string("\(patch.path)")), ("applyTo", .string(patch.applyTo.rawValue)),
      ("operation", .string(patch.operation.rawValue)),
      ("verdict", .string(verdict(of: patch).rawValue)),
    ]
    if let reason = futility(of: patch) { pairs.append(("reason", .string(reason))) }
    pairs += [
      ("conditions", .array(patch.conditions.map(\.json))),
      ("candidates", .array(patch.candidates.map(\.json))),
    ]
    if !patch.isApplied, let miss = patch.nearestMiss, let clause = miss.mismatch {
      pairs.append(("nearestMiss", ["place": .string("\(miss.place)"), "clause": clause.json]))
    }
    pairs.append(("problems", .array(patch.problems.map(\.json))))
    return .object(pairs: pairs)
  }
}

extension Explanation.Order {
  fileprivate var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("index", .integer(index)), ("count", .integer(count)), ("priority", .integer(priority)),
      ("rootNamespace", .bool(isOfRootNamespace)),
    ]
    if let previous { pairs.append(("previous", .string("\(previous)"))) }
    if let next { pairs.append(("next", .string("\(next)"))) }
    return .object(pairs: pairs)
  }
}

extension PatchTrace.Clause {
  fileprivate var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("path", .string("\(path)")), ("wanted", .string(wanted)), ("actual", .string(actual)),
      ("matched", .bool(isMatched)),
    ]
    if let hint { pairs.append(("hint", .string(hint))) }
    return .object(pairs: pairs)
  }
}

extension PatchTrace.Candidate {
  fileprivate var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("place", .string("\(place)")), ("clauses", .array(clauses.map(\.json))),
    ]
    switch result {
    case .changed(let change):
      pairs.append(("result", "changed"))
      pairs.append(("change", change.json))
    case .notMatched: pairs.append(("result", "notMatched"))
    case .noEffect(let reason):
      pairs.append(("result", "noEffect"))
      pairs.append(("reason", .string(reason)))
    case .failed(let error):
      pairs.append(("result", "failed"))
      pairs.append(("reason", .string(error.reason)))
    }
    return .object(pairs: pairs)
  }
}

extension PatchTrace.Change {
  /// `{verb, element, reason, position, finalPosition}`; positions are `{index, count}`, and
  /// `finalPosition` is null where the element is gone again.
  var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("verb", .string(verb.rawValue)), ("element", .string(element)),
      ("reason", .string(reason)),
    ]
    if let position {
      pairs.append(("position", position.json))
      pairs.append(("finalPosition", finalPosition?.json ?? .null))
    }
    return .object(pairs: pairs)
  }
}

extension PatchTrace.Position {
  fileprivate var json: JSONValue { ["index": .integer(index), "count": .integer(count)] }
}

extension ObjectRef {
  /// `{kind, namespace, name, file, line}`, without what is not known.
  func json(at location: SourceLocation?) -> JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("kind", .string(kind.kind)), ("namespace", .string(namespace)), ("name", .string(name)),
    ]
    if let location {
      pairs.append(("file", .string(location.file)))
      pairs.append(("line", .integer(location.line)))
    }
    return .object(pairs: pairs)
  }
}
