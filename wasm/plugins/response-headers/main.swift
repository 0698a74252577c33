// SPDX-License-Identifier: Apache-2.0
// Lets requests go their way and adds headers to the responses. The plugin configuration says
// which: {"headers": {"x-wasm": "yes"}}. Without any the plugin does not start: it would do
// nothing.

final class ResponseHeaders: RootContext {
  private var headers = HTTPFields()

  override func onConfigure(_ configuration: [UInt8]) throws(PluginError) {
    for (name, value) in try JSON(parsing: configuration)["headers"].object() {
      headers.append(name, try value.string())
    }
  }

  override func makeHTTPContext() -> HTTPContext { ResponseHeadersFilter(headers) }
}

final class ResponseHeadersFilter: HTTPContext {
  private let headers: HTTPFields

  init(_ headers: HTTPFields) {
    self.headers = headers
  }

  override func onResponseHeaders(count: Int, endOfStream: Bool) -> Action {
    for field in headers.fields { responseHeaders.replace(field.name, field.bytes) }
    return .continue
  }
}

Plugin.register(root: { ResponseHeaders() })
