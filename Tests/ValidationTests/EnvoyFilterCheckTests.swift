// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Manifests
import MeshModel
import Testing
import Validation

/// One rule in each test: the patches of an object as a user writes them, and all that is said.
@Suite struct EnvoyFilterCheckTests {
  private static let manager = "name: envoy.filters.network.http_connection_manager"
  private static let lua = "\"@type\": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"

  private func read(_ patches: String...) -> ManifestReading {
    let text = """
      apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata: {name: x, namespace: default}
      spec:
        configPatches:
      \(patches.map { "  - {\($0)}" }.joined(separator: "\n"))
      """
    return ManifestReader(checkingAgainst: EnvoyTypes.pool).read(text: text, file: "f")
  }

  /// `error path below spec.configPatches: reason`, without what every error ends with.
  private func problems(_ patches: String...) -> [String] {
    let reading = patches.count == 1 ? read(patches[0]) : read(patches[0], patches[1])
    return reading.problems.map { problem in
      let path = "\(problem.path)".replacing("spec.configPatches", with: "")
      return "\(problem.severity) \(path): \(problem.reason)"
        .replacing("; the patch is skipped", with: "")
    }
  }

  private func http(_ operation: String, _ value: String?, at name: String? = nil) -> String {
    let filter = Self.manager + (name.map { ", subFilter: {name: \($0)}" } ?? "")
    return "applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {\(filter)}}}}, "
      + "patch: {operation: \(operation)" + (value.map { ", value: {\($0)}" } ?? "") + "}"
  }

  private func insert(_ value: String) -> String {
    http("INSERT_BEFORE", value, at: "envoy.filters.http.router")
  }

