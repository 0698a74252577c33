// SPDX-License-Identifier: Apache-2.0
// Experiments that need no stream of their own: each returns what it saw.

@_extern(c, "heap_bytes_in_use")
func heapBytesInUse() -> Int

extension ProbeFilter {
  func experiment(_ name: String) -> String {
    do throws(ProxyStatus) {
      switch name {
      case "/shared": return try shared()
      case "/queue-put":
        try SharedQueue(resolving: "items", vmID: "probe").enqueue("an item")
        return "put"
      case "/queue-seen": return "\(probe.queueItems.count) \(probe.queueItems.last ?? "")"
      case "/queue-missing":
        _ = try SharedQueue(resolving: "no such", vmID: "probe")
        return "found"
      case "/metrics": return metrics()
      case "/properties": return properties()
      case "/surroundings": return surroundings()
      case "/ticks": return probe.ticks > 2 ? "ticking" : "waiting"
      case "/foreign": return try foreign()
      case "/memory": return "\(heapBytesInUse())"
      case "/call-unknown":
        try httpCall("no such", headers: [":method": "GET", ":path": "/", ":authority": "a"]) { _ in
        }
        return "sent"
      default: return "no experiment \(name)"
      }
    } catch {
      return "status \(error.rawValue)"
    }
  }

  private func shared() throws(ProxyStatus) -> String {
    let before = SharedData.get("counter") == nil ? "nothing" : "something"
    try SharedData.set("counter", "1")
    guard let first = SharedData.get("counter") else { return "lost" }
    try SharedData.set("counter", "2", cas: first.cas)
    var stale = "accepted"
    do throws(ProxyStatus) {
      try SharedData.set("counter", "3", cas: first.cas)
    } catch {
      stale = "status \(error.rawValue)"
    }
    try SharedData.update("counter") { ($0 ?? []) + [0x21] }
    return "\(before), \(SharedData.get("counter")?.text ?? ""), stale write \(stale)"
  }

  private func metrics() -> String {
    probe.level?.record(7)
    probe.level?.increment(by: -2)
    probe.sizes?.record(100)
    return "level \(probe.level?.value ?? 0)"
  }

  private func properties() -> String {
    setProperty("probe_mark", value: "marked")
    let method = property("request", "method").map { String(bytes: $0) } ?? "none"
    let mark = property("probe_mark").map { String(bytes: $0) } ?? "none"
    let root = property("plugin_name").map { String(bytes: $0) } ?? "none"
    let missing = property("no", "such") == nil ? "none" : "there"
    let port = integerProperty("destination", "port") ?? 0
    return "\(method) \(root) port>0 \(port > 0) missing \(missing) mark \(mark)"
  }

  private func surroundings() -> String {
    let later = Clock.realtime.now > 1_700_000_000_000_000_000
    let name = Environment.value(of: "PROBE_NAME") ?? "none"
    return "vm \(probe.vmConfiguration), clock \(later), monotonic \(Clock.monotonic.now > 0), "
      + "PROBE_NAME \(name), missing \(Environment.value(of: "NO_SUCH") ?? "none")"
  }

  private func foreign() throws(ProxyStatus) -> String {
    let text = String(repeating: "again and ", count: 50)
    let packed = try callForeignFunction("compress", text)
    let unpacked = String(bytes: try callForeignFunction("uncompress", packed))
    return "\(packed.count < text.utf8.count) \(unpacked.hasSameBytes(as: text))"
  }
}
