// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import MeshModel
import ProtoReflection
import Testing
import Translation

@Suite struct SnapshotDiffTests {
  private func snapshot(_ typeURL: TypeURL, _ resources: JSONValue...) throws -> ResourceSnapshot {
    let encoded = try resources.map { json in
      let descriptor = try #require(EnvoyTypes.pool.message(typeURL: typeURL.rawValue))
      let message = DynamicMessage.decode(json, as: descriptor).message
      return EncodedResource(
        typeURL: typeURL, name: json["name"]?.stringValue ?? "", bytes: message.serialized(),
        origins: [])
    }
    return ResourceSnapshot(
      revision: 1, proxyClass: ProxyClass(role: .router, namespace: "default"),
      sets: [typeURL: ResourceSet(encoded)], problems: [])
  }

  private func secret(_ certificate: String, _ key: String) -> JSONValue {
    [
      "name": "s",
      "tls_certificate": [
        "certificate_chain": ["inline_string": .string(certificate)],
        "private_key": ["inline_string": .string(key)],
      ],
    ]
  }

  @Test func `a private key is compared, and not shown`() throws {
    let old = try snapshot(.secret, secret("c", "old"))
    let keyOnly = SnapshotDiff(from: old, to: try snapshot(.secret, secret("c", "new")))
    #expect(keyOnly.resources.map(\.change) == [.changed([])])
    let both = SnapshotDiff(from: old, to: try snapshot(.secret, secret("d", "new")))
    let path = FieldPath("tls_certificate", "certificate_chain", "inline_string")
    #expect(
      both.resources.map(\.change) == [.changed([FieldChange(path, .changed(from: "c", to: "d"))])])
    #expect(SnapshotDiff(from: old, to: old).resources.isEmpty)
  }

  @Test func `a private key inside a listener decides what is drained`() throws {
    func listener(_ key: String) -> JSONValue {
      [
        "name": "l",
        "filter_chains": [
          [
            "transport_socket": [
              "name": "tls",
              "typed_config": [
                "@type": """
                type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
                """,
                "common_tls_context": [
                  "tls_certificates": [["private_key": ["inline_string": .string(key)]]]
                ],
              ],
            ]
          ]
        ],
      ]
    }
    let diff = SnapshotDiff(
      from: try snapshot(.listener, listener("old")), to: try snapshot(.listener, listener("new")))
    #expect(diff.resources.map(\.change) == [.changed([])])
    #expect(diff.resources.map(\.drain) == [.filterChains([FieldPath("filter_chains")[0]])])
  }
}
