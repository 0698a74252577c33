// SPDX-License-Identifier: Apache-2.0

import JSON
import EnvoyAPI
import ProtoReflection
import Testing

/// The message types of the Envoy API that are no entries of maps.
func allMessageTypes() throws -> [MessageDescriptor] {
  let pool = EnvoyTypes.pool
  let types = try pool.messageNames.map { try #require(pool.message(named: $0)) }
  let entries = Set(types.flatMap(\.fields).filter(\.isMap).compactMap(\.typeName))
  return types.filter { !entries.contains($0.fullName) }
}

func message(_ name: String) throws -> MessageDescriptor {
  try #require(EnvoyTypes.pool.message(named: name), "no message \(name)")
}

/// Decodes a JSON text that must be without errors.
func decode(
  _ text: String, as name: String, options: JSONDecoding.Options = JSONDecoding.Options()
) throws -> DynamicMessage {
  try DynamicMessage.decode(JSONValue(parsing: text), as: message(name), options: options).get()
}

/// The errors that a JSON text has, as users see them.
func errors(
  _ text: String, as name: String, options: JSONDecoding.Options = JSONDecoding.Options()
) throws -> [String] {
  try DynamicMessage.decode(JSONValue(parsing: text), as: message(name), options: options)
    .errors.map(\.description)
}
