// SPDX-License-Identifier: Apache-2.0
// The functions that the host calls: each finds its context and hands over. A stream without its
// context would go on, but there is none: without a root the plugin does not start, and serves
// nothing.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#callbacks-and-functions

@_expose(wasm, "proxy_on_context_create") @_cdecl("proxy_on_context_create")
func onContextCreate(_ id: UInt32, _ parent: UInt32) {
  Plugin.current.createContext(id, parent: parent)
}

@_expose(wasm, "proxy_on_vm_start") @_cdecl("proxy_on_vm_start")
func onVMStart(_ id: UInt32, _ size: Int) -> Bool {
  start(id) { (root) throws(PluginError) in
    try root.onVMStart(size > 0 ? Buffer(.vmConfiguration).bytes : [])
  }
}

@_expose(wasm, "proxy_on_configure") @_cdecl("proxy_on_configure")
func onConfigure(_ id: UInt32, _ size: Int) -> Bool {
  start(id) { (root) throws(PluginError) in
    try root.onConfigure(size > 0 ? Buffer(.pluginConfiguration).bytes : [])
  }
}

private func start(_ id: UInt32, _ step: (RootContext) throws(PluginError) -> Void) -> Bool {
  guard let root = Plugin.current.root(id) else { return false }
  do throws(PluginError) {
    try step(root)
    return true
  } catch {
    log(.critical, error.reason)
    return false
  }
}

@_expose(wasm, "proxy_on_tick") @_cdecl("proxy_on_tick")
func onTick(_ id: UInt32) {
  Plugin.current.root(id)?.onTick()
}

@_expose(wasm, "proxy_on_queue_ready") @_cdecl("proxy_on_queue_ready")
func onQueueReady(_ id: UInt32, _ queue: UInt32) {
  Plugin.current.root(id)?.onQueueReady(SharedQueue(id: queue))
}

@_expose(wasm, "proxy_on_foreign_function") @_cdecl("proxy_on_foreign_function")
func onForeignFunction(_ id: UInt32, _ function: UInt32, _ size: Int) {
  Plugin.current.root(id)?.onForeignFunction(function, argumentsSize: size)
}

@_expose(wasm, "proxy_on_request_headers") @_cdecl("proxy_on_request_headers")
func onRequestHeaders(_ id: UInt32, _ count: Int, _ endOfStream: UInt32) -> UInt32 {
  act(id) { $0.onRequestHeaders(count: count, endOfStream: endOfStream != 0) }
}

@_expose(wasm, "proxy_on_request_body") @_cdecl("proxy_on_request_body")
func onRequestBody(_ id: UInt32, _ size: Int, _ endOfStream: UInt32) -> UInt32 {
  act(id) { $0.onRequestBody(size: size, endOfStream: endOfStream != 0) }
}

@_expose(wasm, "proxy_on_request_trailers") @_cdecl("proxy_on_request_trailers")
func onRequestTrailers(_ id: UInt32, _ count: Int) -> UInt32 {
  act(id) { $0.onRequestTrailers(count: count) }
}

@_expose(wasm, "proxy_on_response_headers") @_cdecl("proxy_on_response_headers")
func onResponseHeaders(_ id: UInt32, _ count: Int, _ endOfStream: UInt32) -> UInt32 {
  act(id) { $0.onResponseHeaders(count: count, endOfStream: endOfStream != 0) }
}

@_expose(wasm, "proxy_on_response_body") @_cdecl("proxy_on_response_body")
func onResponseBody(_ id: UInt32, _ size: Int, _ endOfStream: UInt32) -> UInt32 {
  act(id) { $0.onResponseBody(size: size, endOfStream: endOfStream != 0) }
}

@_expose(wasm, "proxy_on_response_trailers") @_cdecl("proxy_on_response_trailers")
func onResponseTrailers(_ id: UInt32, _ count: Int) -> UInt32 {
  act(id) { $0.onResponseTrailers(count: count) }
}

private func act(_ id: UInt32, _ step: (HTTPContext) -> Action) -> UInt32 {
  guard let stream = Plugin.current.stream(id) else { return Action.continue.rawValue }
  return step(stream).rawValue
}

@_expose(wasm, "proxy_on_http_call_response") @_cdecl("proxy_on_http_call_response")
func onHTTPCallResponse(
  _ id: UInt32, _ call: UInt32, _ headers: Int, _ bodySize: Int, _ trailers: Int
) {
  let response = HTTPCallResponse(
    headerCount: headers, bodySize: bodySize, trailerCount: trailers)
  Plugin.current.finishCall(call, response)
}

@_expose(wasm, "proxy_on_done") @_cdecl("proxy_on_done")
func onDone(_ id: UInt32) -> Bool {
  Plugin.current.context(id)?.onDone() ?? true
}

@_expose(wasm, "proxy_on_log") @_cdecl("proxy_on_log")
func onLog(_ id: UInt32) {
  Plugin.current.context(id)?.onLog()
}

@_expose(wasm, "proxy_on_delete") @_cdecl("proxy_on_delete")
func onDelete(_ id: UInt32) {
  Plugin.current.deleteContext(id)
}
