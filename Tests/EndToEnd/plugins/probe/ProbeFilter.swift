// SPDX-License-Identifier: Apache-2.0
// The stream half of the probe: `/NAME` runs the experiment of that name.

final class ProbeFilter: HTTPContext {
  let probe: Probe
  private var path = ""

  init(_ probe: Probe) {
    self.probe = probe
  }

  override func onRequestHeaders(count: Int, endOfStream: Bool) -> Action {
    path = requestHeaders[":path"] ?? ""
    probe.requests?.increment()
    switch path {
    case "/headers": return changeHeaders(count: count)
    case "/body", "/json", "/trailers", "/unfinished": return .continue
    case "/call": return call(path: "/called")
    case "/call-nowhere": return callNowhere()
    case "/close":
      close(.request)
      return .pause
    case "/crash":
      let nothing: [Int] = []
      return nothing[count] == 0 ? .continue : .pause
    default: return answer(experiment(path))
    }
  }

  override func onRequestBody(size: Int, endOfStream: Bool) -> Action {
    guard path == "/body" || path == "/json" else { return .continue }
    guard endOfStream else { return .pause }
    if path == "/json" { return answer(canonicalJSON(requestBody.bytes)) }
    let middle = String(bytes: requestBody.read(from: 1, count: 3))
    let inside = requestBody.replace(from: 1, count: 3, with: "<\(middle)>")
    requestBody.prepend("size \(size): ")
    requestBody.append(" (\(requestBody.count) bytes, \(middle), status \(inside.rawValue))")
    return .continue
  }

  override func onRequestTrailers(count: Int) -> Action {
    requestTrailers.add("x-probe-trailer", "request \(count)")
    return .continue
  }

  override func onResponseHeaders(count: Int, endOfStream: Bool) -> Action {
    // The length of a body that will change cannot be promised.
    if path == "/body" { responseHeaders.remove("content-length") }
    return .continue
  }

  override func onResponseBody(size: Int, endOfStream: Bool) -> Action {
    guard path == "/body" else { return .continue }
    guard endOfStream else { return .pause }
    responseBody.set("\(responseBody.text) and back")
    return .continue
  }

  override func onResponseTrailers(count: Int) -> Action {
    responseTrailers.add("x-probe-trailer", "response \(count)")
    return .continue
  }

  override func onDone() -> Bool {
    guard path == "/unfinished" else { return true }
    probe.unfinished.append(self)
    return false
  }

  override func onLog() {
    log(.info, "log of \(path) \(integerProperty("response", "code") ?? 0)")
  }

  override func onDelete() {
    log(.info, "delete of \(path)")
  }

  private func answer(_ body: String) -> Action {
    sendLocalResponse(status: 200, headers: ["x-probe": "local"], body: body, details: "probe")
    return .pause
  }

  private func changeHeaders(count: Int) -> Action {
    requestHeaders.add("x-many", "2")
    requestHeaders.replace("x-old", "new")
    requestHeaders["x-set"] = "set"
    requestHeaders["x-gone"] = nil
    let before = requestHeaders.serializedSize
    guard var all = try? requestHeaders.all else { return answer("no headers") }
    all.removeAll(named: "x-drop")
    all.append("x-whole", "whole")
    requestHeaders.replaceAll(with: all)
    requestHeaders.add("x-smaller", requestHeaders.serializedSize < before ? "yes" : "no")
    return .continue
  }

  private func call(path: String) -> Action {
    do throws(ProxyStatus) {
      try httpCall(
        "backend", headers: [":method": "POST", ":path": path, ":authority": "probe"],
        body: "question", trailers: [:], timeout: 5000
      ) { response in
        self.requestHeaders["x-called"] = "\(response.status ?? 0) \(response.body.count > 0)"
        self.continueRequest()
      }
      return .pause
    } catch {
      return answer("status \(error.rawValue)")
    }
  }

  private func callNowhere() -> Action {
    do throws(ProxyStatus) {
      try httpCall(
        "refusing", headers: [":method": "GET", ":path": "/", ":authority": "probe"]
      ) { response in
        _ = self.answer(
          "failed \(response.isFailure) status \(response.headers[":status"] ?? "none")")
      }
      return .pause
    } catch {
      return answer("status \(error.rawValue)")
    }
  }
}
