// SPDX-License-Identifier: Apache-2.0

import CNGHTTP2
import NIOCore

/// The functions and options that libnghttp2 makes sessions with; one set serves many sessions.
///
/// libnghttp2 copies both into each session. The callbacks are C functions, so each finds its
/// `HTTP2Session` through the user pointer, which is not retained: a session outlives its own
/// library calls.
final class NGHTTP2Callbacks {
  private(set) var callbacks: OpaquePointer?
  private(set) var options: OpaquePointer?

  init() {
    nghttp2_session_callbacks_new(&callbacks)
    nghttp2_option_new(&options)
    guard let callbacks, let options else { preconditionFailure("out of memory") }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
      HTTP2Session.with(user) { $0.headersBegan(frame) }
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, _, name, nameLength, value, valueLength, _, user in
      HTTP2Session.with(user) {
        $0.headerReceived(
          name: UnsafeBufferPointer(start: name, count: nameLength),
          value: UnsafeBufferPointer(start: value, count: valueLength))
      }
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
      HTTP2Session.with(user) { $0.frameReceived(frame) }
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, _, stream, data, length, user in
      HTTP2Session.with(user) {
        $0.dataReceived(stream, UnsafeRawBufferPointer(start: data, count: length))
      }
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
      HTTP2Session.with(user) { $0.streamClosed(stream, errorCode: code) }
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
      HTTP2Session.with(user) { $0.frameSent(frame) }
    }
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, user in
      HTTP2Session.with(user) { $0.frameNotSent(frame) }
    }
    nghttp2_session_callbacks_set_send_data_callback(callbacks) {
      _, _, frameHeader, length, source, user in
      guard let frameHeader, let call = source?.pointee.ptr else { return callbackFailure }
      return HTTP2Session.with(user) { session in
        Unmanaged<GRPCCall>.fromOpaque(call)._withUnsafeGuaranteedRef {
          session.sendData(of: $0, frameHeader: frameHeader, length: length)
        }
      }
    }
    nghttp2_option_set_no_closed_streams(options, 1)
    nghttp2_option_set_max_outbound_ack(options, 256)  // PING and SETTINGS floods
    nghttp2_option_set_max_settings(options, 32)
    nghttp2_option_set_max_continuations(options, 8)  // CONTINUATION floods
    nghttp2_option_set_stream_reset_rate_limit(options, 1000, 33)  // rapid reset
  }

  deinit {
    nghttp2_session_callbacks_del(callbacks)
    nghttp2_option_del(options)
  }
}

private let callbackFailure = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

extension HTTP2Session {
  /// Finds the session behind a user pointer of libnghttp2.
  fileprivate static func with(
    _ user: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> CInt
  ) -> CInt {
    guard let user else { return callbackFailure }
    return Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef(body)
  }

  /// A call as a source of DATA.
  ///
  /// The session keeps the call until libnghttp2 has closed its stream.
  static func dataProvider(for call: GRPCCall) -> nghttp2_data_provider {
    nghttp2_data_provider(
      source: nghttp2_data_source(ptr: Unmanaged.passUnretained(call).toOpaque()),
      read_callback: { _, _, _, length, flags, source, user in
        guard let user, let flags, let call = source?.pointee.ptr else {
          return Int(callbackFailure)
        }
        return Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef { session in
          Unmanaged<GRPCCall>.fromOpaque(call)._withUnsafeGuaranteedRef {
            session.readData(of: $0, atMost: length, flags: &flags.pointee)
          }
        }
      })
  }
}