  @Test func `a patch with an error is left out, and the others of its object count`() throws {
    let reading = read(
      insert("name: a, typed_config: {\(Self.lua)}"),
      insert("name: b, typed_config: {\(Self.lua), default_source_code: 1}"),
      insert("name: c, typed_config: {\(Self.lua)}"))
    #expect(
      reading.problems.map(\.description) == [
        "EnvoyFilter default/x: spec.configPatches[1].patch.value.typed_config.default_source_code: "
          + "expected an object, found a number; the patch is skipped (f:7)"
      ])
    let object = try #require(reading.objects.first)
    guard case .envoyFilter(let filter) = object.value else {
      Issue.record("expected an EnvoyFilter")
      return
    }
    #expect(filter.configPatches.map(\.index) == [0, 2])
    #expect(reading.refused == [])
  }

  @Test func `a refused object is checked too, and nothing is told twice`() {
    let reading = read(
      "applyTo: EXTENSION_CONFIG, patch: {operation: ADD, value: {typed_config: {\(Self.lua)}}}",
      insert("name: b, typed_config: {\(Self.lua), default_source_code: 1}"))
    #expect(reading.objects.isEmpty)
    #expect(
      reading.problems.map { "\($0.path): \($0.reason)" } == [
        "spec.configPatches[0].patch.value.name: is required: proxies ask for an extension "
          + "configuration by its name",
        "spec.configPatches[1].patch.value.typed_config.default_source_code: expected an object, "
          + "found a number; the patch is skipped",
      ])
  }

  @Test func `a type of Envoy's v2 API is named with what came after it`() {
    let type = "type.googleapis.com/envoy.config.filter.http.rate_limit.v2.RateLimit"
    #expect(
      problems(insert("name: a, typed_config: {\"@type\": \(type), domain: d}")) == [
        "error [0].patch.value.typed_config.@type: "
          + "envoy.config.filter.http.rate_limit.v2.RateLimit is of Envoy's v2 API, which Envoy no "
          + "longer has; write type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit"
      ])
  }

  @Test func `a v2 type in a TypedStruct is named as well`() {
    let outer = "\"@type\": type.googleapis.com/udpa.type.v1.TypedStruct"
    let inner = "type.googleapis.com/envoy.config.filter.http.lua.v2.Lua"
    #expect(
      problems(insert("name: a, typed_config: {\(outer), type_url: \(inner), value: {}}")) == [
        "error [0].patch.value.typed_config.type_url: envoy.config.filter.http.lua.v2.Lua is of "
          + "Envoy's v2 API, which Envoy no longer has; "
          + "write type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
      ])
  }

  @Test func `a type of Istio's own build needs a TypedStruct, and such a proxy`() {
    let type = "type.googleapis.com/stats.PluginConfig"
    #expect(
      problems(insert("name: a, typed_config: {\"@type\": \(type)}")) == [
        "error [0].patch.value.typed_config.@type: unknown type \"\(type)\"; a type beyond the Envoy "
          + "API is written as type.googleapis.com/xds.type.v3.TypedStruct with type_url and value"
      ])
    let outer = "\"@type\": type.googleapis.com/udpa.type.v1.TypedStruct"
    #expect(
      problems(insert("name: a, typed_config: {\(outer), type_url: \(type), value: {x: 1}}")) == [
        "warning [0].patch.value.typed_config.type_url: \"\(type)\" is not of the Envoy API, so its "
          + "content is not checked, and only a proxy that was built with it accepts it"
      ])
  }

  @Test func `a TypedStruct is checked as the type that it names`() {
    let outer = "\"@type\": type.googleapis.com/xds.type.v3.TypedStruct"
    let router =
      "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
    let value = "value: {stat_prefix: a, token_bucket: {max_tokens: 0, fill_interval: 1s}, oops: 1}"
    #expect(
      problems(insert("name: a, typed_config: {\(outer), type_url: \(router), \(value)}")) == [
        "warning [0].patch.value.typed_config.value.oops: unknown field \"oops\" of "
          + "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit; it is left out",
        "error [0].patch.value.typed_config.value.token_bucket.max_tokens: "
          + "expected more than 0, found 0",
      ])
  }

  @Test func `of a MERGE only what it sets is checked, but list elements are whole`() {
    let match = "match: {cluster: {service: a.b}}"
    func patch(_ value: String) -> String {
      "applyTo: CLUSTER, \(match), patch: {operation: MERGE, value: {\(value)}}"
    }
    #expect(problems(patch("connect_timeout: 1s")) == [])
    #expect(
      problems(patch("connect_timeout: 0s, health_checks: [{timeout: 1s}]")) == [
        "error [0].patch.value.connect_timeout: expected more than 0s, found 0s",
        "error [0].patch.value.health_checks[0]: expected one of http_health_check, "
          + "tcp_health_check, grpc_health_check, custom_health_check, found none",
        "error [0].patch.value.health_checks[0].interval: expected a value, found none",
        "error [0].patch.value.health_checks[0].unhealthy_threshold: expected a value, found none",
        "error [0].patch.value.health_checks[0].healthy_threshold: expected a value, found none",
      ])
  }

  @Test func `a remote Wasm module may lack what an agent makes needless`() {
    let wasm = "\"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
    let remote = "remote: {http_uri: {uri: 'https://a/b.wasm', cluster: c, timeout: 1s}}"
    let config = "config: {vm_config: {runtime: envoy.wasm.runtime.v8, code: {\(remote)}}}"
    #expect(
      problems(insert("name: a, typed_config: {\(wasm), \(config)}")) == [
        "warning [0].patch.value.typed_config.config.vm_config.code.remote.sha256: expected at least "
          + "1 character, found 0; without a checksum the module needs skiff-agent beside the proxy"
      ])
  }

  @Test func `deprecated fields are told, and errors where Envoy refuses them`() {
    func patch(_ value: String) -> String {
      "applyTo: HTTP_ROUTE, patch: {operation: INSERT_FIRST, value: {\(value)}}"
    }
    let route = "match: {prefix: /}, direct_response: {status: 200}"
    let limit =
      "rate_limits: [{actions: [{dynamic_metadata: {descriptor_key: k, "
      + "metadata_key: {key: a, path: [{key: b}]}}}]}]"
    let host = "name: a, domains: [b], routes: [{\(route)}], \(limit)"
    #expect(
      problems("applyTo: VIRTUAL_HOST, patch: {operation: ADD, value: {\(host)}}")
        == [
          "error [0].patch.value.rate_limits[0].actions[0].dynamic_metadata: is deprecated, and Envoy "
            + "refuses it"
        ])
    #expect(
      problems(
        patch("\(route), name: a, request_headers_to_add: [{header: {key: a}, append: true}]")
      )
      .filter { $0.contains("deprecated") } == [
        "warning [0].patch.value.request_headers_to_add[0].append: is deprecated in the Envoy API"
      ])
  }

  @Test func `a filter comes after the last one only where the object takes that away`() {
    let added = http("ADD", "name: a, typed_config: {\(Self.lua)}")
    #expect(
      problems(added) == [
        "error [0].patch.operation: ADD puts \"a\" after the router, so Envoy refuses the chain; "
          + "use INSERT_BEFORE with subFilter envoy.filters.http.router"
      ])
    #expect(problems(http("INSERT_AFTER", "name: a, typed_config: {\(Self.lua)}")).count == 1)
    #expect(
      problems(http("INSERT_AFTER", "name: a, typed_config: {\(Self.lua)}", at: "b")) == [])
    let router =
      "name: r, typed_config: {\"@type\": "
      + "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}"
    #expect(
      problems(http("REMOVE", nil, at: "envoy.filters.http.router"), http("ADD", router)) == [])
    #expect(
      problems(http("ADD", router)) == [
        "error [0].patch.operation: envoy.extensions.filters.http.router.v3.Router ends its chain, "
          + "and ADD leaves the router beside it, so Envoy refuses the chain; use REPLACE for the "
          + "router"
      ])
    #expect(
      problems(http("REMOVE", nil, at: "envoy.filters.http.router")) == [
        "error [0].patch.operation: without the router nothing ends the chain, so Envoy refuses it; "
          + "use REPLACE, or ADD another filter that ends it"
      ])
  }

  @Test func `an optional filter may be unknown, but not put anywhere`() {
    #expect(problems(insert("name: a, is_optional: true")) == [])
    #expect(problems(http("ADD", "name: a, is_optional: true")).count == 1)
  }

  @Test func `the types of a discovered filter are those of such a filter`() {
    func discovery(_ type: String) -> String {
      "name: a, config_discovery: {config_source: {ads: {}}, "
        + "type_urls: [type.googleapis.com/\(type)]}"
    }
    #expect(problems(insert(discovery("envoy.extensions.filters.http.wasm.v3.Wasm"))) == [])
    #expect(
      problems(insert(discovery("envoy.extensions.filters.network.wasm.v3.Wasm"))) == [
        "error [0].patch.value.config_discovery.type_urls[0]: "
          + "envoy.extensions.filters.network.wasm.v3.Wasm is not the configuration of an HTTP filter"
      ])
    #expect(
      problems(insert(discovery("envoy.extensions.filters.http.wasm.v3.Wazm"))) == [
        "error [0].patch.value.config_discovery.type_urls[0]: no filter takes "
          + "envoy.extensions.filters.http.wasm.v3.Wazm; did you mean "
          + "\"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\"?"
      ])
  }

  @Test func `matches that no proxy has are told`() {
    func listener(_ match: String, context: String = "ANY") -> [String] {
      problems(
        "applyTo: HTTP_FILTER, match: {context: \(context), listener: {\(match)}}, "
          + "patch: {operation: INSERT_FIRST, value: {name: a, typed_config: {\(Self.lua)}}}")
    }
    #expect(
      listener("name: virtualInbound", context: "GATEWAY") == [
        "warning [0].match.listener.name: virtualInbound is a listener of SIDECAR_INBOUND, and "
          + "context is GATEWAY, so nothing matches"
      ])
    #expect(
      listener("portNumber: 65536, filterChain: {destinationPort: 70000}") == [
        "warning [0].match.listener.portNumber: expected a port up to 65535, found 65536, so nothing "
          + "matches",
        "warning [0].match.listener.filterChain.destinationPort: expected a port up to 65535, found "
          + "70000, so nothing matches",
      ])
    #expect(
      listener("filterChain: {transportProtocol: https}") == [
        "warning [0].match.listener.filterChain.transportProtocol: expected tls or raw_buffer, found "
          + "\"https\", so nothing matches"
      ])
    #expect(
      listener("filterChain: {filter: {name: envoy.filters.network.http_connection_manger}}") == [
        "warning [0].match.listener.filterChain.filter.name: no filter of Envoy is called "
          + "\"envoy.filters.network.http_connection_manger\"; did you mean "
          + "\"envoy.filters.network.http_connection_manager\"?"
      ])
  }

  @Test func `a name of the user's own is no misspelt one`() {
    let first = insert("name: envoy.filters.http.lua2, typed_config: {\(Self.lua)}")
    let second = http(
      "INSERT_AFTER", "name: b, typed_config: {\(Self.lua)}", at: "envoy.filters.http.lua2")
    #expect(problems(first, second) == [])
    #expect(
      problems(http("INSERT_AFTER", "name: b, typed_config: {\(Self.lua)}", at: "my.own.lua")) == []
    )
  }

  @Test func `a filter that is removed in between may come again`() {
    let a = insert("name: a, typed_config: {\(Self.lua)}")
    #expect(
      problems(a, a) == [
        "warning [1].patch.value.name: \"a\" is inserted by spec.configPatches[0] too, so it "
          + "runs twice; remove one of them"
      ])
    #expect(read(a, http("REMOVE", nil, at: "a"), a).problems == [])
  }

  @Test func `what translation says of a patch for every proxy is said when it is read`() {
    let value = "value: {name: a, typed_config: {\(Self.lua)}}"
    let match = "match: {listener: {filterChain: {filter: {name: envoy.http_connection_manager}}}}"
    #expect(
      problems(
        "applyTo: HTTP_FILTER, \(match), "
          + "patch: {operation: INSERT_FIRST, filterClass: AUTHN, \(value)}") == [
          "warning [0].patch.filterClass: filterClass has no effect, as in Istio; INSERT_BEFORE and "
            + "INSERT_AFTER place a filter",
          "warning [0].match.listener.filterChain.filter.name: \"envoy.http_connection_manager\" is "
            + "the name of Envoy before 1.14; it is read as "
            + "\"envoy.filters.network.http_connection_manager\"",
        ])
  }

  @Test func `a match of an extension configuration does not count`() {
    let value = "value: {name: a, typed_config: {\(Self.lua)}}"
    #expect(
      problems(
        "applyTo: EXTENSION_CONFIG, match: {listener: {portNumber: 80}}, "
          + "patch: {operation: ADD, \(value)}") == [
          "warning [0].match: an extension configuration is served to every proxy that asks for its "
            + "name; of the match only proxy counts"
        ])
  }
}
