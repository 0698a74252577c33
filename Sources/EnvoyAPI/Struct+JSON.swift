// SPDX-License-Identifier: Apache-2.0

package import JSON
package import SwiftProtobuf

extension Google_Protobuf_Struct {
  /// The members of an object.
  package init(_ object: JSONObject) {
    self.init()
    for (key, value) in object { fields[key] = Google_Protobuf_Value(value) }
  }
}

extension Google_Protobuf_Value {
  package init(_ json: JSONValue) {
    self.init()
    switch json {
    case .null: nullValue = .nullValue
    case .bool(let flag): boolValue = flag
    case .number(let number): numberValue = number.doubleValue
    case .string(let text): stringValue = text
    case .array(let elements): listValue.values = elements.map(Google_Protobuf_Value.init)
    case .object(let object): structValue = Google_Protobuf_Struct(object)
    }
  }
}
