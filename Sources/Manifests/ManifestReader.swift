// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Reads manifests: YAML or JSON with Kubernetes objects, one or many in a text.
///
/// A fault stays where it is: a document that is no YAML or an object that is no good is a problem
/// with a place, and everything else in the text counts.
package struct ManifestReader: Sendable {
  package let limits: ManifestLimits
  /// For objects that do not say theirs.
  package let defaultNamespace: String
  /// What is checked beyond the shape of objects.
  package let checks: ObjectChecks
  /// Whether a document without a kind is a mesh configuration.
  private let takesMeshConfig: Bool

  package init(
    limits: ManifestLimits = ManifestLimits(), defaultNamespace: String = "default",
    checks: ObjectChecks = ObjectChecks(), takesMeshConfig: Bool = false
  ) {
    self.limits = limits
    self.defaultNamespace = defaultNamespace
    self.checks = checks
    self.takesMeshConfig = takesMeshConfig
  }

  /// Reads a text.
  ///
  /// - Parameters:
  ///   - text: UTF-8.
  ///   - file: the name that locations give.
  /// - Returns: what counts and what is wrong; reading itself never fails.
  package func read(text: [UInt8], file: String) -> ManifestReading {
    let stream = YAMLParser(limits: limits).parse(text, file: file)
    var reading = ManifestReading()
    reading.problems = stream.problems
    reading.isComplete = stream.problems.isEmpty
    let reader = ObjectReader(
      file: file, defaultNamespace: defaultNamespace, checks: checks)
    var places: [ObjectRef: SourceLocation] = [:]
    for document in stream.documents {
      let document = takesMeshConfig ? MeshConfigFile.wrapped(document) : document
      for value in Self.objects(in: document, file: file, &reading) {
        let outcome = reader.read(value)
        reading.problems += outcome.problems
        guard let ref = outcome.ref else {
          reading.isComplete = false
          continue
        }
        let place = SourceLocation(file: file, line: value.line)
        if let first = places[ref] {
          reading.problems.append(.duplicate(of: ref, at: place, first: first))
          continue
        }
        places[ref] = place
        if let object = outcome.object {
          reading.objects.append(object)
        } else {
          reading.refused.insert(ref)
        }
      }
    }
    return reading
  }

  package func read(text: String, file: String) -> ManifestReading {
    read(text: Array(text.utf8), file: file)
  }

  /// The objects of a document: the items of a list, else the document itself.
  ///
  /// Items of a typed list (`ServiceList`) may leave out what the list says.
  static func objects(
    in document: YAMLValue, file: String, at path: FieldPath = FieldPath(),
    _ reading: inout ManifestReading
  ) -> [YAMLValue] {
    guard case .string(let kind)? = document["kind"]?.content, kind.hasSuffix("List") else {
      return [document]
    }
    guard let items = document["items"] else {
      // A list of nothing has no items in Go's JSON; any other kind may end in "List" by its name.
      return kind == "List" ? [] : [document]
    }
    let elements: [Node]
    do throws(ConfigError) { elements = try Node(items, at: path["items"]).list() } catch {
      var problem = error
      problem.location = SourceLocation(file: file, line: items.line)
      reading.problems.append(problem)
      reading.isComplete = false
      return []
    }
    var objects: [YAMLValue] = []
    for element in elements {
      if kind != "List", case .object(let members) = element.value.content, element["kind"] == nil {
        objects.append(typed(element.value, members, of: document, kind: kind))
      } else {
        objects += self.objects(in: element.value, file: file, at: element.path, &reading)
      }
    }
    return objects
  }

  /// The item of a typed list with the list's version and kind, where it has none of its own.
  private static func typed(
    _ item: YAMLValue, _ members: [YAMLValue.Member], of list: YAMLValue, kind: String
  ) -> YAMLValue {
    let inherited = [
      ("apiVersion", list["apiVersion"]),
      ("kind", YAMLValue(.string(String(kind.dropLast(4))), line: item.line)),
    ].compactMap { key, value in
      item[key] == nil
        ? value.map { YAMLValue.Member(key: key, keyLine: item.line, value: $0) } : nil
    }
    return YAMLValue(.object(inherited + members), line: item.line)
  }
}

extension ConfigError {
  /// The problem of an object that is written in two places; the first stays in force.
  package static func duplicate(
    of ref: ObjectRef, at place: SourceLocation, first: SourceLocation
  ) -> ConfigError {
    ConfigError(
      .conflict, object: ref,
      reason: "is already written at \(first), which stays in force; remove one of them",
      location: place)
  }
}
