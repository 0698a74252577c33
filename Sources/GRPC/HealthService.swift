// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The standard health service, `grpc.health.v1.Health`, which load balancers and probes ask.
///
/// Its two messages have one field each, so they are read and written here by hand. See
/// <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>.
package final class HealthService: Sendable {
  /// What is said about a service, by its number in the protocol.
  package enum ServingStatus: UInt8, Sendable {
    case unknown = 0
    case serving = 1
    case notServing = 2
    case serviceUnknown = 3
  }

  private struct State {
    var statuses: [String: ServingStatus]
    var watchers: [UInt64: @Sendable () -> Void] = [:]
    var lastWatcher: UInt64 = 0
  }

  private let state: Mutex<State>

  /// Makes the service with the status of the server as a whole, whose service name is empty.
  package init(_ status: ServingStatus = .serving) {
    state = Mutex(State(statuses: ["": status]))
  }

  /// Check and Watch, for a server.
  package var methods: [any GRPCMethod] {
    [HealthMethod(service: self, isWatch: false), HealthMethod(service: self, isWatch: true)]
  }

  /// Sets what is said about a service from now on, and tells the watchers.
  package func set(_ status: ServingStatus, for service: String = "") {
    let watchers = state.withLock { state in
      state.statuses[service] = status
      return Array(state.watchers.values)
    }
    for wake in watchers { wake() }
  }

  /// What is said about a service; nil for one that was never set.
  package func status(of service: String) -> ServingStatus? {
    state.withLock { $0.statuses[service] }
  }

  fileprivate func watch(_ wake: @escaping @Sendable () -> Void) -> UInt64 {
    state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = wake
      return state.lastWatcher
    }
  }

  fileprivate func unwatch(_ watcher: UInt64) {
    state.withLock { $0.watchers[watcher] = nil }
  }
}

private struct HealthMethod: GRPCMethod {
  let service: HealthService
  let isWatch: Bool

  var path: String { "/grpc.health.v1.Health/\(isWatch ? "Watch" : "Check")" }

  func open(_ call: GRPCCall) throws(GRPCStatus) -> any GRPCStream {
    HealthStream(call, service, isWatch: isWatch)
  }
}

/// One question about a service: answered once, or again at every change.
private final class HealthStream: GRPCStream {
  private let call: GRPCCall
  private let service: HealthService
  private let isWatch: Bool
  private var name: String?
  private var watcher: UInt64?
  private var lastSent: HealthService.ServingStatus?

  init(_ call: GRPCCall, _ service: HealthService, isWatch: Bool) {
    self.call = call
    self.service = service
    self.isWatch = isWatch
  }

  func receive(_ message: ByteBuffer) {
    guard name == nil else {
      return call.finish(GRPCStatus(.internalError, "more than one request"))
    }
    guard let asked = HealthMessages.serviceName(in: message) else {
      return call.finish(GRPCStatus(.internalError, "the request is not a HealthCheckRequest"))
    }
    name = asked
    if isWatch {
      let bound = NIOLoopBound(self, eventLoop: call.eventLoop)
      watcher = service.watch {
        bound.eventLoop.execute { bound.value.call.wake() }
      }
    } else if service.status(of: asked) == nil {
      return call.finish(GRPCStatus(.notFound, "unknown service \(asked)"))
    }
    call.wake()
  }

  func receiveEnd() {
    if name == nil { call.finish(GRPCStatus(.internalError, "no request")) }
  }

  func nextMessage() -> OutboundMessage? {
    guard let name else { return nil }
    let status = service.status(of: name) ?? .serviceUnknown
    guard status != lastSent else { return nil }
    if !isWatch {
      guard lastSent == nil else { return nil }
      call.finish()
    }
    lastSent = status
    return OutboundMessage(shared: HealthMessages.response(status))
  }

  func closed(_ status: GRPCStatus) {
    if let watcher { service.unwatch(watcher) }
  }
}

/// HealthCheckRequest { string service = 1; } and HealthCheckResponse { ServingStatus status = 1; }.
enum HealthMessages {
  /// The service that a request asks for; nil when the bytes are no such message.
  static func serviceName(in message: ByteBuffer) -> String? {
    var message = message
    var name = ""
    while message.readableBytes > 0 {
      guard let tag = readVarint(&message) else { return nil }
      switch tag & 7 {
      case 0: guard readVarint(&message) != nil else { return nil }
      case 1: guard message.readSlice(length: 8) != nil else { return nil }
      case 2:
        guard let length = readVarint(&message), let count = Int(exactly: length),
          count <= message.readableBytes, let bytes = message.readSlice(length: count)
        else { return nil }
        if tag >> 3 == 1 {
          guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            return nil
          }
          name = text
        }
      case 5: guard message.readSlice(length: 4) != nil else { return nil }
      default: return nil
      }
    }
    return name
  }

  /// A response; the default value 0 is an empty message.
  static func response(_ status: HealthService.ServingStatus) -> ByteBuffer {
    status == .unknown ? ByteBuffer() : ByteBuffer(bytes: [0x08, status.rawValue])
  }

  private static func readVarint(_ buffer: inout ByteBuffer) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = buffer.readInteger(as: UInt8.self) else { return nil }
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}
