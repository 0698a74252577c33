// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import EnvoyAPI
import GRPC
import Logging
import MeshModel
import NIOCore
import Prometheus
import SwiftProtobuf
import XDS

/// One ADS stream: decodes requests, keeps the protocol state, answers when the transport pulls.
///
/// Lives on the event loop of its connection and is never touched elsewhere. A push only marks it:
/// it wakes the call, and when the proxy can take a message the newest state is sent.
final class ADSStream: GRPCStream {
  private typealias Request = Envoy_Service_Discovery_V3_DiscoveryRequest

  /// A proxy that has told who it is, and its class.
  private final class Client {
    let proxy: Proxy
    let connectionID: String
    var placement: ProxyClassRegistry.Placement

    init(proxy: Proxy, connectionID: String, placement: ProxyClassRegistry.Placement) {
      self.proxy = proxy
      self.connectionID = connectionID
      self.placement = placement
    }
  }

  private let call: GRPCCall
  private let server: ADSServer
  private let number: UInt64
  private let connectedAt = ContinuousClock.now
  private var state: StreamState
  private var client: Client?
  private var modules = WasmModuleLedger()

  init(call: GRPCCall, server: ADSServer) {
    self.call = call
    self.server = server
    number = server.nextConnectionNumber()
    state = StreamState(streamID: String(number, radix: 36))
    server.streams.add(self, on: call.eventLoop)
  }

  /// Nil until the first request has come.
  var report: ClientReport? {
    client.map { client in
      ClientReport(
        connectionID: client.connectionID, connectedAt: connectedAt,
        address: call.remoteAddress.map(Self.text) ?? "", proxy: client.proxy,
        proxyClass: client.placement.entry.proxyClass, snapshot: state.snapshot,
        types: state.reports, modules: modules.modules)
    }
  }

  /// Where the proxy stands, to find out how far it has come with objects; nil until the first request
  /// has come.
  var standing: ProxyStanding? {
    client.map { client in
      ProxyStanding(
        proxy: Rollout.Proxy(connectionID: client.connectionID, name: client.proxy.name),
        entry: client.placement.entry,
        isPlaced: client.placement.classification == server.classes.classification, state: state,
        modules: modules.modules)
    }
  }

  /// Takes what the class gets now, after a push or when its first translation is done.
  func refresh() {
    guard let client else { return }
    if client.placement.classification != server.classes.classification { place(client.proxy) }
    guard let snapshot = self.client?.placement.entry.snapshot, snapshot !== state.snapshot else {
      return
    }
    state.push(snapshot, at: .now)
    call.wake()
  }

  /// Disconnects a proxy that has left a response without an answer since before an instant.
  func closeIfUnanswered(since limit: ContinuousClock.Instant) {
    guard let unanswered = state.oldestUnanswered, unanswered.since < limit else { return }
    server.metrics.writeTimeouts.increment()
    server.logger.warning(
      "proxy does not answer, disconnecting it",
      metadata: ["proxy": "\(connectionID)", "type": "\(unanswered.typeURL)"])
    call.closeConnection()
  }

  func receive(_ message: ByteBuffer) {
    do throws(GRPCStatus) {
      let request = try Self.decode(message)
      if client == nil { try admit(request) }
      if request.typeURL == TypeURL.wasmModuleReport.rawValue {
        try takeReport(request)
      } else {
        handle(request)
      }
    } catch {
      server.logger.warning(
        "refusing a stream", metadata: ["proxy": "\(connectionID)", "reason": "\(error.message)"])
      call.finish(error)
    }
  }

  func receiveEnd() { call.finish(.ok) }

  func nextMessage() -> OutboundMessage? {
    guard let response = state.next(at: .now) else { return nil }
    let body = server.responses.body(of: response)
    server.metrics.pushes.increment(response.typeURL.metricLabel)
    server.metrics.configSize.observe(Double(body.readableBytes), response.typeURL.rawValue)
    return OutboundMessage(
      prefix: ByteBuffer(bytes: ResponseEncoding.noncePrefix(response.nonce)), shared: body)
  }

  func closed(_ status: GRPCStatus) {
    server.streams.remove(self, on: call.eventLoop)
    guard let client else { return }
    client.placement.entry.detach()
    server.clientLeft(version: client.proxy.istioVersion ?? "")
    server.progress.fire()
    server.logger.info(
      "proxy disconnected",
      metadata: ["proxy": "\(client.connectionID)", "status": "\(status.code)"])
  }

