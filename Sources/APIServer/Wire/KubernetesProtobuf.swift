// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON

/// Bodies in Kubernetes' protobuf: kubectl's own commands for the oldest kinds (`kubectl create secret`)
/// send nothing else.
///
/// Numbers are those of `k8s.io/api/core/v1/generated.proto`; answers are JSON, which such clients take.
enum KubernetesProtobuf {
  static let mediaType = "application/vnd.kubernetes.protobuf"

  /// An object in its envelope: four bytes, then `runtime.Unknown` with the type and the object.
  static func object(_ bytes: [UInt8]) throws(APIStatus) -> JSONValue {
    guard bytes.starts(with: [0x6B, 0x38, 0x73, 0]) else {
      throw .badRequest("the object provided is unrecognized: no protobuf of Kubernetes")
    }
    let envelope = try ProtobufFields(bytes.dropFirst(4))
    let type = try ProtobufFields(envelope.bytes(1) ?? [])
    let kind = type.text(2)
    guard let message = messages[kind] else {
      throw .unsupportedMediaType(["application/json", "application/yaml"])
    }
    let object = try json(ProtobufFields(envelope.bytes(2) ?? []), message)
    return object.setting("apiVersion", .string(type.text(1))).setting("kind", .string(kind))
  }

  private indirect enum Form: Sendable {
    case text
    /// Base64 in JSON.
    case bytes
    case integer
    case boolean
    case time
    case portTarget
    case json
    case message([Int: (String, Form)])
    case list(Form)
    case map(Form)
  }

  private static let managedFields: [Int: (String, Form)] = [
    1: ("manager", .text), 2: ("operation", .text), 3: ("apiVersion", .text), 4: ("time", .time),
    6: ("fieldsType", .text), 7: ("fieldsV1", .json), 8: ("subresource", .text),
  ]

  private static let metadata: Form = .message([
    1: ("name", .text), 2: ("generateName", .text), 3: ("namespace", .text), 5: ("uid", .text),
    6: ("resourceVersion", .text), 7: ("generation", .integer), 8: ("creationTimestamp", .time),
    9: ("deletionTimestamp", .time), 10: ("deletionGracePeriodSeconds", .integer),
    11: ("labels", .map(.text)), 12: ("annotations", .map(.text)),
    14: ("finalizers", .list(.text)), 17: ("managedFields", .list(.message(managedFields))),
  ])

  private static let port: Form = .message([
    1: ("name", .text), 2: ("protocol", .text), 3: ("port", .integer),
    4: ("targetPort", .portTarget), 5: ("nodePort", .integer), 6: ("appProtocol", .text),
  ])

  private static let messages: [String: [Int: (String, Form)]] = [
    "Namespace": [
      1: ("metadata", metadata), 2: ("spec", .message([1: ("finalizers", .list(.text))])),
      3: ("status", .message([1: ("phase", .text)])),
    ],
    "Secret": [
      1: ("metadata", metadata), 2: ("data", .map(.bytes)), 3: ("type", .text),
      4: ("stringData", .map(.text)), 5: ("immutable", .boolean),
    ],
    "ConfigMap": [
      1: ("metadata", metadata), 2: ("data", .map(.text)), 3: ("binaryData", .map(.bytes)),
      4: ("immutable", .boolean),
    ],
    "Service": [
      1: ("metadata", metadata),
      2: (
        "spec",
        .message([
          1: ("ports", .list(port)), 2: ("selector", .map(.text)), 3: ("clusterIP", .text),
          4: ("type", .text), 5: ("externalIPs", .list(.text)), 7: ("sessionAffinity", .text),
          8: ("loadBalancerIP", .text), 9: ("loadBalancerSourceRanges", .list(.text)),
          10: ("externalName", .text), 11: ("externalTrafficPolicy", .text),
          12: ("healthCheckNodePort", .integer), 13: ("publishNotReadyAddresses", .boolean),
          17: ("ipFamilyPolicy", .text), 18: ("clusterIPs", .list(.text)),
          19: ("ipFamilies", .list(.text)), 22: ("internalTrafficPolicy", .text),
        ])
      ),
    ],
    "DeleteOptions": [
      1: ("gracePeriodSeconds", .integer),
      2: ("preconditions", .message([1: ("uid", .text), 2: ("resourceVersion", .text)])),
      4: ("propagationPolicy", .text), 5: ("dryRun", .list(.text)),
    ],
  ]

  private static func json(
    _ fields: ProtobufFields, _ message: [Int: (String, Form)]
  ) throws(APIStatus) -> JSONValue {
    var members: JSONObject = [:]
    for (number, (name, form)) in message.sorted(by: { $0.key < $1.key }) {
      let values = fields[number]
      guard let last = values.last else { continue }
      switch form {
      case .list(let element):
        var elements: [JSONValue] = []
        for value in values { elements.append(try json(value, element)) }
        members[name] = .array(elements)
      case .map(let element):
        var map: JSONObject = [:]
        for value in values {
          let entry = try ProtobufFields(value.bytes)
          map[entry.text(1)] = try json(entry[2].last ?? .init(), element)
        }
        members[name] = .object(map)
      default:
        let value = try json(last, form)
        // Go writes empty strings and zeros where JSON leaves a field out.
        if value != "", value != .null, value != 0 { members[name] = value }
      }
    }
    return .object(members)
  }

  private static func json(_ value: ProtobufFields.Value, _ form: Form) throws(APIStatus)
    -> JSONValue
  {
    switch form {
    case .text: return .string(String(decoding: value.bytes, as: UTF8.self))
    case .bytes: return .string(Data(value.bytes).base64EncodedString())
    case .integer: return .integer(Int64(bitPattern: value.number))
    case .boolean: return .bool(value.number != 0)
    // The server makes its own.
    case .time: return .null
    case .portTarget:
      let target = try ProtobufFields(value.bytes)
      return target[1].last?.number == 1
        ? .string(target.text(3)) : .integer(Int64(bitPattern: target[2].last?.number ?? 0))
    case .json:
      let raw = try ProtobufFields(value.bytes).bytes(1) ?? []
      return (try? JSONValue(parsing: Array(raw))) ?? [:]
    case .message(let message): return try json(ProtobufFields(value.bytes), message)
    case .list, .map: preconditionFailure("lists and maps are read with all of their elements")
    }
  }
}
