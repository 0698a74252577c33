// SPDX-License-Identifier: Apache-2.0

/// A place in a manifest file; the line counts from 1, and is 0 for what has no lines.
package struct SourceLocation: Hashable, Sendable {
  package var file: String
  package var line: Int

  package init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
}

extension SourceLocation: CustomStringConvertible {
  package var description: String { line == 0 ? file : "\(file):\(line)" }
}

/// What is wrong with a configuration object, where, and what to do about it.
///
/// The one error of every stage, from the YAML to the rejection by an Envoy, so that a log line, a
/// `/debug` page and the text of `skiffctl validate` are renderings of one value. The reason is
/// lower case without a full stop ("expected X, found Y") and ends with the remedy if one is known.
package struct ConfigError: Error, Hashable, Sendable {
  package enum Code: String, Hashable, Sendable {
    /// A field that must be there is missing.
    case required
    /// The value is of the wrong type or form.
    case invalid
    /// Valid for Istio, but this version does not act on it.
    case unsupported
    /// Two objects want the same thing.
    case conflict
    /// A reference leads nowhere.
    case notFound
    /// A proxy answered with a NACK; the reason is Envoy's text.
    case rejected
    /// A file, a directory or a peer cannot be reached.
    case unavailable
  }

  package enum Severity: String, Hashable, Sendable {
    /// The object, or the part that the path names, has no effect.
    case error
    /// It has effect, but not all of the effect that its author may expect.
    case warning
  }

  package var code: Code
  package var severity: Severity
  /// Nil where the text could not be read far enough to know the object.
  package var object: ObjectRef?
  package var path: FieldPath
  package var reason: String
  /// Nil for objects that come from no file.
  package var location: SourceLocation?

  package init(
    _ code: Code, severity: Severity = .error, object: ObjectRef? = nil,
    at path: FieldPath = FieldPath(), reason: String, location: SourceLocation? = nil
  ) {
    self.code = code
    self.severity = severity
    self.object = object
    self.path = path
    self.reason = reason
    self.location = location
  }
}

extension ConfigError: CustomStringConvertible {
  /// The object, the path, the reason and the place.
  ///
  /// `EnvoyFilter default/reverb: spec.configPatches[2].patch.value: expected … (reverb.yaml:31)`
  package var description: String {
    var parts: [String] = []
    if let object { parts.append("\(object)") }
    if !path.components.isEmpty { parts.append("\(path)") }
    parts.append(reason)
    let text = parts.joined(separator: ": ")
    return location.map { "\(text) (\($0))" } ?? text
  }
}
