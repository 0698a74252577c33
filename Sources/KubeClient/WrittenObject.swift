// SPDX-License-Identifier: Apache-2.0

package import JSON
package import Manifests
package import MeshModel

/// An object as it stands in a file, not judged: the server does that.
package struct WrittenObject: Sendable {
  package let json: JSONValue
  package let place: SourceLocation
  private let value: YAMLValue

  package init(_ value: YAMLValue, file: String) {
    self.value = value
    json = value.json
    place = SourceLocation(file: file, line: value.line)
  }

  package var apiVersion: String { json["apiVersion"]?.stringValue ?? "" }
  package var kind: String { json["kind"]?.stringValue ?? "" }
  package var name: String { json["metadata"]?["name"]?.stringValue ?? "" }
  /// Empty where it says none.
  package var namespace: String { json["metadata"]?["namespace"]?.stringValue ?? "" }

  /// The line of a field that the server names, `spec.http[0].route["a.b"]`; the nearest one that is
  /// there where the field itself is missing; nil without a path.
  package func place(of path: String) -> SourceLocation? {
    var (value, line) = (value, self.value.line)
    var components = Self.components(path)[...]
    guard !components.isEmpty else { return nil }
    while let component = components.popFirst() {
      switch (value.content, component) {
      case (.object(let members), .field(let name)):
        guard let member = members.first(where: { $0.key == name }) else { break }
        (value, line) = (member.value, member.keyLine)
        continue
      case (.list(let elements), .index(let index)) where elements.indices.contains(index):
        (value, line) = (elements[index], elements[index].line)
        continue
      default: break
      }
      break
    }
    return SourceLocation(file: place.file, line: line)
  }

  /// The inverse of a path's description.
  private static func components(_ path: String) -> [FieldPath.Component] {
    var components: [FieldPath.Component] = []
    var name = ""
    var rest = path[...]
    func isOpen(_ character: Character) -> Bool { character == "." || character == "[" }
    while let first = rest.first {
      if first == "[", let end = rest.firstRange(of: rest.dropFirst().first == "\"" ? "\"]" : "]") {
        let inner = rest[rest.index(after: rest.startIndex)..<end.lowerBound]
        if let index = Int(inner) {
          components.append(.index(index))
        } else {
          components.append(.field(String(inner.drop { $0 == "\"" })))
        }
        rest = rest[end.upperBound...]
      } else {
        rest = first == "." ? rest.dropFirst() : rest
        name = String(rest.prefix { !isOpen($0) })
        if name.isEmpty { break }
        components.append(.field(name))
        rest = rest.dropFirst(name.count)
      }
    }
    return components
  }
}

extension ManifestReader {
  /// The objects of files, directories and standard input (`-`), as they stand there.
  ///
  /// - Parameter paths: as given on a command line.
  /// - Returns: what can be read as YAML, in the order of writing, and what cannot.
  package func written(paths: [String]) -> (objects: [WrittenObject], problems: [ConfigError]) {
    let documents = documents(paths: paths)
    return (
      documents.objects.map { WrittenObject($0.value, file: $0.file) }, documents.problems
    )
  }
}
