// SPDX-License-Identifier: Apache-2.0

import JSON
import EnvoyAPI
import ProtoReflection

/// A pool of the Envoy API with one more file, which is given as JSON.
///
/// Descriptors are messages too, so the transcoder itself makes them: what no `.proto` of Envoy
/// has (groups, closed enums, rarer rules) can be tested beside what it has.
func pool(adding file: JSONValue) throws -> DescriptorPool {
  let set = try DynamicMessage.decode(
    ["file": [file]], as: message("google.protobuf.FileDescriptorSet")
  ).get()
  return try DescriptorPool(
    fileDescriptorSet: [UInt8](EnvoyTypes.descriptorSet) + set.serialized())
}

/// A field of a descriptor in JSON.
func field(
  _ name: String, _ number: Int64, _ type: String, label: String = "LABEL_OPTIONAL",
  typeName: String? = nil, _ more: [(String, JSONValue)] = []
) -> JSONValue {
  var object: JSONObject = [
    "name": .string(name), "number": .number(.integer(number)), "type": .string("TYPE_\(type)"),
    "label": .string(label),
  ]
  if let typeName { object["type_name"] = .string(typeName) }
  for (key, value) in more { object[key] = value }
  return .object(object)
}

/// A field with `validate.rules`.
func field(
  _ name: String, _ number: Int64, _ type: String, label: String = "LABEL_OPTIONAL",
  typeName: String? = nil, rules: JSONValue
) -> JSONValue {
  field(
    name, number, type, label: label, typeName: typeName,
    [("options", ["[validate.rules]": rules])])
}
