// SPDX-License-Identifier: Apache-2.0

import Yams

/// Turns the library's tree into values: resolves scalars, merge keys and line numbers.
///
/// The library shares the nodes of an alias, so a bomb is small until it is walked; this is the walk,
/// and it counts.
struct YAMLConverter {
  typealias SyntaxError = YAMLParser.SyntaxError

  let lineOffset: Int
  let depthLimit: Int
  let valueLimit: Int
  private var values = 0

  init(lineOffset: Int, depthLimit: Int, valueLimit: Int) {
    self.lineOffset = lineOffset
    self.depthLimit = depthLimit
    self.valueLimit = valueLimit
  }

  mutating func convert(_ node: Yams.Node, depth: Int) throws(SyntaxError) -> YAMLValue {
    let line = self.line(of: node)
    values += 1
    guard values <= valueLimit else {
      throw SyntaxError(
        reason: "the document has more than \(valueLimit) values once its aliases are expanded; "
          + "write out what you need without aliases, or split the file", line: line)
    }
    guard depth <= depthLimit else {
      throw SyntaxError(reason: "nested deeper than \(depthLimit) levels", line: line)
    }
    switch node {
    case .scalar(let scalar): return try convert(scalar, line: line)
    case .sequence(let sequence):
      var elements: [YAMLValue] = []
      elements.reserveCapacity(sequence.count)
      for element in sequence { elements.append(try convert(element, depth: depth + 1)) }
      return YAMLValue(.list(elements), line: line)
    case .mapping(let mapping): return try convert(mapping, line: line, depth: depth)
    case .alias:
      preconditionFailure("the parser of the YAML library resolves aliases itself")
    }
  }

  private func line(of node: Yams.Node) -> Int { lineOffset + (node.mark?.line ?? 1) }

  private func convert(_ scalar: Yams.Node.Scalar, line: Int) throws(SyntaxError) -> YAMLValue {
    let tag = scalar.tag.rawValue
    switch tag {
    case "" where scalar.style == .plain,
      "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int",
      "tag:yaml.org,2002:float":
      guard let meaning = YAMLScalar.meaning(of: scalar.string) else {
        throw SyntaxError(
          reason:
            "\(scalar.string) is no number that a double can hold; write another, or quote it",
          line: line)
      }
      return YAMLValue(meaning.content, line: line, isAmbiguous: meaning.isAmbiguous)
    case "", "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp":
      return YAMLValue(.string(scalar.string), line: line)
    default:
      throw SyntaxError(
        reason: "the tag \(tag) has no meaning in a manifest; write the value without it",
        line: line)
    }
  }

  private mutating func convert(
    _ mapping: Yams.Node.Mapping, line: Int, depth: Int
  ) throws(SyntaxError) -> YAMLValue {
    var members: [YAMLValue.Member] = []
    members.reserveCapacity(mapping.count)
    var merged: [YAMLValue.Member] = []
    for (key, node) in mapping {
      guard case .scalar(let scalar) = key else {
        throw SyntaxError(
          reason: "expected a string as a key, found a list or an object", line: self.line(of: key))
      }
      if scalar.style == .plain, scalar.string == "<<" {
        merged += try mergedMembers(node, depth: depth)
        continue
      }
      let isPlain = scalar.style == .plain
      guard !isPlain || !scalar.string.isEmpty else {
        throw SyntaxError(reason: "a key is missing before the colon", line: self.line(of: key))
      }
      members.append(
        YAMLValue.Member(
          key: scalar.string, keyLine: self.line(of: key),
          isKeyAmbiguous: isPlain && YAMLScalar.ambiguousBoolean(scalar.string) != nil,
          value: try convert(node, depth: depth + 1)))
    }
    if !merged.isEmpty {
      // What is written wins over what is merged, and the first merged over the later.
      var written = Set(members.map(\.key))
      for member in merged where written.insert(member.key).inserted { members.append(member) }
    }
    return YAMLValue(.object(members), line: line)
  }

  /// The members that a merge key (https://yaml.org/type/merge.html) adds.
  private mutating func mergedMembers(
    _ node: Yams.Node, depth: Int
  ) throws(SyntaxError) -> [YAMLValue.Member] {
    let value = try convert(node, depth: depth + 1)
    switch value.content {
    case .object(let members): return members
    case .list(let elements):
      var members: [YAMLValue.Member] = []
      for element in elements {
        guard case .object(let more) = element.content else { break }
        members += more
      }
      return members
    default:
      throw SyntaxError(
        reason: "expected an object or a list of objects after <<", line: line(of: node))
    }
  }
}
