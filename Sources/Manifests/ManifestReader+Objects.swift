// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

extension ManifestReader {
  /// Reads one object that an API was given: the same rules as for one in a file.
  ///
  /// - Parameters:
  ///   - object: as it was written.
  ///   - place: where it is, for messages about two objects of one name.
  /// - Returns: the object or why it is refused; problems have no location.
  package func read(object: JSONValue, place: String) -> ManifestReading {
    let reader = ObjectReader(
      file: place, defaultNamespace: defaultNamespace, checks: checks)
    let outcome = reader.read(YAMLValue(object, line: 0))
    var reading = ManifestReading()
    reading.problems = outcome.problems.map { problem in
      var problem = problem
      problem.location = nil
      return problem
    }
    if let object = outcome.object {
      reading.objects = [
        DecodedObject(
          ref: object.ref, apiVersion: object.apiVersion, meta: object.meta, value: object.value,
          json: object.json, source: SourceMap(file: place, lines: [:]))
      ]
    } else if let ref = outcome.ref {
      reading.refused = [ref]
    } else {
      reading.isComplete = false
    }
    return reading
  }
}

extension ConfigError {
  /// Whether a field is written that its kind does not have, rather than one with a bad value.
  package var isUnknownField: Bool {
    severity == .warning && code == .invalid && reason.hasPrefix(Self.unknownField)
  }

  /// How the reason of such a warning begins.
  static let unknownField = "unknown field "
}
