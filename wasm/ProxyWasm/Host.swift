// SPDX-License-Identifier: Apache-2.0
// The functions that the host offers to a module: Proxy-Wasm ABI 0.2.1, in the order of its text,
// and the WASI functions that go with it. Everything else in the SDK is written on top of these; an
// import that a plugin does not reach is dropped by the linker.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1

typealias Bytes = UnsafePointer<UInt8>?
typealias BytesOut = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>
typealias SizeOut = UnsafeMutablePointer<Int>
typealias WordOut = UnsafeMutablePointer<UInt32>

@_extern(wasm, module: "env", name: "proxy_done") @_extern(c, "proxy_done")
func hostDone() -> UInt32

@_extern(wasm, module: "env", name: "proxy_set_effective_context")
@_extern(c, "proxy_set_effective_context")
func hostSetEffectiveContext(_ id: UInt32) -> UInt32

@_extern(wasm, module: "env", name: "proxy_log") @_extern(c, "proxy_log")
func hostLog(_ level: UInt32, _ message: Bytes, _ size: Int) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_log_level") @_extern(c, "proxy_get_log_level")
func hostGetLogLevel(_ level: WordOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_set_tick_period_milliseconds")
@_extern(c, "proxy_set_tick_period_milliseconds")
func hostSetTickPeriod(_ milliseconds: UInt32) -> UInt32

@_extern(wasm, module: "env", name: "proxy_set_buffer_bytes") @_extern(c, "proxy_set_buffer_bytes")
func hostSetBuffer(_ buffer: UInt32, _ start: Int, _ size: Int, _ value: Bytes, _ valueSize: Int)
  -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_buffer_bytes") @_extern(c, "proxy_get_buffer_bytes")
func hostGetBuffer(
  _ buffer: UInt32, _ start: Int, _ size: Int, _ value: BytesOut, _ valueSize: SizeOut
) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_buffer_status")
@_extern(c, "proxy_get_buffer_status")
func hostGetBufferStatus(_ buffer: UInt32, _ size: SizeOut, _ unused: WordOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_header_map_size")
@_extern(c, "proxy_get_header_map_size")
func hostGetMapSize(_ map: UInt32, _ size: SizeOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_header_map_pairs")
@_extern(c, "proxy_get_header_map_pairs")
func hostGetMapPairs(_ map: UInt32, _ pairs: BytesOut, _ size: SizeOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_set_header_map_pairs")
@_extern(c, "proxy_set_header_map_pairs")
func hostSetMapPairs(_ map: UInt32, _ pairs: Bytes, _ size: Int) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_header_map_value")
@_extern(c, "proxy_get_header_map_value")
func hostGetMapValue(
  _ map: UInt32, _ key: Bytes, _ keySize: Int, _ value: BytesOut, _ size: SizeOut
) -> UInt32

@_extern(wasm, module: "env", name: "proxy_add_header_map_value")
@_extern(c, "proxy_add_header_map_value")
func hostAddMapValue(_ map: UInt32, _ key: Bytes, _ keySize: Int, _ value: Bytes, _ size: Int)
  -> UInt32

@_extern(wasm, module: "env", name: "proxy_replace_header_map_value")
@_extern(c, "proxy_replace_header_map_value")
func hostReplaceMapValue(_ map: UInt32, _ key: Bytes, _ keySize: Int, _ value: Bytes, _ size: Int)
  -> UInt32

@_extern(wasm, module: "env", name: "proxy_remove_header_map_value")
@_extern(c, "proxy_remove_header_map_value")
func hostRemoveMapValue(_ map: UInt32, _ key: Bytes, _ keySize: Int) -> UInt32

@_extern(wasm, module: "env", name: "proxy_continue_stream") @_extern(c, "proxy_continue_stream")
func hostContinueStream(_ stream: UInt32) -> UInt32

@_extern(wasm, module: "env", name: "proxy_close_stream") @_extern(c, "proxy_close_stream")
func hostCloseStream(_ stream: UInt32) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_status") @_extern(c, "proxy_get_status")
func hostGetStatus(_ code: WordOut, _ message: BytesOut, _ size: SizeOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_send_local_response")
@_extern(c, "proxy_send_local_response")
func hostSendLocalResponse(
  _ status: UInt32, _ details: Bytes, _ detailsSize: Int, _ body: Bytes, _ bodySize: Int,
  _ headers: Bytes, _ headersSize: Int, _ grpcStatus: Int32
) -> UInt32

@_extern(wasm, module: "env", name: "proxy_http_call") @_extern(c, "proxy_http_call")
func hostHttpCall(
  _ upstream: Bytes, _ upstreamSize: Int, _ headers: Bytes, _ headersSize: Int, _ body: Bytes,
  _ bodySize: Int, _ trailers: Bytes, _ trailersSize: Int, _ timeout: UInt32, _ call: WordOut
) -> UInt32

@_extern(wasm, module: "env", name: "proxy_set_shared_data") @_extern(c, "proxy_set_shared_data")
func hostSetSharedData(_ key: Bytes, _ keySize: Int, _ value: Bytes, _ size: Int, _ cas: UInt32)
  -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_shared_data") @_extern(c, "proxy_get_shared_data")
func hostGetSharedData(
  _ key: Bytes, _ keySize: Int, _ value: BytesOut, _ size: SizeOut, _ cas: WordOut
) -> UInt32

@_extern(wasm, module: "env", name: "proxy_register_shared_queue")
@_extern(c, "proxy_register_shared_queue")
func hostRegisterQueue(_ name: Bytes, _ nameSize: Int, _ queue: WordOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_resolve_shared_queue")
@_extern(c, "proxy_resolve_shared_queue")
func hostResolveQueue(_ vm: Bytes, _ vmSize: Int, _ name: Bytes, _ nameSize: Int, _ queue: WordOut)
  -> UInt32

@_extern(wasm, module: "env", name: "proxy_enqueue_shared_queue")
@_extern(c, "proxy_enqueue_shared_queue")
func hostEnqueue(_ queue: UInt32, _ value: Bytes, _ size: Int) -> UInt32

@_extern(wasm, module: "env", name: "proxy_dequeue_shared_queue")
@_extern(c, "proxy_dequeue_shared_queue")
func hostDequeue(_ queue: UInt32, _ value: BytesOut, _ size: SizeOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_define_metric") @_extern(c, "proxy_define_metric")
func hostDefineMetric(_ type: UInt32, _ name: Bytes, _ nameSize: Int, _ metric: WordOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_record_metric") @_extern(c, "proxy_record_metric")
func hostRecordMetric(_ metric: UInt32, _ value: UInt64) -> UInt32

@_extern(wasm, module: "env", name: "proxy_increment_metric") @_extern(c, "proxy_increment_metric")
func hostIncrementMetric(_ metric: UInt32, _ delta: Int64) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_metric") @_extern(c, "proxy_get_metric")
func hostGetMetric(_ metric: UInt32, _ value: UnsafeMutablePointer<UInt64>) -> UInt32

@_extern(wasm, module: "env", name: "proxy_get_property") @_extern(c, "proxy_get_property")
func hostGetProperty(_ path: Bytes, _ pathSize: Int, _ value: BytesOut, _ size: SizeOut) -> UInt32

@_extern(wasm, module: "env", name: "proxy_set_property") @_extern(c, "proxy_set_property")
func hostSetProperty(_ path: Bytes, _ pathSize: Int, _ value: Bytes, _ size: Int) -> UInt32

@_extern(wasm, module: "env", name: "proxy_call_foreign_function")
@_extern(c, "proxy_call_foreign_function")
func hostCallForeignFunction(
  _ name: Bytes, _ nameSize: Int, _ arguments: Bytes, _ argumentsSize: Int, _ results: BytesOut,
  _ size: SizeOut
) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "clock_time_get")
@_extern(c, "clock_time_get")
func hostClockTimeGet(_ clock: UInt32, _ precision: UInt64, _ time: UnsafeMutablePointer<UInt64>)
  -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "environ_sizes_get")
@_extern(c, "environ_sizes_get")
func hostEnvironSizesGet(_ count: SizeOut, _ size: SizeOut) -> UInt32

@_extern(wasm, module: "wasi_snapshot_preview1", name: "environ_get") @_extern(c, "environ_get")
func hostEnvironGet(_ variables: BytesOut, _ buffer: UnsafeMutablePointer<UInt8>) -> UInt32
