// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import Manifests
import MeshModel
import Testing

@Suite struct SnapshotBuilderTests {
  private func build(_ text: String) -> MeshSnapshot {
    let reading = ManifestReader().read(text: text, file: "f")
    #expect(!reading.hasErrors, "\(reading.problems)")
    // The order of the objects may not matter.
    return SnapshotBuilder.build(reading.objects.reversed(), revision: 7)
  }

  private func origin(_ kind: ObjectKind, _ name: String) -> Origin {
    Origin(object: ObjectRef(kind: kind, namespace: "default", name: name), generation: 1)
  }

  @Test(arguments: [
    (0, "the certificate is not valid before 2026-11-"), (1_800_000_000, nil),
    (5_000_000_000, "the certificate expired at 2126-"),
  ])
  func `certificates that are not valid now are told`(_ now: Int64, _ reason: String?) throws {
    let text = """
      apiVersion: v1
      kind: Secret
      metadata: {name: a}
      stringData: {key: "\(TestKeyPair.key)", cert: "\(TestKeyPair.certificate)"}
      """
    let reading = ManifestReader().read(text: text, file: "f")
    let mesh = SnapshotBuilder.build(reading.objects, revision: 7, now: now)
    #expect(mesh.problems.count == (reason == nil ? 0 : 1))
    if let reason {
      let problem = try #require(mesh.problems.first)
      #expect(problem.severity == .warning && problem.reason.hasPrefix(reason), "\(problem)")
      #expect(problem.path == FieldPath("stringData", "cert"))
    }
    #expect(SnapshotBuilder.build(reading.objects, revision: 7).problems.isEmpty)
  }

