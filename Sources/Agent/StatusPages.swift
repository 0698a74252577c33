// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
package import Hummingbird
import JSON
import MeshModel
package import NIOCore
package import Prometheus
import Serving
import Synchronization
package import WasmModules

/// What the agent answers over HTTP: Istio's paths, and the modules for people.
package struct StatusPages: Sendable {
  /// Knows who asks.
  package struct Context: RequestContext, RemoteAddressRequestContext {
    package var coreContext: CoreRequestContextStorage
    package let remoteAddress: SocketAddress?

    package init(source: ApplicationRequestContextSource) {
      coreContext = .init(source: source)
      remoteAddress = source.channel.remoteAddress
    }
  }

  /// The state of the other parts.
  package struct Sources: Sendable {
    /// Whether the control plane has answered, ever.
    package var wasServed: @Sendable () -> Bool
    package var modules: @Sendable () -> [ModuleStatus]
    package var holdings: @Sendable () -> [ModuleLibrary.Holding]
    package var admin: EnvoyAdmin
    /// Whether Envoy is the agent's own, so that its readiness counts.
    package var ownsEnvoy: Bool
    /// Ends the agent as SIGTERM does.
    package var quit: @Sendable () -> Void

    package init(
      wasServed: @escaping @Sendable () -> Bool,
      modules: @escaping @Sendable () -> [ModuleStatus],
      holdings: @escaping @Sendable () -> [ModuleLibrary.Holding], admin: EnvoyAdmin,
      ownsEnvoy: Bool, quit: @escaping @Sendable () -> Void
    ) {
      self.wasServed = wasServed
      self.modules = modules
      self.holdings = holdings
      self.admin = admin
      self.ownsEnvoy = ownsEnvoy
      self.quit = quit
    }
  }

  private let sources: Sources
  private let registry: MetricRegistry
  private let scrapes: Counter
  private let scrapeFailures: Counter
  private let startup: Gauge
  private let readiness = Readiness()

  /// Since when the agent runs, and whether it was told that it is ready.
  private final class Readiness: Sendable {
    let isTold = Mutex(false)
    let start = ContinuousClock.now
  }

  package init(_ sources: Sources, registry: MetricRegistry) {
    self.sources = sources
    self.registry = registry
    scrapes = registry.counter("istio_agent_scrapes_total", help: "Scrapes of the agent.")
    scrapeFailures = registry.counter(
      "istio_agent_scrape_failures_total", help: "Parts that a scrape could not have.",
      labels: ["type"])
    startup = registry.gauge(
      "istio_agent_startup_duration_seconds", help: "From the agent's start until it was ready.")
  }

  /// What is answered under which path.
  package func router() -> Router<Context> {
    let router = Router(context: Context.self)
    router.get("healthz/ready") { _, _ in await ready() }
    router.get("healthz/live") { _, _ in Response.text("live\n") }
    router.get("stats/prometheus") { _, _ in await statistics() }
    router.post("quitquitquit") { _, context in quit(context.remoteAddress) }
    router.get("debug/wasmz") { _, _ in
      Response.text(modules().text(pretty: true) + "\n", contentType: "application/json")
    }
    return router
  }

  /// Ready once the control plane has answered: from then on Envoy serves what it has, also when
  /// the control plane goes away.
  private func ready() async -> Response {
    guard sources.wasServed() else {
      return Self.unavailable("no answer of the control plane yet\n")
    }
    if sources.ownsEnvoy, await !sources.admin.isLive() {
      return Self.unavailable("Envoy is not live\n")
    }
    let isFirst = readiness.isTold.withLock { isTold in
      defer { isTold = true }
      return !isTold
    }
    if isFirst { startup.set(readiness.start.duration(to: .now) / .seconds(1)) }
    return .text("ready\n")
  }

  /// The agent's own metrics, then Envoy's as they come.
  private func statistics() async -> Response {
    scrapes.increment()
    let own = ByteBuffer(string: registry.exposition())
    let headers: HTTPFields = [.contentType: "text/plain; version=0.0.4; charset=utf-8"]
    guard let envoy = try? await sources.admin.statistics() else {
      scrapeFailures.increment(by: 1, "envoy")
      return Response(status: .ok, headers: headers, body: .init(byteBuffer: own))
    }
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        try await writer.write(own)
        do {
          for try await part in envoy { try await writer.write(part) }
        } catch {
          scrapeFailures.increment(by: 1, "envoy")
        }
        try await writer.finish(nil)
      })
  }

  /// As in Istio: for a job's container that is done, and for nobody outside.
  private func quit(_ client: SocketAddress?) -> Response {
    guard let client, client.isLoopback else {
      return .text("only from this machine\n", status: .forbidden)
    }
    sources.quit()
    return .text("OK")
  }

  private func modules() -> JSONValue {
    [
      "served": .bool(sources.wasServed()), "modules": .array(sources.modules().map(\.json)),
      "cache": .array(sources.holdings().map(\.json)),
    ]
  }

  private static func unavailable(_ reason: String) -> Response {
    .text(reason, status: .serviceUnavailable)
  }
}

extension SocketAddress {
  fileprivate var isLoopback: Bool {
    guard let ip = ipAddress else { return false }
    return ip == "::1" || ip.hasPrefix("127.") || ip.hasPrefix("::ffff:127.")
  }
}

extension ModuleStatus {
  fileprivate var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("plugin", .string(key.plugin)), ("url", .string(key.url)),
      ("type", .string(key.typeURL.rawValue)), ("resource", .string(key.resource)),
      ("resource_version", .string("\(resourceVersion)")), ("phase", .string(phase.rawValue)),
      ("refused", .bool(isRefused)), ("attempts", .integer(attempts)),
    ]
    if let sha256 { members.append(("sha256", .string(sha256))) }
    if let error { members.append(("error", .string(error))) }
    if let substitute { members.append(("substitute", .string(substitute))) }
    if let nextAttempt {
      let seconds = max(.zero, ContinuousClock.now.duration(to: nextAttempt)).components.seconds
      members.append(("next_attempt_in", .string("\(seconds)s")))
    }
    return .object(pairs: members)
  }
}

extension ModuleLibrary.Holding {
  fileprivate var json: JSONValue {
    [
      "path": .string(path), "bytes": .integer(bytes), "last_use": .integer(lastUse),
      "checked": .bool(isChecked), "users": .array(users.map(JSONValue.string)),
      "plugins": .array(plugins.map(JSONValue.string)),
    ]
  }
}
