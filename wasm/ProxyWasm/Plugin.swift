// SPDX-License-Identifier: Apache-2.0
// A module's registered plugins and their living contexts. `Plugin.register` in a plugin's
// main.swift is the one line that connects a filter to the host.

@_extern(c, "proxy_wasm_plugin")
func pluginSlot() -> UnsafeMutablePointer<UnsafeMutableRawPointer?>

final class Plugin {
  private var makers: [(rootID: String?, make: () -> RootContext)] = []
  private var roots: [UInt32: RootContext] = [:]
  private var streams: [UInt32: HTTPContext] = [:]
  private var calls: [UInt32: HTTPCall] = [:]

  /// The module's only instance, made at first use.
  ///
  /// A VM has one thread.
  static var current: Plugin {
    let slot = pluginSlot()
    if let plugin = slot.pointee { return Unmanaged.fromOpaque(plugin).takeUnretainedValue() }
    let plugin = Plugin()
    slot.pointee = Unmanaged.passRetained(plugin).toOpaque()
    return plugin
  }

  /// Registers a filter that needs no configuration.
  static func register(_ make: @escaping () -> HTTPContext) {
    register(root: { PlainRootContext(makeStream: make) })
  }

  /// Registers a plugin by its root context.
  ///
  /// With several plugins in one module, `rootID` is the `root_id` (a WasmPlugin's `pluginName`)
  /// that asks for this one; nil takes every id that no other plugin claims.
  static func register(rootID: String? = nil, root make: @escaping () -> RootContext) {
    current.makers.append((rootID, make))
  }

  func createContext(_ id: UInt32, parent: UInt32) {
    if parent == 0 {
      guard let root = makeRoot() else { return }
      root.id = id
      roots[id] = root
    } else if let root = roots[parent] {
      let stream = root.makeHTTPContext()
      stream.id = id
      streams[id] = stream
    }
  }

  func root(_ id: UInt32) -> RootContext? { roots[id] }

  func stream(_ id: UInt32) -> HTTPContext? { streams[id] }

  func context(_ id: UInt32) -> Context? { streams[id] ?? roots[id] }

  func deleteContext(_ id: UInt32) {
    context(id)?.onDelete()
    streams[id] = nil
    roots[id] = nil
    // Answers that nobody waits for any more; the host cancels them as well.
    for (call, pending) in calls where pending.contextID == id { calls[call] = nil }
  }

  func await(_ call: HTTPCall, id: UInt32) { calls[id] = call }

  func finishCall(_ id: UInt32, _ response: HTTPCallResponse) {
    guard let call = calls.removeValue(forKey: id), let context = context(call.contextID) else {
      return
    }
    context.makeEffective()
    call.completion(response)
  }

  private func makeRoot() -> RootContext? {
    let rootID = property("plugin_root_id").map { String(bytes: $0) } ?? ""
    if let named = makers.first(where: { $0.rootID?.hasSameBytes(as: rootID) ?? false }) {
      return named.make()
    }
    if let unnamed = makers.first(where: { $0.rootID == nil }) { return unnamed.make() }
    log(.critical, "no plugin is registered for the root id '\(rootID)'")
    return nil
  }
}
