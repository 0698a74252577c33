// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import Manifests
import MeshModel
import Testing

@Suite struct DecodeTests {
  /// The only object of a text that must be sound.
  private func decode(
    _ text: String, warnings: Int = 0
  ) throws -> DecodedObject {
    let reading = ManifestReader().read(text: text, file: "in.yaml")
    #expect(!reading.hasErrors && reading.problems.count == warnings, "\(reading.problems)")
    return try #require(reading.objects.first)
  }

  private func fixture(_ name: String) throws -> String {
    try String(
      contentsOf: GoldenCase.fixtures.appending(path: "\(name)/in.yaml"), encoding: .utf8)
  }

  @Test func `every field of a WasmPlugin arrives`() throws {
    let object = try decode(fixture("WasmPlugin/every-field"))
    let meta = ObjectMeta(
      name: "everything", namespace: "web", labels: ["team": "edge"], annotations: ["note": "hi"])
    var module = WasmModule(
      url: "oci://registry.example.com:5000/filters/auth:1.2",
      source: .oci(reference: "registry.example.com:5000/filters/auth:1.2"))
    var placement = PluginPlacement()
    placement.selector = LabelSelector(matchLabels: ["app": "web"])
    module.sha256 = String(repeating: "0123456789abcdef", count: 4)
    module.imagePullPolicy = .always
    module.imagePullSecret = "registry"
    module.pluginConfig = [
      "big": .integer(UInt64(12_345_678_901_234_567_890)), "list": [1.5, true, nil], "text": "no",
    ]
    module.pluginName = "auth"
    placement.phase = .authz
    module.failStrategy = .failOpen
    placement.priority = -3
    module.env = [
      .init(name: "MODE", source: .inline(value: "strict")), .init(name: "HOSTNAME", source: .host),
    ]
    placement.match = [.init(mode: .server, ports: [8080, 9090]), .init(mode: .client)]
    module.type = .http
    var plugin = WasmPlugin(meta: meta, module: module)
    plugin.placement = placement
    #expect(object.value == .wasmPlugin(plugin))
    #expect(object.apiVersion == "extensions.istio.io/v1alpha1")
    #expect(object.ref == ObjectRef(kind: .wasmPlugin, namespace: "web", name: "everything"))
    #expect(object.source.location(of: FieldPath("spec", "pluginConfig", "text"))?.line == 11)
    #expect(object.source.location(of: FieldPath("spec", "match")[1]["mode"])?.line == 22)
  }

