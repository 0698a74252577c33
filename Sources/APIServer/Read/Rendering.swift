// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel
import ObjectStore

/// Objects in the form that a client asked for.
struct Rendering {
  let resource: APIResource
  let version: String
  let accept: Accept
  /// Whether rows of a table carry the whole object (`includeObject=Object`) or nothing.
  let rowObject: String
  /// For ages, in seconds since the Unix epoch.
  let now: Int64

  func object(_ object: JSONValue) -> JSONValue {
    switch accept {
    case .table: table([object], metadata: listMetadata(object))
    case .metadata: partial(object)
    default: object.asVersion(version, of: resource)
    }
  }

  func list(_ page: Page) -> JSONValue {
    var metadata: JSONObject = ["resourceVersion": .string("\(page.revision)")]
    if let next = page.next { metadata["continue"] = .string(next) }
    if let remaining = page.remaining { metadata["remainingItemCount"] = .integer(remaining) }
    switch accept {
    case .table: return table(page.objects, metadata: .object(metadata))
    case .metadata:
      return [
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": .object(metadata), "items": .array(page.objects.map(partial)),
      ]
    default:
      return [
        "apiVersion": .string(resource.apiVersion(version)),
        "kind": .string("\(resource.kind.kind)List"), "metadata": .object(metadata),
        "items": .array(page.objects.map { $0.asVersion(version, of: resource) }),
      ]
    }
  }

  /// One event of a watch, on a line of its own; tables say their columns in the first one only.
  func event(_ type: String, _ object: JSONValue, withColumns: Bool) -> [UInt8] {
    var shown =
      switch accept {
      case .table: table([object], metadata: listMetadata(object), withColumns: withColumns)
      default: self.object(object)
      }
    if type == "BOOKMARK", accept == .table { shown = shown.setting("rows", []) }
    return JSONValue.object(pairs: [("type", .string(type)), ("object", shown)]).bytes()
      + [UInt8(ascii: "\n")]
  }

  private func listMetadata(_ object: JSONValue) -> JSONValue {
    ["resourceVersion": .string(object.resourceVersion)]
  }

  private func partial(_ object: JSONValue) -> JSONValue {
    [
      "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
      "metadata": object.metadata,
    ]
  }

  private func table(
    _ objects: [JSONValue], metadata: JSONValue, withColumns: Bool = true
  ) -> JSONValue {
    [
      "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
      "columnDefinitions": withColumns ? .array(columns.map(definition)) : .null,
      "rows": .array(objects.map(row)),
    ]
  }

  private var columns: [Column] {
    let wide = resource.columns.filter { $0.priority > 0 }
    let own = resource.columns.filter { $0.priority == 0 }
    switch resource.kind {
    // When it happened, and not what it is called.
    case .event: return [lastSeen] + own + wide + [name(wide: true)]
    case .customResourceDefinition: return [name()] + own + wide
    default:
      let measured = resource.isMeasured ? Column.measured : []
      return [name()] + own + measured + [age] + wide
    }
  }

  private func name(wide: Bool = false) -> Column {
    Column("Name", wide: wide, "The name of the object, unique in its namespace.") {
      .string($0.name)
    }
  }

  private var age: Column {
    let now = now
    return Column("Age", "How long ago the object was made.") { object in
      Self.age(of: object.metadata["creationTimestamp"], at: now)
    }
  }

  private var lastSeen: Column {
    let now = now
    return Column("Last Seen", "How long ago it happened last.") { event in
      let times = [event["lastTimestamp"], event["eventTime"], event.metadata["creationTimestamp"]]
      return Self.age(of: times.lazy.compactMap(\.self).first { $0 != .null }, at: now)
    }
  }

  private static func age(of time: JSONValue?, at now: Int64) -> JSONValue {
    let time = time?.stringValue.flatMap(Timestamp.seconds)
    return .string(time.map { Age.text(ofSeconds: now - $0) } ?? "<unknown>")
  }

  private func definition(_ column: Column) -> JSONValue {
    [
      "name": .string(column.name), "type": .string(column.type),
      "format": .string(column.name == "Name" ? "name" : ""),
      "description": .string(column.description), "priority": .integer(column.priority),
    ]
  }

  private func row(_ object: JSONValue) -> JSONValue {
    var members: JSONObject = ["cells": .array(columns.map { $0.value(object) })]
    switch rowObject {
    case "None": break
    case "Object": members["object"] = object.asVersion(version, of: resource)
    default: members["object"] = partial(object)
    }
    return .object(members)
  }
}