  @Test func `Kubernetes services find their endpoints by port name`() {
    let mesh = build(
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web, annotations: {networking.istio.io/exportTo: "., other"}}
      spec:
        selector: {app: web}
        clusterIP: 10.0.0.1
        ports:
        - {name: http, port: 80, targetPort: web}
        - {name: admin, port: 81, targetPort: 9000}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
      addressType: IPv4
      endpoints:
      - {addresses: [10.1.0.1], zone: a}
      - {addresses: [10.1.0.2], conditions: {ready: false}}
      ports: [{name: http, port: 8080}]
      ---
      apiVersion: v1
      kind: Endpoints
      metadata: {name: web}
      subsets: [{addresses: [{ip: 10.9.9.9}], ports: [{name: http, port: 1}]}]
      """)
    let expected = Service(
      hostname: "web.default.svc.cluster.local", namespace: "default", addresses: ["10.0.0.1"],
      ports: [
        .init(number: 80, name: "http", portProtocol: .http),
        .init(number: 81, name: "admin", portProtocol: .unspecified),
      ], resolution: .static, isMeshInternal: true, exportTo: [".", "other"],
      endpoints: [
        .init(address: "10.1.0.1", ports: [80: 8080], locality: "/a"),
        .init(address: "10.1.0.2", ports: [80: 8080], isHealthy: false),
      ], selector: LabelSelector(matchLabels: ["app": "web"]), targetPorts: [80: 8080, 81: 9000],
      origins: [origin(.service, "web"), origin(.endpointSlice, "web-1")])
    #expect(mesh.services == [expected])
    #expect(mesh.problems == [])
    #expect(mesh.revision == 7)
  }

  @Test func `headless and external services, and Endpoints without slices`() {
    let mesh = build(
      """
      {apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, ports: [{port: 5432}]}}
      ---
      apiVersion: v1
      kind: Endpoints
      metadata: {name: db}
      subsets:
      - {addresses: [{ip: 10.1.0.1}], notReadyAddresses: [{ip: 10.1.0.2}], ports: [{port: 5432}]}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: ext}
      spec: {type: ExternalName, externalName: a.example.com, ports: [{port: 80, targetPort: 8080}]}
      """)
    let database = Service(
      hostname: "db.default.svc.cluster.local", namespace: "default",
      ports: [.init(number: 5432, name: "", portProtocol: .unspecified)], resolution: .none,
      isMeshInternal: true,
      endpoints: [
        .init(address: "10.1.0.1", ports: [5432: 5432]),
        .init(address: "10.1.0.2", ports: [5432: 5432], isHealthy: false),
      ], targetPorts: [5432: 5432],
      origins: [origin(.service, "db"), origin(.endpoints, "db")])
    let external = Service(
      hostname: "ext.default.svc.cluster.local", namespace: "default",
      ports: [.init(number: 80, name: "", portProtocol: .unspecified)], resolution: .dns,
      isMeshInternal: false, endpoints: [.init(address: "a.example.com", ports: [80: 8080])],
      targetPorts: [80: 8080], origins: [origin(.service, "ext")])
    #expect(mesh.services == [database, external])
    #expect(mesh.problems == [])
  }

  @Test func `a ServiceEntry is a service for each host`() {
    let mesh = build(
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: a}
      spec:
        hosts: [a.example.com, b.example.com]
        ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
        resolution: DNS
      """)
    func service(_ host: String) -> Service {
      Service(
        hostname: host, namespace: "default",
        ports: [.init(number: 80, name: "http", portProtocol: .http)], resolution: .dns,
        isMeshInternal: false, endpoints: [.init(address: host, ports: [80: 8080])],
        targetPorts: [80: 8080], origins: [origin(.serviceEntry, "a")])
    }
    #expect(mesh.services == [service("a.example.com"), service("b.example.com")])
  }

  @Test func `entries for other ports of a host are joined, for the same port they conflict`() {
    func entry(_ name: String, _ port: Int) -> String {
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: \(name)}
      spec:
        hosts: [a.example.com]
        ports: [{number: \(port), name: p\(port), protocol: HTTP}]
        resolution: STATIC
        endpoints: [{address: 10.0.0.\(port)}]

      """
    }
    let mesh = build([entry("a", 80), entry("b", 81), entry("c", 80)].joined(separator: "---\n"))
    #expect(
      mesh.services.map(\.ports) == [
        [80, 81].map {
          .init(number: $0, name: "p\($0)", portProtocol: .http)
        }
      ])
    #expect(mesh.services.first?.endpoints.map(\.ports) == [[80: 80], [81: 81]])
    #expect(
      mesh.problems.map(\.description) == [
        "ServiceEntry default/c: spec.hosts[0]: a.example.com is already declared by ServiceEntry "
          + "default/a, which stays in force (f:23)"
      ])
  }

  @Test func `references that lead nowhere are warnings with a place`() {
    let mesh = build(
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: a, namespace: web}
      spec:
        hosts: [a.example.com]
        gateways: [mesh, gw, infra/gw, infra/none]
        http:
        - route:
          - {destination: {host: reviews}, weight: 1}
          - {destination: {host: x.wild.example.com, port: {number: 80}}, weight: 1}
          - destination: {host: x.wild.example.com, port: {number: 81}}
            weight: 1
          - {destination: {host: private.example.com}, weight: 1}
      ---
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: gw, namespace: infra}
      spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: wild}
      spec: {hosts: ["*.wild.example.com"], ports: [{number: 80, name: http}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: private}
      spec: {hosts: [private.example.com], ports: [{number: 80, name: http}], exportTo: [.]}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: orphan, labels: {kubernetes.io/service-name: gone}}
      addressType: IPv4
      """)
    #expect(
      mesh.problems.map(\.description) == [
        "VirtualService web/a: spec.gateways[1]: there is no Gateway web/gw (f:6)",
        "VirtualService web/a: spec.gateways[3]: there is no Gateway infra/none (f:6)",
        "VirtualService web/a: spec.http[0].route[0].destination.host: there is no service "
          + "reviews.web.svc.cluster.local (f:9)",
        "VirtualService web/a: spec.http[0].route[2].destination.port.number: x.wild.example.com "
          + "has no port 81, but 80 (f:11)",
        "VirtualService web/a: spec.http[0].route[3].destination.host: the service "
          + "private.example.com is not exported to namespace web (f:13)",
        "EndpointSlice default/orphan: metadata.labels[\"kubernetes.io/service-name\"]: there is "
          + "no Service default/gone (f:32)",
      ])
    #expect(mesh.problems.allSatisfy { $0.severity == .warning && $0.code == .notFound })
  }

  @Test func `mesh configurations merge, the later overrides what it sets`() {
    let mesh = build(
      """
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      metadata: {name: a, creationTimestamp: "2026-01-01T00:00:00Z"}
      spec:
        meshConfig:
          rootNamespace: one
          accessLogFile: /one
          defaultConfig: {proxyMetadata: {A: "1", B: "1"}, concurrency: 1}
          extensionProviders:
          - {name: x, wasm: {url: oci://one}}
          - {name: y, wasm: {url: oci://one}}
      ---
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      metadata: {name: 0, creationTimestamp: "2026-01-02T00:00:00Z"}
      spec:
        meshConfig:
          access_log_file: /two
          defaultConfig: {proxyMetadata: {B: "2"}}
          extensionProviders: [{name: x, wasm: {url: oci://two}}]
      """.replacing("name: 0", with: "name: \"0\""))
    var expected = MeshConfig()
    expected.rootNamespace = "one"
    expected.accessLogFile = "/two"
    expected.defaultConfig.proxyMetadata = ["A": "1", "B": "2"]
    expected.defaultConfig.concurrency = 1
    expected.written = ["rootNamespace", "accessLogFile", "extensionProviders", "defaultConfig"]
    expected.extensionProviders = [("x", "two", "0", 0), ("y", "one", "a", 1)].map {
      name, image, object, index in
      let module = WasmModule(url: "oci://\(image)", source: .oci(reference: image))
      let version = "\(ContentHash(of: #"{"url":"oci://\#(image)"}"#.utf8))"
      var provider = MeshConfig.ExtensionProvider(
        name: name,
        provider: .wasm(
          .init(module: module, phase: .unspecified, priority: nil, version: version)),
        index: index)
      provider.origin = Origin(
        object: ObjectRef(kind: .istioOperator, namespace: "default", name: object), generation: 1,
        path: FieldPath("spec", "meshConfig", "extensionProviders")[index])
      return provider
    }
    #expect(mesh.meshConfig == expected)
    #expect(
      mesh.problems.map(\.description) == [
        "IstioOperator default/0: spec.meshConfig: overrides the mesh configuration of "
          + "IstioOperator default/a, field by field (f:17)"
      ])
  }
}