  @Test(arguments: [
    ("file:///a/b.wasm", ModuleSource.file(path: "/a/b.wasm")),
    ("https://example.com/x.wasm", .http(url: "https://example.com/x.wasm")),
    ("oci://example.com/x@sha256:1", .oci(reference: "example.com/x@sha256:1")),
    ("example.com/x", .oci(reference: "example.com/x")),
    ("localhost:5000/x:1", .oci(reference: "localhost:5000/x:1")),
  ])
  func `a URL leads to its source`(_ url: String, _ source: ModuleSource) throws {
    let object = try decode(
      """
      apiVersion: extensions.istio.io/v1alpha1
      kind: WasmPlugin
      metadata: {name: a}
      spec: {url: "\(url)"}
      """)
    let meta = ObjectMeta(name: "a", namespace: "default")
    #expect(
      object.value
        == .wasmPlugin(WasmPlugin(meta: meta, module: WasmModule(url: url, source: source))))
  }

  @Test func `an EnvoyFilter keeps deprecated names and values as they were written`() throws {
    let object = try decode(fixture("EnvoyFilter/basic-auth"))
    var listener = EnvoyFilter.ListenerMatch()
    listener.portNumber = 8080
    listener.name = "0.0.0.0_8080"
    var chain = EnvoyFilter.ListenerMatch.FilterChainMatch()
    chain.sni = "a.example.com"
    chain.filter = .init(name: "envoy.http_connection_manager", subFilter: "envoy.router")
    listener.filterChain = chain
    let expected = EnvoyFilter(
      meta: ObjectMeta(name: "basic-auth", namespace: "istio-system"),
      workloadSelector: LabelSelector(matchLabels: ["istio": "ingressgateway"]), priority: 5,
      configPatches: [
        .init(
          index: 0, applyTo: .httpFilter, context: .gateway,
          proxy: .init(proxyVersion: #"^1\.11.*"#, metadata: ["TEAM": "edge"]),
          match: .listener(listener), operation: .insertBefore, filterClass: .authn,
          value: ["name": "istio.basic_auth", "config_discovery": ["type_urls": ["x"]]]),
        .init(
          index: 1, applyTo: .extensionConfig, context: .gateway, operation: .add,
          value: ["name": "istio.basic_auth", "typed_config": ["@type": "t"]]),
      ])
    #expect(object.value == .envoyFilter(expected))
  }

  @Test func `a Gateway's hosts and servers arrive`() throws {
    let object = try decode(fixture("Gateway/warnings"), warnings: 2)
    var terminating = Gateway.TLSSettings()
    terminating.mode = .simple
    terminating.certificates = .credentials(["cert"])
    var redirecting = Gateway.TLSSettings()
    redirecting.httpsRedirect = true
    let expected = Gateway(
      meta: ObjectMeta(name: "tls", namespace: "default"),
      selector: LabelSelector(matchLabels: ["istio": "gateway"]),
      servers: [
        .init(
          index: 0, port: 443, portName: "https", portProtocol: .https,
          hosts: [
            .init(namespace: .own, dnsName: "a.example.com"),
            .init(namespace: .any, dnsName: "b.example.com"),
            .init(namespace: .named("web"), dnsName: "c.example.com"),
            .init(dnsName: "d.example.com"),
          ], tls: terminating),
        .init(
          index: 1, port: 80, portName: "http", portProtocol: .http, hosts: [.init(dnsName: "*")],
          tls: redirecting),
      ])
    #expect(object.value == .gateway(expected))
  }

  @Test func `a VirtualService's routes arrive`() throws {
    let object = try decode(
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: a, namespace: web, creationTimestamp: "2026-08-22T10:00:00.5+02:00"}
      spec:
        hosts: [a.example.com, "*.b.example.com"]
        gateways: [mesh, infra/gw]
        exportTo: [.]
        http:
        - name: first
          match:
          - name: m
            uri: {prefix: /api}
            ignoreUriCase: true
            method: {exact: GET}
            authority: {regex: ".*[.]com"}
            scheme: {exact: https}
            headers: {x-a: {exact: b}, x-present: {}}
            port: 8080
            gateways: [mesh]
          route:
          - {destination: {host: a, port: {number: 80}}, weight: 90}
          - destination: {host: b}
            weight: 10
            headers: {response: {remove: [x]}}
          rewrite: {uri: /v2, authority: b}
          timeout: 1m1.5s
          headers: {request: {set: {a: b}, add: {c: d}}}
        - redirect: {uri: /x, authority: c, scheme: https, port: 8443, redirectCode: 308}
        - direct_response: {status: 418, body: {bytes: dGVh}}
        - directResponse: {status: 200, body: {string: hi}}
      """, warnings: 2)
    var match = VirtualService.HTTPMatch()
    match.name = "m"
    match.uri = .prefix("/api")
    match.ignoreURICase = true
    match.method = .exact("GET")
    match.authority = .regex(".*[.]com")
    match.scheme = .exact("https")
    match.headers = ["x-a": .exact("b"), "x-present": nil]
    match.port = 8080
    match.gateways = ["mesh"]
    var second = VirtualService.Headers()
    second.response.remove = ["x"]
    var first = VirtualService.HTTPRoute(
      index: 0,
      action: .route([
        .init(destination: .init(host: "a", port: 80), weight: 90),
        .init(destination: .init(host: "b"), weight: 10, headers: second),
      ]))
    first.name = "first"
    first.matches = [match]
    first.rewrite = .init(path: .prefix("/v2"), authority: "b")
    first.timeout = .milliseconds(61_500)
    first.headers.request.set = ["a": "b"]
    first.headers.request.add = ["c": "d"]
    var redirect = VirtualService.Redirect()
    (redirect.uri, redirect.authority, redirect.scheme) = ("/x", "c", "https")
    (redirect.port, redirect.code) = (.number(8443), 308)
    let expected = VirtualService(
      meta: ObjectMeta(name: "a", namespace: "web", creationTimestamp: 1_787_385_600),
      hosts: ["a.example.com", "*.b.example.com"], gateways: ["mesh", "infra/gw"], exportTo: ["."],
      http: [
        first, .init(index: 1, action: .redirect(redirect)),
        .init(index: 2, action: .directResponse(.init(status: 418, body: Array("tea".utf8)))),
        .init(index: 3, action: .directResponse(.init(status: 200, body: Array("hi".utf8)))),
      ])
    #expect(object.value == .virtualService(expected))
  }

  @Test func `every policy of a route arrives`() throws {
    let object = try decode(
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: a}
      spec:
        hosts: [a]
        http:
        - match:
          - withoutHeaders: {x-a: {prefix: b}, x-b: {}}
            queryParams: {q: {regex: "[0-9]"}, p: {}}
            sourceLabels: {app: web}
            sourceNamespace: web
            statPrefix: s
          rewrite: {uriRegexRewrite: {match: "/(a)", rewrite: "/b/\\\\1"}}
          retries:
            attempts: 3
            perTryTimeout: 2s
            retryOn: "5xx, 503"
            retryRemoteLocalities: true
            retryIgnorePreviousHosts: false
            backoff: 10ms
          fault:
            delay: {fixedDelay: 5s, percentage: {value: 0.1}}
            abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}
          mirrors:
          - {destination: {host: b}, percentage: {value: 50}}
          - {destination: {host: c}}
          corsPolicy:
            allowOrigins: [{exact: "https://a"}]
            allowMethods: [GET]
            allowHeaders: [x-h]
            exposeHeaders: [x-e]
            maxAge: 1h
            allowCredentials: true
            unmatchedPreflights: IGNORE
          route: [{destination: {host: a}}]
        - delegate: {name: b, namespace: c}
      """)
    var match = VirtualService.HTTPMatch()
    match.withoutHeaders = ["x-a": .prefix("b"), "x-b": nil]
    match.queryParams = ["q": .regex("[0-9]"), "p": nil]
    match.sourceLabels = ["app": "web"]
    match.sourceNamespace = "web"
    match.statPrefix = "s"
    var retries = VirtualService.Retries()
    (retries.attempts, retries.perTryTimeout) = (3, .seconds(2))
    (retries.conditions, retries.statusCodes) = (["5xx"], [503])
    (retries.retryRemoteLocalities, retries.ignoresPreviousHosts) = (true, false)
    retries.backOff = .milliseconds(10)
    var cors = VirtualService.CORSPolicy()
    cors.allowOrigins = [.exact("https://a")]
    (cors.allowMethods, cors.allowHeaders, cors.exposeHeaders) = (["GET"], ["x-h"], ["x-e"])
    (cors.maxAge, cors.allowCredentials) = (.seconds(3600), true)
    cors.forwardsUnmatchedPreflights = false
    var route = VirtualService.HTTPRoute(
      index: 0, action: .route([.init(destination: .init(host: "a"))]))
    route.matches = [match]
    route.rewrite = .init(path: .regex(match: "/(a)", substitution: "/b/\\1"))
    route.retries = retries
    route.fault = .init(
      delay: .init(duration: .seconds(5), fraction: .init(millionths: 1000)),
      abort: .init(status: .grpc(14), fraction: .all))
    let mirrors = FieldPath("mirrors")
    route.mirrors = [
      .init(
        destination: .init(host: "b"), fraction: .init(millionths: 500_000),
        path: mirrors[0]["destination"]),
      .init(destination: .init(host: "c"), path: mirrors[1]["destination"]),
    ]
    route.corsPolicy = cors
    let expected = VirtualService(
      meta: ObjectMeta(name: "a", namespace: "default"), hosts: ["a"],
      http: [route, .init(index: 1, action: .delegate(name: "b", namespace: "c"))])
    #expect(object.value == .virtualService(expected))
  }

  @Test func `a ServiceEntry arrives`() throws {
    let object = try decode(
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: a}
      spec:
        hosts: [a.example.com]
        addresses: [10.1.0.0/16, "::1"]
        ports:
        - {number: 80, name: http, protocol: http, targetPort: 8080}
        - {number: 443, name: tls, protocol: TLS}
        location: MESH_INTERNAL
        resolution: STATIC
        endpoints:
        - address: 10.1.1.1
          ports: {http: 8081}
          labels: {a: b}
          locality: r/z
          weight: 3
        - address: unix:///run/a
        exportTo: ["*"]
        subjectAltNames: [x]
      """)
    var first = ServiceEntry.WorkloadEndpoint(address: "10.1.1.1")
    first.ports = ["http": 8081]
    first.labels = ["a": "b"]
    first.locality = "r/z"
    first.weight = 3
    let expected = ServiceEntry(
      meta: ObjectMeta(name: "a", namespace: "default"), hosts: ["a.example.com"],
      addresses: ["10.1.0.0/16", "::1"],
      ports: [
        .init(number: 80, name: "http", portProtocol: .http, targetPort: 8080),
        .init(number: 443, name: "tls", portProtocol: .tls),
      ], isMeshInternal: true, resolution: .static,
      endpoints: [first, .init(address: "unix:///run/a")], exportTo: ["*"], subjectAltNames: ["x"])
    #expect(object.value == .serviceEntry(expected))
  }

  @Test func `Kubernetes services and their endpoints arrive`() throws {
    let text = """
      apiVersion: v1
      kind: List
      items:
      - apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          selector: {app: web}
          clusterIP: 10.0.0.1
          ports:
          - {name: http-web, port: 80, targetPort: web, nodePort: 30080}
          - {name: x, port: 81, appProtocol: kubernetes.io/h2c}
          - {name: grpc-web, port: 82, targetPort: 8082}
          - {name: dns, port: 53, protocol: UDP}
      - apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        endpoints:
        - {addresses: [10.1.0.1], conditions: {ready: true}, zone: a, nodeName: node}
        - {addresses: [10.1.0.2], conditions: {ready: false}}
        - {addresses: [10.1.0.3], conditions: {}}
        ports: [{name: http-web, port: 8080, protocol: TCP}]
      - apiVersion: v1
        kind: Endpoints
        metadata: {name: old}
        subsets:
        - addresses: [{ip: 10.2.0.1}]
          notReadyAddresses: [{ip: 10.2.0.2, targetRef: {kind: Pod}}]
          ports: [{port: 8080}]
      """
    let reading = ManifestReader().read(text: text, file: "in.yaml")
    #expect(reading.problems == [])
    let service = KubernetesService(
      meta: ObjectMeta(name: "web", namespace: "default"), clusterIP: "10.0.0.1",
      selector: LabelSelector(matchLabels: ["app": "web"]),
      ports: [
        .init(number: 80, name: "http-web", portProtocol: .http, targetPort: .name("web")),
        .init(number: 81, name: "x", portProtocol: .http2, targetPort: .number(81)),
        .init(number: 82, name: "grpc-web", portProtocol: .grpcWeb, targetPort: .number(8082)),
        .init(number: 53, name: "dns", portProtocol: .udp, targetPort: .number(53)),
      ])
    let slice = EndpointSlice(
      meta: ObjectMeta(
        name: "web-1", namespace: "default", labels: ["kubernetes.io/service-name": "web"]),
      serviceName: "web", ports: [.init(name: "http-web", number: 8080)],
      addresses: [
        .init(ip: "10.1.0.1", zone: "a"), .init(ip: "10.1.0.2", isReady: false),
        .init(ip: "10.1.0.3"),
      ])
    let endpoints = Endpoints(
      meta: ObjectMeta(name: "old", namespace: "default"),
      subsets: [
        .init(
          ports: [.init(name: "", number: 8080)],
          addresses: [.init(ip: "10.2.0.1"), .init(ip: "10.2.0.2", isReady: false)])
      ])
    #expect(
      reading.objects.map(\.value) == [
        .service(service), .endpointSlice(slice), .endpoints(endpoints),
      ])
  }

  @Test func `the mesh configuration of an IstioOperator arrives, the rest is kept`() throws {
    let object = try decode(fixture("IstioOperator/warnings"), warnings: 5)
    guard case .istioOperator(let istioOperator) = object.value else {
      Issue.record("expected an IstioOperator")
      return
    }
    var expected = MeshConfig()
    expected.rootNamespace = "mesh-root"
    expected.accessLogFile = "/dev/stdout"
    expected.allowsAnyOutbound = false
    expected.connectTimeout = .milliseconds(62_500)
    let module = WasmModule(
      url: "oci://r.example.com/x", source: .oci(reference: "r.example.com/x"))
    let version = "\(ContentHash(of: #"{"url":"oci://r.example.com/x"}"#.utf8))"
    expected.extensionProviders = [
      .init(
        name: "auth",
        provider: .wasm(
          .init(module: module, phase: .unspecified, priority: nil, version: version)), index: 0),
      .init(
        name: "zip", provider: .other(kind: "zipkin", ["service": "z", "port": 9411]), index: 1),
    ]
    expected.written = [
      "rootNamespace", "trustDomain", "accessLogFile", "outboundTrafficPolicy", "connectTimeout",
      "extensionProviders", "defaultConfig",
    ]
    expected.defaultConfig.proxyMetadata = ["A": "b"]
    expected.defaultConfig.concurrency = 2
    #expect(istioOperator.meshConfig == expected)
    #expect(istioOperator.spec["components"] == ["pilot": ["enabled": true]])
  }

  @Test func `the whole object is shown with the metadata that its source made`() throws {
    var object = try decode(
      "{apiVersion: v1, kind: ConfigMap, metadata: {labels: {a: b}, name: x}, data: {k: v}}")
    #expect(object.value == .other)
    object.meta.uid = "u"
    object.meta.resourceVersion = "r"
    object.meta.generation = 3
    #expect(
      "\(object.completeJSON)" == #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","#
        + #""namespace":"default","uid":"u","resourceVersion":"r","generation":3,"#
        + #""creationTimestamp":null,"labels":{"a":"b"}},"data":{"k":"v"}}"#)
    object.meta.creationTimestamp = 1_787_385_600
    #expect(object.completeJSON["metadata"]?["creationTimestamp"] == "2026-08-22T08:00:00Z")
  }
}
