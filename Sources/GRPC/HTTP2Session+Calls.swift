// SPDX-License-Identifier: Apache-2.0

import CNGHTTP2
import NIOCore

/// How calls begin: a server answers a request, a client makes one and reads the answer.
extension HTTP2Session {
  func requestReceived(_ stream: Int32, _ block: HeaderList) {
    guard headerBlockSize <= limits.maxHeaderListSize else {
      let reason = "the request's header is larger than \(limits.maxHeaderListSize) bytes"
      return refuse(stream, GRPCStatus(.resourceExhausted, reason))
    }
    switch RequestHead(block) {
    case .notGRPC(let answer):
      respond(stream, answer, dataFrom: nil)
    case .refused(let status, let more):
      refuse(stream, status, also: more)
    case .call(let path, let timeout, let metadata):
      guard let method = methods[path] else {
        return refuse(stream, GRPCStatus(.unimplemented, "unknown method \(path)"))
      }
      let call = GRPCCall(
        id: GRPCCall.ID(connection: connection, stream: stream), path: path, headers: metadata,
        remoteAddress: remoteAddress, session: self)
      open(call, method, timeout: timeout)
    }
  }

  private func open(_ call: GRPCCall, _ method: any GRPCMethod, timeout: TimeAmount?) {
    // Known before it opens, so that a method may end the call from inside `open`.
    calls[call.id.stream] = call
    if let timeout { call.deadline = eventLoop.now + timeout }
    do throws(GRPCStatus) {
      call.stream = try method.open(call)
    } catch {
      calls[call.id.stream] = nil
      call.session = nil
      call.ending = .done
      return refuse(call.id.stream, error)
    }
    call.sending = .queued
    respond(call.id.stream, Self.responseHead, dataFrom: call)
    if let timeout { setDeadline(of: call, in: timeout) }
  }

  private static let responseHead: HeaderList = [
    (":status", "200"), ("content-type", "application/grpc"),
  ]

  /// Answers with trailers only.
  private func refuse(_ stream: Int32, _ status: GRPCStatus, also more: HeaderList = []) {
    respond(stream, Self.responseHead + status.trailers + more, dataFrom: nil)
  }

  private func respond(_ stream: Int32, _ headers: HeaderList, dataFrom call: GRPCCall?) {
    _ = withNameValues(headers) { fields, count in
      guard let call else { return nghttp2_submit_response(handle, stream, fields, count, nil) }
      var provider = Self.dataProvider(for: call)
      return nghttp2_submit_response(handle, stream, fields, count, &provider)
    }
  }

  /// Begins a call of a client.
  ///
  /// - Throws: `unavailable` when this connection takes no more calls.
  func request(
    _ path: String, scheme: String, authority: String, headers: HeaderList, timeout: TimeAmount?,
    stream makeStream: (GRPCCall) -> any GRPCStream
  ) throws(GRPCStatus) -> GRPCCall {
    guard let handle, !isAborted, !isGoingAway else {
      throw GRPCStatus(.unavailable, "the connection takes no more calls")
    }
    let call = GRPCCall(
      id: GRPCCall.ID(connection: connection, stream: 0), path: path, headers: headers,
      remoteAddress: remoteAddress, session: self)
    call.stream = makeStream(call)
    if case .draining(let status) = call.ending {
      call.session = nil
      throw status
    }
    var fields: HeaderList = [
      (":method", "POST"), (":scheme", scheme), (":path", path), (":authority", authority),
      ("content-type", "application/grpc"), ("te", "trailers"),
    ]
    if let timeout { fields.append(("grpc-timeout", GRPCTimeout.format(timeout))) }
    var provider = Self.dataProvider(for: call)
    let id = withNameValues(fields + headers) {
      nghttp2_submit_request(handle, nil, $0, $1, &provider, nil)
    }
    guard id > 0 else {
      call.session = nil
      throw GRPCStatus(.unavailable, "the connection has no stream identifiers left")
    }
    call.id = GRPCCall.ID(connection: connection, stream: id)
    call.sending = .queued
    calls[id] = call
    if let timeout { setDeadline(of: call, in: timeout) }
    owner?.sessionNeedsPump()
    return call
  }

  func responseReceived(_ stream: Int32, _ block: HeaderList, endsStream: Bool) {
    guard let call = calls[stream], call.isReceiving else { return }
    let metadata = block.filter { !$0.name.hasPrefix(":") }
    if let httpStatus = block.first(where: { $0.name == ":status" })?.value {
      guard !httpStatus.hasPrefix("1") else { return }  // an interim answer
      let contentType = block.first { $0.name == "content-type" }?.value ?? ""
      if httpStatus != "200" || !RequestHead.isGRPC(contentType: contentType) {
        let isHTTP = httpStatus != "200"
        let status =
          isHTTP
          ? GRPCStatus(httpStatus: httpStatus)
          : GRPCStatus(.unknown, "unexpected content-type \(contentType)")
        return finish(call, status)
      }
      call.responseHeaders = metadata
    }
    guard endsStream else { return }
    call.trailers = metadata
    guard let status = GRPCStatus(trailers: metadata) else { return }
    // A truncated message is reported instead, unless the server says why it broke off.
    guard status.code != .ok || call.reader.isBetweenMessages else { return }
    call.isReceiving = false
    call.endStatus = status
    if case .done = call.ending { return }
    // The server has ended the call, so the rest of our side is of no use to anybody.
    call.ending = .done
    call.message = nil
    nghttp2_submit_rst_stream(handle, 0, stream, NGHTTP2_NO_ERROR.rawValue)
  }
}
