// SPDX-License-Identifier: Apache-2.0
// Replaces texts in response bodies, wherever the network has cut them into pieces, and refuses
// request bodies above a limit with 413.
//
//   {"replacements": [{"find": "http://shop.internal", "replace": "https://shop.example.com"}],
//    "content_types": ["text/", "application/json"],
//    "max_request_bytes": 65536}
//
// `content_types` says by their beginnings which responses are looked at; the two above are the
// default. Of several texts at one place the first in the list counts, and what has been put in is
// not searched again. At least one of `replacements` and `max_request_bytes` is needed.
//
// So that there is something to read, requests lose Accept-Encoding and Range; a response that is
// compressed or partial all the same passes as it is, with a warning. Memory and
// delay are bounded: only what may be the beginning of a text waits for what follows. A request without a
// Content-Length is cut off as soon as it is too long, so its beginning has reached upstream.

final class BodyRewrite: RootContext {
  private var settings = Settings()

  override func onConfigure(_ configuration: [UInt8]) throws(PluginError) {
    settings = try Settings(JSON(parsing: configuration))
  }

  override func makeHTTPContext() -> HTTPContext { BodyRewriteFilter(settings) }
}

Plugin.register(root: { BodyRewrite() })
