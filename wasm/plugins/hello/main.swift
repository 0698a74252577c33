// SPDX-License-Identifier: Apache-2.0
// Answers every request by itself, with a header and a line of text. The upstream is never asked.

final class Hello: HTTPContext {
  override func onRequestHeaders(count: Int, endOfStream: Bool) -> Action {
    let host = requestHeaders[":authority"] ?? ""
    let path = requestHeaders[":path"] ?? ""
    log(.info, "Received request for: \(host) \(path)")
    sendLocalResponse(
      status: 200, headers: ["x-service-name": "my-custom-service"], body: "Hello from Wasm!\n")
    return .pause
  }
}

Plugin.register { Hello() }
