// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel

/// Schemas of the kinds, from what their decoders look at.
///
/// Kinds that are not decoded, and places where anything goes, keep what they are given
/// (`x-kubernetes-preserve-unknown-fields`).
struct SchemaDocument: Sendable {
  /// Where definitions are: `#/components/schemas/` in version 3, `#/definitions/` in version 2.
  let prefix: String

  static let objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
  private static let listMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"

  /// `io.istio.networking.v1.VirtualService`.
  static func name(_ resource: APIResource, _ version: String) -> String {
    let group = resource.group.isEmpty ? "core.api.k8s.io" : resource.group
    let reversed = group.split(separator: ".").reversed().joined(separator: ".")
    return "\(reversed).\(version).\(resource.kind.kind)"
  }

  /// The definitions of some kinds, and of what they refer to.
  func definitions(_ kinds: [(resource: APIResource, version: String)]) -> JSONValue {
    var definitions: JSONObject = [
      Self.objectMeta: Self.objectMetaSchema, Self.listMeta: Self.listMetaSchema,
    ]
    for (resource, version) in kinds {
      let name = Self.name(resource, version)
      definitions[name] = schema(of: resource, version)
      definitions["\(name)List"] = list(of: name, resource, version)
    }
    return .object(definitions)
  }

  func reference(_ name: String) -> JSONValue { ["$ref": .string(prefix + name)] }

  private func identity(_ resource: APIResource, _ version: String, suffix: String = "")
    -> JSONValue
  {
    [
      [
        "group": .string(resource.group), "version": .string(version),
        "kind": .string(resource.kind.kind + suffix),
      ]
    ]
  }

  private static func text(_ description: String) -> JSONValue {
    ["type": "string", "description": .string(description)]
  }

  private static let apiVersion = text("Group and version of the object.")
  private static let kind = text("The kind of the object.")

  private func schema(of resource: APIResource, _ version: String) -> JSONValue {
    var properties: JSONObject = [
      "apiVersion": Self.apiVersion, "kind": Self.kind,
      "metadata": described(reference(Self.objectMeta), "Name, namespace, labels."),
    ]
    let fields = SchemaProbe.fields(of: resource.kind)
    for (name, shape) in fields.sorted(by: { $0.key < $1.key }) {
      properties[name] = described(
        Self.schema(shape, resource, [name]), Descriptions.text(resource, [name]))
    }
    if resource.hasStatus {
      properties["status"] = described(Self.anything, "What the control plane says about it.")
    }
    var schema: JSONObject = [
      "type": "object", "description": .string(Descriptions.text(resource, [])),
      "properties": .object(properties),
      "x-kubernetes-group-version-kind": identity(resource, version),
    ]
    if fields.isEmpty { schema["x-kubernetes-preserve-unknown-fields"] = true }
    return .object(schema)
  }

  private func list(
    of name: String, _ resource: APIResource, _ version: String
  ) -> JSONValue {
    [
      "type": "object", "description": .string("A list of \(resource.plural)."),
      "required": ["items"],
      "properties": [
        "apiVersion": Self.apiVersion, "kind": Self.kind,
        "metadata": described(reference(Self.listMeta), "Of the list."),
        "items": ["type": "array", "items": reference(name)],
      ],
      "x-kubernetes-group-version-kind": identity(resource, version, suffix: "List"),
    ]
  }

  /// Beside a reference a description would not count.
  private func described(_ schema: JSONValue, _ description: String) -> JSONValue {
    guard !description.isEmpty else { return schema }
    let base: JSONValue = schema["$ref"] == nil ? schema : ["allOf": [schema]]
    return base.setting("description", .string(description))
  }

  private static let anything: JSONValue = [
    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
  ]

  private static func schema(
    _ shape: FieldShape, _ resource: APIResource, _ path: [String]
  ) -> JSONValue {
    switch shape {
    case .object(let members):
      var properties: JSONObject = [:]
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        let place = path + [name]
        let text = Descriptions.text(resource, place)
        let schema = self.schema(member, resource, place)
        properties[name] = text.isEmpty ? schema : schema.setting("description", .string(text))
      }
      return ["type": "object", "properties": .object(properties)]
    case .list(let element):
      return ["type": "array", "items": schema(element, resource, path)]
    case .string: return ["type": "string"]
    case .boolean: return ["type": "boolean"]
    case .integer: return ["type": "integer"]
    case .number: return ["type": "number"]
    case .enumeration(let names):
      return ["type": "string", "enum": .array(names.map(JSONValue.string))]
    case .duration: return text("A duration such as 1h2m3.5s or 10ms.")
    case .any: return ["x-kubernetes-preserve-unknown-fields": true]
    }
  }

  private static let strings: JSONValue = [
    "type": "object", "additionalProperties": ["type": "string"],
  ]

  private static let objectMetaSchema: JSONValue = [
    "type": "object",
    "description": "What all objects have: their identity, labels, and what the server knows.",
    "properties": [
      "name": text("Unique among the objects of a kind in a namespace."),
      "generateName": text("The beginning of a name that the server completes."),
      "namespace": text("Where the object belongs; it decides which proxies it is for."),
      "labels": strings.setting("description", "Words to select objects by."),
      "annotations": strings.setting("description", "Notes of tools."),
      "uid": text("Of this object, and of no later one with the same name."),
      "resourceVersion": text("The revision of the last change."),
      "generation": [
        "type": "integer", "format": "int64", "description": "Counts the changes of the spec.",
      ],
      "creationTimestamp": text("When the object was made."),
      "deletionTimestamp": text("When its deletion was asked for."),
      "deletionGracePeriodSeconds": ["type": "integer", "format": "int64"],
      "finalizers": [
        "type": "array", "items": ["type": "string"],
        "description": "Who has something to do before the object goes.",
        "x-kubernetes-list-type": "set",
      ],
      "ownerReferences": ["type": "array", "items": anything],
      "managedFields": [
        "type": "array", "items": anything, "description": "Who set which field.",
      ],
      "selfLink": text("Not used any more."),
    ],
  ]

  private static let listMetaSchema: JSONValue = [
    "type": "object", "description": "What all lists have.",
    "properties": [
      "resourceVersion": text("The revision of the state that was listed."),
      "continue": text("Asks for the next page."),
      "remainingItemCount": ["type": "integer", "format": "int64"],
    ],
  ]
}
