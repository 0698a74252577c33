// SPDX-License-Identifier: Apache-2.0

package import JSON

/// What decoding JSON as a message came to: the message, and all that was wrong.
package struct JSONDecoding: Sendable {
  /// How to treat what the mapping leaves open.
  package struct Options: Hashable, Sendable {
    package enum UnknownFields: Hashable, Sendable {
      /// An unknown field is an error.
      case reject
      /// An unknown field is left out and told as a warning.
      case collectAsWarnings
    }

    package var unknownFields: UnknownFields
    /// Whether `{"@type": …, "value": "<base64>"}` is taken for a type that the pool lacks.
    ///
    /// It is how such an `Any` is printed; from a user it is more likely a typing error.
    package var acceptsUnknownAnyTypes: Bool
    /// Whether `JSONDecoding.explicit` is wanted; nulls are then allowed as values of maps.
    package var notesExplicitFields: Bool
    /// After this many errors decoding stops, so that hostile input cannot fill the memory.
    package var maximumErrors: Int

    package init(
      unknownFields: UnknownFields = .reject, acceptsUnknownAnyTypes: Bool = false,
      notesExplicitFields: Bool = false, maximumErrors: Int = 100
    ) {
      self.unknownFields = unknownFields
      self.acceptsUnknownAnyTypes = acceptsUnknownAnyTypes
      self.notesExplicitFields = notesExplicitFields
      self.maximumErrors = maximumErrors
    }
  }

  /// What could be decoded; complete when there are no errors.
  package var message: DynamicMessage
  /// What the JSON sets to nothing; empty unless the options ask for it.
  package var explicit = ExplicitFields()
  /// In order of occurrence.
  package var errors: [ReflectionError]
  package var warnings: [ReflectionError]

  /// The message, or the first error.
  ///
  /// - Throws: the first of `errors`, if any.
  package func get() throws(ReflectionError) -> DynamicMessage {
    if let error = errors.first { throw error }
    return message
  }
}

extension DynamicMessage {
  /// Decodes the proto3 JSON mapping.
  ///
  /// Field names may be those of the `.proto` file or lowerCamelCase. Every error is collected,
  /// each with the path as the user wrote it and the nearest valid name.
  ///
  /// https://protobuf.dev/programming-guides/json/
  package static func decode(
    _ json: JSONValue, as descriptor: MessageDescriptor,
    options: JSONDecoding.Options = JSONDecoding.Options()
  ) -> JSONDecoding {
    var decoder = JSONMessageDecoder(options: options)
    let message = decoder.message(json, as: descriptor, depth: 0) ?? DynamicMessage(descriptor)
    return JSONDecoding(
      message: message, explicit: decoder.explicit, errors: decoder.errors,
      warnings: decoder.warnings)
  }
}
