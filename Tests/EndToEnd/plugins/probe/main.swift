// SPDX-License-Identifier: Apache-2.0
// A test plugin that goes through the whole SDK in a real proxy. A request's path names what to
// try; the answer says what came of it, line by line, so that a test can compare all of it.

final class Probe: RootContext {
  private(set) var vmConfiguration = ""
  private(set) var ticks = 0
  private(set) var queueItems: [String] = []
  private(set) var requests: Metric?
  private(set) var level: Metric?
  private(set) var sizes: Metric?
  var unfinished: [HTTPContext] = []

  override func onVMStart(_ configuration: [UInt8]) throws(PluginError) {
    vmConfiguration = String(bytes: configuration)
    if vmConfiguration == "refuse" { throw PluginError("the VM configuration says so") }
  }

  override func onConfigure(_ configuration: [UInt8]) throws(PluginError) {
    let json = try JSON(parsing: configuration)
    setTickPeriod(milliseconds: UInt32(try json["tick_ms"].integer()))
    do throws(ProxyStatus) {
      requests = try Metric(.counter, "probe_requests")
      level = try Metric(.gauge, "probe_level")
      sizes = try Metric(.histogram, "probe_sizes")
      _ = try SharedQueue(registering: "items")
    } catch {
      throw PluginError("host status \(error.rawValue)")
    }
  }

  override func makeHTTPContext() -> HTTPContext { ProbeFilter(self) }

  override func onTick() {
    ticks += 1
    for stream in unfinished { stream.done() }
    unfinished = []
  }

  override func onQueueReady(_ queue: SharedQueue) {
    while let item = (try? queue.dequeue()) ?? nil { queueItems.append(String(bytes: item)) }
  }
}

/// The same module under another root id.
final class Named: HTTPContext {
  override func onRequestHeaders(count: Int, endOfStream: Bool) -> Action {
    sendLocalResponse(status: 200, body: "named")
    return .pause
  }
}

Plugin.register(root: { Probe() })
Plugin.register(rootID: "named", root: { PlainRootContext(makeStream: { Named() }) })
