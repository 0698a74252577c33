// SPDX-License-Identifier: Apache-2.0

import CNGHTTP2
import NIOCore

/// Whoever moves a session's bytes.
protocol HTTP2SessionOwner: AnyObject {
  /// There is something to do: call `settle()` and `gather()` in this turn of the loop or the next.
  func sessionNeedsPump()
}

/// One HTTP/2 connection with its gRPC calls, without a socket.
///
/// Bytes go in by `receive(_:)` and frames come out into the sink by `gather()`; time comes from the
/// event loop. Framing, HPACK, flow control and stream states are libnghttp2's; this class gives it
/// gRPC's meaning. It lives on one event loop, and only its owner tears it down, never from
/// inside a callback. See RFC 9113 and
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
final class HTTP2Session {
  enum Role { case server, client }

  /// A connection that cannot go on: libnghttp2's word for it.
  struct Failure: Error, Equatable { let reason: String }

  /// Frames gathered for one write, in bytes; also what a blocked connection pins at most.
  static let gatherLimit = 128 * 1024

  let role: Role
  let eventLoop: any EventLoop
  let limits: HTTP2Limits
  let sink: FrameSink
  var remoteAddress: SocketAddress?
  let connection: UInt64
  let methods: [String: any GRPCMethod]
  var owner: (any HTTP2SessionOwner)?
  var calls: [Int32: GRPCCall] = [:]

  /// The peer's first SETTINGS have come in.
  var isSettled = false
  /// The peer has sent GOAWAY.
  var isGoingAway = false
  /// Somebody wants this connection closed without ceremony.
  private(set) var isAborted = false

  var headerBlock: HeaderList = []
  var headerBlockSize = 0
  var inboundBuffered = 0
  var budget: FrameBudget
  private var flushing: [GRPCCall] = []
  private var concluding: [GRPCCall] = []
  private(set) var handle: OpaquePointer?

  init(
    _ role: Role, limits: HTTP2Limits, methods: [String: any GRPCMethod] = [:],
    connection: UInt64 = 0, callbacks: NGHTTP2Callbacks, sink: FrameSink,
    eventLoop: any EventLoop
  ) {
    self.role = role
    self.limits = limits
    self.methods = methods
    self.connection = connection
    self.sink = sink
    self.eventLoop = eventLoop
    budget = FrameBudget(burst: limits.freeFrames, perSecond: 100, now: eventLoop.now)
    let user = Unmanaged.passUnretained(self).toOpaque()
    let result =
      switch role {
      case .server:
        nghttp2_session_server_new2(&handle, callbacks.callbacks, user, callbacks.options)
      case .client:
        nghttp2_session_client_new2(&handle, callbacks.callbacks, user, callbacks.options)
      }
    precondition(result == 0, "libnghttp2 makes a session unless memory has run out")
    submitSettings()
  }

  deinit {
    nghttp2_session_del(handle)
  }

