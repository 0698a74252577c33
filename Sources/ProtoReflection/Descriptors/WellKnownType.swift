// SPDX-License-Identifier: Apache-2.0

/// A message type to which the proto3 JSON mapping gives a form of its own.
///
/// https://protobuf.dev/programming-guides/json/
package enum WellKnownType: String, Sendable {
  case any = "google.protobuf.Any"
  case duration = "google.protobuf.Duration"
  case timestamp = "google.protobuf.Timestamp"
  case fieldMask = "google.protobuf.FieldMask"
  case structure = "google.protobuf.Struct"
  case value = "google.protobuf.Value"
  case listValue = "google.protobuf.ListValue"
  case boolWrapper = "google.protobuf.BoolValue"
  case int32Wrapper = "google.protobuf.Int32Value"
  case int64Wrapper = "google.protobuf.Int64Value"
  case uint32Wrapper = "google.protobuf.UInt32Value"
  case uint64Wrapper = "google.protobuf.UInt64Value"
  case floatWrapper = "google.protobuf.FloatValue"
  case doubleWrapper = "google.protobuf.DoubleValue"
  case stringWrapper = "google.protobuf.StringValue"
  case bytesWrapper = "google.protobuf.BytesValue"

  /// Whether the message is one scalar with presence, written in JSON as that scalar.
  package var isWrapper: Bool {
    switch self {
    case .boolWrapper, .int32Wrapper, .int64Wrapper, .uint32Wrapper, .uint64Wrapper,
      .floatWrapper, .doubleWrapper, .stringWrapper, .bytesWrapper:
      true
    case .any, .duration, .timestamp, .fieldMask, .structure, .value, .listValue: false
    }
  }
}
