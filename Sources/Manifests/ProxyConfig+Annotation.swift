// SPDX-License-Identifier: Apache-2.0

package import MeshModel

extension ProxyConfig {
  /// Reads the YAML of the annotation `proxy.istio.io/config`.
  ///
  /// - Parameters:
  ///   - text: of the annotation.
  ///   - object: that has it.
  ///   - path: of the annotation in the object.
  ///   - problems: gets what is wrong with it, without lines.
  /// - Returns: nil where the text cannot be read.
  package static func reading(
    annotation text: String, of object: DecodedObject, at path: FieldPath,
    reporting problems: inout [ConfigError]
  ) -> ProxyConfig? {
    let stream = YAMLParser().parse(Array(text.utf8), file: "")
    let found = Problems()
    for problem in stream.problems { found.error(at: path, problem.reason) }
    let empty = YAMLValue(.object([]), line: 1)
    let config =
      stream.problems.isEmpty
      ? decode(Node(stream.documents.first ?? empty, at: path), found) : nil
    problems += found.list.map { problem in
      var problem = problem
      problem.object = object.ref
      problem.location = object.source.location(of: problem.path)
      return problem
    }
    return config
  }
}
