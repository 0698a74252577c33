// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import Testing

/// What is read from a node, and what of it reaches translation.
@Suite struct ProxyTests {
  @Test func `a node id and its metadata are read as Istio writes them`() throws {
    let proxy = try Proxy(
      nodeID: "router~10.0.0.1~gw.edge~edge.svc.cluster.local",
      metadata: ["LABELS": ["istio": "ingressgateway"], "ISTIO_VERSION": "1.24.0", "N": 3])
    #expect(proxy.role == .router)
    #expect(proxy.ipAddresses == ["10.0.0.1"])
    #expect(proxy.name == "gw.edge")
    #expect(proxy.namespace == "edge")
    #expect(proxy.labels == ["istio": "ingressgateway"])
    #expect(proxy.metadata == ["ISTIO_VERSION": "1.24.0"])
  }

  @Test(arguments: [
    ("", "expected type~ip~name.namespace~dnsDomain, found \"\""),
    (
      "router~10.0.0.1~gw",
      "expected type~ip~name.namespace~dnsDomain, found \"router~10.0.0.1~gw\""
    ),
    ("ztunnel~10.0.0.1~z.ns~ns.svc", "expected a proxy type of router, sidecar, found \"ztunnel\""),
    (
      "router~~gw.ns~ns.svc",
      "expected an IP address in the second part or in metadata INSTANCE_IPS"
    ),
  ])
  func `a node that cannot be served is refused with the reason`(_ id: String, _ reason: String) {
    #expect { try Proxy(nodeID: id, metadata: [:]) } throws: { error in
      (error as? ConfigError)?.reason == reason
    }
  }

  @Test func `a class holds only what some object selects on`() throws {
    let proxy = try Proxy(
      nodeID: "router~10.0.0.1~gw.edge~edge.svc.cluster.local",
      metadata: ["LABELS": ["istio": "ingressgateway", "pod-hash": "1"], "WASM_ENABLED": "false"])
    let gateway = Gateway(
      meta: ObjectMeta(name: "g", namespace: "edge"),
      selector: LabelSelector(matchLabels: ["istio": "ingressgateway"]), servers: [])
    #expect(
      MeshSnapshot(revision: 1, gateways: [gateway]).classifier.proxyClass(of: proxy)
        == ProxyClass(
          role: .router, namespace: "edge", dnsDomain: "edge.svc.cluster.local",
          labels: ["istio": "ingressgateway"], metadata: ["WASM_ENABLED": "false"]))
  }

  @Test func `a proxy backs the services that its labels or its address select`() throws {
    let proxy = try Proxy(
      nodeID: "sidecar~10.0.0.7~a.ns~ns.svc.cluster.local", metadata: ["LABELS": ["app": "a"]])
    let byLabel = Service(
      hostname: "a.ns.svc.cluster.local", namespace: "ns",
      ports: [.init(number: 80, name: "http", portProtocol: .http)], resolution: .static,
      isMeshInternal: true, selector: LabelSelector(matchLabels: ["app": "a"]),
      targetPorts: [80: 8080], origins: [])
    let byAddress = Service(
      hostname: "b.example.com", namespace: "other",
      ports: [.init(number: 443, name: "tls", portProtocol: .tls)], resolution: .static,
      isMeshInternal: true, endpoints: [.init(address: "10.0.0.7", ports: [443: 8443])], origins: []
    )
    let mesh = MeshSnapshot(revision: 1, services: [byLabel, byAddress])
    #expect(
      mesh.classifier.proxyClass(of: proxy).instances == [
        .init(
          hostname: "a.ns.svc.cluster.local", namespace: "ns", servicePort: 80, targetPort: 8080,
          portProtocol: .http),
        .init(
          hostname: "b.example.com", namespace: "other", servicePort: 443, targetPort: 8443,
          portProtocol: .tls),
      ])
  }
}
