// SPDX-License-Identifier: Apache-2.0

import CNGHTTP2
import NIOCore

/// What libnghttp2 tells about incoming frames. A result other than 0 ends the connection.
extension HTTP2Session {
  func headersBegan(_ frame: UnsafePointer<nghttp2_frame>?) -> CInt {
    headerBlock = []
    headerBlockSize = 0
    return 0
  }

  func headerReceived(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
  ) -> CInt {
    headerBlockSize += name.count + value.count + 32
    if headerBlockSize <= limits.maxHeaderListSize {
      headerBlock.append(
        (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
    } else if headerBlockSize > 4 * limits.maxHeaderListSize {
      // An HPACK bomb: a few bytes on the wire that stand for megabytes of fields.
      headerBlock = []
      terminate(NGHTTP2_ENHANCE_YOUR_CALM)
    }
    return 0
  }

  func frameReceived(_ frame: UnsafePointer<nghttp2_frame>?) -> CInt {
    guard let frame else { return 0 }
    let header = frame.pointee.hd
    let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch nghttp2_frame_type(UInt32(header.type)) {
    case NGHTTP2_DATA:
      if endsStream {
        endReceived(header.stream_id)
      } else if header.length == 0 {
        spendFreeFrame()
      }
    case NGHTTP2_HEADERS:
      let block = headerBlock
      headerBlock = []
      let isRequest = frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
      switch role {
      case .server where isRequest: requestReceived(header.stream_id, block)
      case .server: break  // trailers of a request mean nothing in gRPC
      case .client: responseReceived(header.stream_id, block, endsStream: endsStream)
      }
      if endsStream { endReceived(header.stream_id) }
    case NGHTTP2_SETTINGS:
      isSettled = true
      spendFreeFrame()
    case NGHTTP2_PING, NGHTTP2_PRIORITY:
      spendFreeFrame()
    case NGHTTP2_GOAWAY:
      isGoingAway = true
    default: break
    }
    return 0
  }

  func dataReceived(_ stream: Int32, _ bytes: UnsafeRawBufferPointer) -> CInt {
    guard let call = calls[stream] else { return 0 }
    var bytes = bytes
    do throws(GRPCStatus) {
      while call.isReceiving {
        inboundBuffered -= call.reader.buffered
        defer { inboundBuffered += call.reader.buffered }
        guard
          let message = try call.reader.next(from: &bytes, limit: limits.maxReceiveMessageSize)
        else { break }
        call.stream?.receive(message)
      }
      if inboundBuffered > limits.maxBufferedBytes {
        throw GRPCStatus(.resourceExhausted, "too many unfinished messages on this connection")
      }
    } catch {
      fail(call, error)
    }
    return 0
  }

  func streamClosed(_ stream: Int32, errorCode: UInt32) -> CInt {
    guard let call = calls.removeValue(forKey: stream) else { return 0 }
    inboundBuffered -= call.reader.buffered
    call.session = nil
    call.conclude(
      call.endStatus
        ?? (role == .server && errorCode == NGHTTP2_NO_ERROR.rawValue
          ? GRPCStatus(.cancelled, "the client has ended the stream")
          : GRPCStatus(resetWith: errorCode)))
    return 0
  }

  func frameSent(_ frame: UnsafePointer<nghttp2_frame>?) -> CInt {
    guard let header = frame?.pointee.hd else { return 0 }
    switch nghttp2_frame_type(UInt32(header.type)) {
    case NGHTTP2_HEADERS where role == .server:
      // The answer is complete, so the client need not send the rest of its side (RFC 9113 §8.1).
      if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
        nghttp2_session_get_stream_remote_close(handle, header.stream_id) == 0
      {
        nghttp2_submit_rst_stream(handle, 0, header.stream_id, NGHTTP2_NO_ERROR.rawValue)
      }
    case NGHTTP2_RST_STREAM where role == .server:
      // A peer can make us reset streams by mistakes of its own, as cheaply as by RST_STREAM.
      if frame?.pointee.rst_stream.error_code != NGHTTP2_NO_ERROR.rawValue { spendFreeFrame() }
    default: break
    }
    return 0
  }

  func frameNotSent(_ frame: UnsafePointer<nghttp2_frame>?) -> CInt {
    guard let frame, nghttp2_frame_type(UInt32(frame.pointee.hd.type)) == NGHTTP2_HEADERS,
      frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
    else { return 0 }
    return streamClosed(frame.pointee.hd.stream_id, errorCode: NGHTTP2_REFUSED_STREAM.rawValue)
  }

  private func spendFreeFrame() {
    if !budget.spend(now: { eventLoop.now }) { terminate(NGHTTP2_ENHANCE_YOUR_CALM) }
  }

  private func endReceived(_ stream: Int32) {
    guard let call = calls[stream], call.isReceiving else { return }
    call.isReceiving = false
    guard call.reader.isBetweenMessages else {
      return fail(call, GRPCStatus(.internalError, "the stream ended inside a message"))
    }
    switch role {
    case .server: call.stream?.receiveEnd()
    case .client: fail(call, GRPCStatus(.internalError, "the stream ended without a grpc-status"))
    }
  }

  private func fail(_ call: GRPCCall, _ status: GRPCStatus) {
    inboundBuffered -= call.reader.buffered
    call.reader = GRPCMessageReader()
    finish(call, status)
  }
}
