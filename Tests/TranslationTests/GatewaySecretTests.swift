// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import MeshModel
import MeshTesting
import SwiftProtobuf
import Testing
import Translation

@Suite struct GatewaySecretTests {
  private static let golden = GoldenCase.all(in: "Fixtures", inputs: ["in.yaml", "proxy.yaml"])
    .first { $0.name == "Gateway/secrets" }

  private func mesh() throws -> MeshSnapshot {
    try #require(Self.golden).translationInput().0
  }

  private func names(_ role: Proxy.Role, namespace: String) throws -> [String] {
    let proxy = ProxyClass(
      role: role, namespace: namespace, labels: ["istio": "ingressgateway"])
    let result = Translator(types: EnvoyTypes.pool).translate(try mesh(), for: proxy)
    return result[.secret].resources.map(\.name)
  }

  @Test func `a gateway gets the secrets of its own namespace alone`() throws {
    #expect(
      try names(.router, namespace: "istio-system") == [
        "kubernetes://here", "kubernetes://keyless-cacert",
      ])
    #expect(try names(.router, namespace: "default") == ["kubernetes://there"])
    #expect(try names(.router, namespace: "elsewhere") == [])
    #expect(try names(.sidecar, namespace: "istio-system") == [])
  }

  @Test func `the proxy gets the key, and whoever looks gets none of it`() throws {
    let mesh = try mesh()
    let proxy = ProxyClass(
      role: .router, namespace: "istio-system", labels: ["istio": "ingressgateway"])
    let result = Translator(types: EnvoyTypes.pool).translate(mesh, for: proxy)
    let resource = try #require(result[.secret]["kubernetes://here"])
    let secret = try Envoy_Extensions_TransportSockets_Tls_V3_Secret(
      serializedBytes: resource.bytes)
    let pair = try #require(mesh.secrets["istio-system"]?["here"]?.keyPair)
    #expect(Array(secret.tlsCertificate.privateKey.inlineBytes) == pair.privateKey.exposed)
    #expect(Array(secret.tlsCertificate.certificateChain.inlineBytes) == pair.certificateChain)
    #expect(resource.origins.map(\.object) == [pairOwner])

    let shown = ResourceJSON.any(resource)
    // `[redacted]` in base64, as Envoy shows it.
    #expect(shown["tls_certificate"]?["private_key"] == ["inline_bytes": "W3JlZGFjdGVkXQ=="])
  }

  private var pairOwner: ObjectRef {
    ObjectRef(kind: .secret, namespace: "istio-system", name: "here")
  }
}