  /// `10.0.0.1:40152`, as istiod writes it.
  private static func text(_ address: SocketAddress) -> String {
    guard let ip = address.ipAddress, let port = address.port else {
      return address.pathname.map { "unix:\($0)" } ?? ""
    }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }

  private var connectionID: String { client?.connectionID ?? "\(call.id)" }

  private static func decode(_ message: ByteBuffer) throws(GRPCStatus) -> Request {
    do {
      return try Request(serializedBytes: Array(buffer: message))
    } catch {
      throw GRPCStatus(.invalidArgument, "expected a DiscoveryRequest: \(error)")
    }
  }

  /// Reads the node of the first request and finds the class of the proxy.
  private func admit(_ request: Request) throws(GRPCStatus) {
    guard !request.node.id.isEmpty else {
      throw GRPCStatus(.invalidArgument, "missing node information")
    }
    let proxy: Proxy
    do {
      proxy = try Proxy(node: request.node)
    } catch {
      throw GRPCStatus(.invalidArgument, "\(error)")
    }
    place(proxy)
    server.clientJoined(version: proxy.istioVersion ?? "")
    server.logger.info("proxy connected", metadata: ["proxy": "\(connectionID)"])
    if let snapshot = client?.placement.entry.snapshot { state.push(snapshot, at: .now) }
  }

  private func place(_ proxy: Proxy) {
    guard let placement = server.classes.place(proxy) else { return }
    client?.placement.entry.detach()
    client = Client(
      proxy: proxy, connectionID: "\(proxy.nodeID)-\(number)", placement: placement)
    if placement.isNew { server.translate(placement.entry) }
  }

  private func handle(_ request: Request) {
    let discoveryRequest = DiscoveryRequest(
      typeURL: TypeURL(rawValue: request.typeURL), versionInfo: request.versionInfo,
      resourceNames: request.resourceNames,
      responseNonce: request.responseNonce.isEmpty ? nil : Nonce(rawValue: request.responseNonce),
      errorDetail: request.hasErrorDetail ? request.errorDetail.message : nil)
    let outcome = state.handle(discoveryRequest, at: .now) { self.server.shared($0) }
    switch outcome {
    case .acked(_, let elapsed): server.metrics.convergenceTime.observe(elapsed)
    case .rejected(let rejection): report(rejection)
    case .stale: server.metrics.expiredNonces.increment(request.typeURL)
    case .subscribed, .unsubscribed, .repeated, .ignored: break
    }
    server.progress.fire()
    if state.hasNext { call.wake() }
  }

  private func takeReport(_ request: Request) throws(GRPCStatus) {
    let report: Skiff_Agent_V1_WasmModuleReport
    do {
      report = try WasmModuleLedger.report(in: request)
    } catch {
      throw GRPCStatus(.invalidArgument, "expected a WasmModuleReport: \(error)")
    }
    for status in report.modules {
      // Told again in every round, while Envoy may have refused what it was given instead.
      let isNews = modules.update(status)
      server.metrics.moduleReports.increment(status.phase.text)
      guard let version = ContentHash(status.resourceVersion) else { continue }
      let typeURL = TypeURL(rawValue: status.typeURL)
      if status.phase == .failed && status.refused {
        let rejection = state.refuse(
          status.resource, of: typeURL, version: version, reason: status.error, at: .now)
        if let rejection { self.report(rejection) }
      } else if isNews, status.phase == .ready || status.phase == .fallback {
        state.reconsider(status.resource, of: typeURL, version: version, at: .now)
      }
    }
    server.progress.fire()
    call.wake()
  }

  /// Envoy stays on its last accepted version, so traffic is safe; the author of the YAML must hear.
  private func report(_ rejection: Rejection) {
    server.metrics.totalRejects.increment(rejection.typeURL.rawValue)
    let objects = rejection.origins.map { "\($0)" }.joined(separator: ", ")
    server.logger.warning(
      "proxy rejected resources",
      metadata: [
        "proxy": "\(connectionID)", "type": "\(rejection.typeURL)",
        "resources": "\(rejection.resources.joined(separator: ", "))", "objects": "\(objects)",
        "reason": "\(rejection.reason)",
      ])
  }
}

extension TypeURL {
  private static let metricLabels = pushOrder.map { $0.shortName?.lowercased() ?? $0.rawValue }

  /// Istio's label in pilot_xds_pushes: `cds`, or the whole URL of a type without a short name.
  fileprivate var metricLabel: String {
    let rank = pushRank
    return rank < Self.metricLabels.count ? Self.metricLabels[rank] : rawValue
  }
}