  private func submitSettings() {
    var settings = [
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
        value: UInt32(limits.streamWindow)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
        value: UInt32(limits.maxHeaderListSize)),
    ]
    switch role {
    case .server:
      settings.append(
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
          value: UInt32(limits.maxConcurrentStreams)))
    case .client:
      settings.append(
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0))
    }
    nghttp2_submit_settings(handle, 0, settings, settings.count)
    nghttp2_session_set_local_window_size(handle, 0, 0, Int32(limits.connectionWindow))
  }

  /// Takes bytes from the peer.
  ///
  /// - Throws: When the connection cannot go on. Most mistakes of a peer are answered with GOAWAY
  ///   instead, after which `isFinished` is true.
  func receive(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    guard let handle else { return }
    let count = nghttp2_session_mem_recv(
      handle, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    guard count >= 0 else { throw Failure(reason: String(cString: nghttp2_strerror(Int32(count)))) }
  }

  /// Moves frames into the sink until none is ready or the sink has enough for one write.
  func gather() throws(Failure) {
    while let handle, sink.count < Self.gatherLimit, sink.copiedCount < FrameSink.copyCapacity {
      var bytes: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(handle, &bytes)
      guard count >= 0 else {
        throw Failure(reason: String(cString: nghttp2_strerror(Int32(count))))
      }
      guard count > 0 else { return }
      sink.append(UnsafeRawBufferPointer(start: bytes, count: count))
    }
  }

  /// The socket has taken everything: streams whose message is out are asked for the next.
  func flushed() {
    guard handle != nil, !flushing.isEmpty else { return }
    let calls = flushing
    flushing.removeAll(keepingCapacity: true)
    for call in calls {
      guard case .flushing = call.sending, !call.isClosed else { continue }
      call.sending = .queued
      // With a closed window the question waits, so that the answer is fresh when it opens.
      if hasWindow(for: call.id.stream), !call.pull(), case .open = call.ending {
        call.sending = .deferred
      } else {
        nghttp2_session_resume_data(handle, call.id.stream)
      }
    }
  }

  private func hasWindow(for stream: Int32) -> Bool {
    nghttp2_session_get_remote_window_size(handle) > 0
      && nghttp2_session_get_stream_remote_window_size(handle, stream) > 0
  }

  /// Tells the streams of calls that we ended ourselves.
  func settle() {
    while let call = concluding.popLast() {
      call.conclude(call.endStatus ?? .ok)
    }
  }

  /// Nothing more will be read or written: the connection can be closed.
  var isFinished: Bool {
    guard let handle else { return true }
    return nghttp2_session_want_read(handle) == 0 && nghttp2_session_want_write(handle) == 0
  }

  func resume(_ call: GRPCCall) {
    guard handle != nil else { return }
    nghttp2_session_resume_data(handle, call.id.stream)
    owner?.sessionNeedsPump()
  }

  func abort() {
    isAborted = true
    owner?.sessionNeedsPump()
  }

  func ping() {
    guard handle != nil else { return }
    nghttp2_submit_ping(handle, 0, nil)
    owner?.sessionNeedsPump()
  }

  /// Asks the peer to open no more streams here; calls under way go on.
  func announceShutdown() {
    guard handle != nil else { return }
    nghttp2_submit_shutdown_notice(handle)
    owner?.sessionNeedsPump()
  }

  /// Refuses streams from now on and ends all calls, after which the session is finished.
  func goAway(_ status: GRPCStatus) {
    guard handle != nil else { return }
    nghttp2_submit_goaway(
      handle, 0, nghttp2_session_get_last_proc_stream_id(handle), NGHTTP2_NO_ERROR.rawValue, nil, 0)
    for call in calls.values {
      finish(call, status)
    }
    owner?.sessionNeedsPump()
  }

  /// Ends the connection with an error code; what is under way is not waited for.
  func terminate(_ errorCode: nghttp2_error_code) {
    guard handle != nil else { return }
    nghttp2_session_terminate_session(handle, errorCode.rawValue)
    owner?.sessionNeedsPump()
  }

  func finish(_ call: GRPCCall, _ status: GRPCStatus) {
    if case .done = call.ending { return }
    if case .opening = call.sending {
      call.ending = .draining(status)  // whoever opens the call finds it there
      return
    }
    if role == .server, status.code == .ok {
      call.ending = .draining(status)
      return call.wake()
    }
    call.ending = .done
    call.endStatus = status
    call.isReceiving = false
    call.message = nil
    switch role {
    case .server: submitTrailers(of: call, status)
    case .client:
      nghttp2_submit_rst_stream(handle, 0, call.id.stream, NGHTTP2_CANCEL.rawValue)
    }
    concluding.append(call)
    owner?.sessionNeedsPump()
  }

  func submitTrailers(of call: GRPCCall, _ status: GRPCStatus) {
    call.ending = .done
    call.endStatus = status
    _ = withNameValues(status.trailers) { nghttp2_submit_trailer(handle, call.id.stream, $0, $1) }
  }

  func setDeadline(of call: GRPCCall, in timeout: TimeAmount) {
    call.deadline = eventLoop.now + timeout
    call.deadlineTask = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
      call.finish(GRPCStatus(.deadlineExceeded, "the deadline has passed"))
    }
  }

  /// Lets go of everything: every call that is left ends with `status`.
  func tearDown(_ status: GRPCStatus) {
    guard let handle else { return }
    self.handle = nil
    nghttp2_session_del(handle)  // calls no stream-close callbacks
    owner = nil
    flushing = []
    concluding = []
    let calls = calls.values
    self.calls = [:]
    for call in calls {
      call.session = nil
      call.conclude(call.endStatus ?? status)
    }
  }

  /// DATA for libnghttp2: how many bytes of the message come next, pulling one when there is none.
  func readData(of call: GRPCCall, atMost length: Int, flags: inout UInt32) -> Int {
    if call.message == nil {
      if case .flushing = call.sending { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
      if !call.pull() { return endData(of: call, flags: &flags) }
    }
    flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    return min(length, call.pendingBytes)
  }

  private func endData(of call: GRPCCall, flags: inout UInt32) -> Int {
    switch call.ending {
    case .open:
      call.sending = .deferred
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    case .halfClosing:
      call.ending = .done
      flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
    case .draining(let status):
      flags |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
      submitTrailers(of: call, status)
    case .done:
      flags |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
    }
    return 0
  }

  /// One DATA frame into the sink.
  func sendData(of call: GRPCCall, frameHeader: UnsafePointer<UInt8>, length: Int) -> CInt {
    guard let message = call.message else {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
    sink.append(UnsafeRawBufferPointer(start: frameHeader, count: 9))
    message.write(call.messageOffset..<call.messageOffset + length, to: sink)
    call.messageOffset += length
    if call.messageOffset == message.wireSize {
      call.message = nil
      call.sending = .flushing
      flushing.append(call)
    }
    return sink.count < Self.gatherLimit && sink.copiedCount < FrameSink.copyCapacity
      ? 0 : NGHTTP2_ERR_PAUSE.rawValue
  }
}
