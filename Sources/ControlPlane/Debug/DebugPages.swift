// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import EnvoyAPI
import Hummingbird
import JSON
import Manifests
import MeshModel
import Prometheus
import Serving
import Translation
import XDSServer

/// The HTTP side of `skiffd`: what a person on call, a script or Prometheus asks it.
///
/// Paths and shapes are istiod's where istiod has them, so that habits and tools carry over.
struct DebugPages: Sendable {
  typealias Context = BasicRequestContext

  /// One page: its path below `/debug/`, a sentence of HTML for the index, and its answer.
  struct Page: Sendable {
    var path: String
    var summary: String
    var answer: @Sendable (Request) async throws -> Response
  }

  let ads: ADSServer
  let store: ConfigStore
  let registry: MetricRegistry
  let explainer: Explainer

  func debugRouter() -> Router<Context> {
    let router = Router(context: Context.self)
    let pages = self.pages
    router.get("/") { _, _ in
      Response.text(index(of: pages), contentType: "text/html; charset=utf-8")
    }
    router.get("/debug") { _, _ in
      Response.text(index(of: pages), contentType: "text/html; charset=utf-8")
    }
    router.get("/debug/list") { request, _ in
      Response.json(.array(pages.map { .string($0.path) }), for: request)
    }
    for page in pages {
      router.get(RouterPath("/debug/\(page.path)")) { request, _ in try await page.answer(request) }
    }
    // No page: it needs its parameters, and takes its time.
    router.get("/debug/wait") { request, _ in try await statuses.wait(request) }
    addCommonRoutes(to: router)
    return router
  }

  func monitoringRouter() -> Router<Context> {
    let router = Router(context: Context.self)
    addCommonRoutes(to: router)
    return router
  }

  private var pages: [Page] {
    [
      Page(
        path: "adsz", summary: "Connected proxies with what they have subscribed to [?proxyID=ID]."
      ) {
        .json(ClientPages.adsz(await clients($0)), for: $0)
      },
      Page(
        path: "config_dump", summary: "All that one proxy gets: ?proxyID=ID[&amp;types=lds,ecds]."
      ) {
        try await configDump($0)
      },
      Page(path: "configz", summary: "All configuration objects in force.") {
        .json(.array(await store.objects().map(\.completeJSON)), for: $0)
      },
      Page(path: "connections", summary: "Connected proxies.") {
        .json(ClientPages.connections(await ads.clients()), for: $0)
      },
      Page(path: "ecdsz", summary: "Extension configurations of one proxy: ?proxyID=ID.") {
        try await ecds($0)
      },
      Page(
        path: "explain",
        summary: "Why an EnvoyFilter changes a proxy or does not, or who wrote a filter: "
          + "?proxyID=ID&amp;name=NAME&amp;namespace=NAMESPACE, or ?proxyID=ID&amp;why=NAME."
      ) {
        try await explain($0)
      },
      Page(path: "problemsz", summary: "What is wrong with the configuration, with file and line.")
      {
        .json(.array(await problems().map(\.json)), for: $0)
      },
      Page(path: "registryz", summary: "Services and their endpoints.") {
        .json(RegistryPage.json(ads.mesh?.services ?? []), for: $0)
      },
      Page(path: "rejectsz", summary: "What proxies have rejected, and which objects caused it.") {
        .json(RejectsPage.json(await ads.clients()), for: $0)
      },
      Page(
        path: "statusz",
        summary: "What became of each object [?resource=KIND/NAMESPACE/NAME]; /debug/wait waits."
      ) {
        try await statuses.statuses($0)
      },
      Page(
        path: "syncz",
        summary: "For each proxy and type: sent, acknowledged, rejected [?namespace=NAMESPACE]."
      ) {
        .json(ClientPages.syncz(await clients($0)), for: $0)
      },
      Page(path: "wasmz", summary: "Wasm modules, as the agents beside the proxies report them.") {
        .json(WasmPage.json(await ads.clients()), for: $0)
      },
    ]
  }

  private var statuses: StatusPages {
    StatusPages(watch: StatusWatch(ads: ads, store: store))
  }

  private func addCommonRoutes(to router: Router<Context>) {
    router.get("/ready") { _, _ in
      ads.isReady
        ? Response.text("ready\n")
        : Response.text("waiting for the first snapshot\n", status: .serviceUnavailable)
    }
    router.get("/metrics") { _, _ in
      Response.text(
        registry.exposition(), contentType: "text/plain; version=0.0.4; charset=utf-8")
    }
    router.get("/version") { request, _ in Response.json(Version.json, for: request) }
  }

  /// Of reading and indexing (the store) and of translation (the server), each once.
  private func problems() async -> [ConfigError] {
    Set(await store.problems() + ads.problems).sorted { "\($0)" < "\($1)" }
  }

  /// The proxies that a request asks for with `?proxyID=` and `?namespace=`; all without them.
  private func clients(_ request: Request) async -> [ClientReport] {
    let (id, namespace) = (
      request.uri.queryParameters["proxyID"], request.uri.queryParameters["namespace"]
    )
    return await ads.clients().filter { client in
      (id.map { client.connectionID.contains($0) } ?? true)
        && (namespace.map { client.proxy.namespace == $0 } ?? true)
    }
  }

  /// The one proxy that a request names; a part of the connection id is enough, as with istiod.
  func client(_ request: Request) async throws -> ClientReport {
    guard let id = request.uri.queryParameters["proxyID"].map(String.init), !id.isEmpty else {
      throw HTTPError(.badRequest, message: "say which proxy: ?proxyID=ID (see /debug/connections)")
    }
    guard let client = await ads.clients().first(where: { $0.connectionID.contains(id) }) else {
      throw HTTPError(
        .notFound,
        message:
          "Proxy not connected to this Pilot instance. It may be connected to another instance.")
    }
    return client
  }

  private func configDump(_ request: Request) async throws -> Response {
    let snapshot = try await client(request).snapshot
    let types = request.uri.queryParameters["types"]?.split(separator: ",").map(String.init)
    return .json(ConfigDump.json(snapshot, types: types), for: request)
  }

  private func ecds(_ request: Request) async throws -> Response {
    .json(ConfigDump.json(try await client(request).snapshot, types: ["ecds"]), for: request)
  }
}
