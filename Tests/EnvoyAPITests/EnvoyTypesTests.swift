// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import ProtoReflection
import Testing

@Suite struct EnvoyTypesTests {
  @Test func `the pool knows every generated type and many more`() {
    #expect(EnvoyTypes.pool.messageNames.count > 2_000)
    #expect(EnvoyTypes.pool.message(named: Envoy_Config_Cluster_V3_Cluster.protoMessageName) != nil)
    let lua = EnvoyTypes.pool.message(
      typeURL: "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua")
    #expect(lua?.field(named: "default_source_code")?.number == 3)
  }

  @Test func `the pool is built once`() {
    #expect(EnvoyTypes.pool === EnvoyTypes.pool)
  }
}
