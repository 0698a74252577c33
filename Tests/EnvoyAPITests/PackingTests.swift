// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import Testing

@Suite struct PackingTests {
  private let names = (0..<200).map { "key\($0)" }

  @Test func `maps are written in the order of their keys`() throws {
    // Another capacity is another order of iteration, also within one process.
    let ways = [(names, 0), (names.reversed(), 0), (names.sorted(), 1024), (names, 4096)]
    let bytes = ways.map { keys, capacity in
      var variables = Envoy_Extensions_Wasm_V3_EnvironmentVariables()
      variables.keyValues.reserveCapacity(capacity)
      for key in keys { variables.keyValues[key] = "value" }
      return variables.deterministicBytes()
    }
    #expect(Set(bytes).count == 1)
    var expected: [UInt8] = []
    for key in names.sorted() {
      expected += [0x12, UInt8(key.utf8.count + 9), 0x0A, UInt8(key.utf8.count)]
      expected += Array(key.utf8) + [0x12, 5] + Array("value".utf8)
    }
    #expect(bytes[0] == expected)
  }

  @Test func `maps inside packed messages and structs are in order too`() {
    let bytes = [names, names.reversed()].map { keys in
      var metadata = Google_Protobuf_Struct()
      metadata.fields.reserveCapacity(keys == names ? 0 : 4096)
      for key in keys { metadata.fields[key] = true }
      return Envoy_Config_Core_V3_TypedExtensionConfig.with {
        $0.typedConfig = Envoy_Config_Core_V3_Metadata.with {
          $0.filterMetadata["istio"] = metadata
          $0.typedFilterMetadata["again"] = metadata.packed()
        }.packed()
      }.deterministicBytes()
    }
    #expect(bytes[0] == bytes[1])
  }

  @Test func `an empty message packs to its type alone`() {
    let packed = Envoy_Extensions_Filters_Http_Cors_V3_Cors().packed()
    #expect(packed.typeURL == "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors")
    #expect(packed.value.isEmpty)
  }
}
