// SPDX-License-Identifier: Apache-2.0

package import Hummingbird
package import JSON

/// Answers as all of our HTTP servers write them.
extension Response {
  /// A JSON document; with `?pretty` in the query it is indented.
  package static func json(_ value: JSONValue, for request: Request) -> Response {
    let isPretty = request.uri.queryParameters["pretty"] != nil
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: value.text(pretty: isPretty) + "\n")))
  }

  /// A page in plain text, or another type.
  package static func text(
    _ text: String, status: HTTPResponse.Status = .ok,
    contentType: String = "text/plain; charset=utf-8"
  ) -> Response {
    Response(
      status: status, headers: [.contentType: contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
