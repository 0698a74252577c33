// SPDX-License-Identifier: Apache-2.0
// One configured plugin in one VM: it reads the configuration, keeps what all streams share, and
// makes a stream context for every request. A VM serves one worker thread, so there is one root
// context for each.

class RootContext: Context {
  /// Reads the VM's configuration; an error keeps the plugin from starting.
  func onVMStart(_ configuration: [UInt8]) throws(PluginError) {}

  /// Reads the plugin's configuration; an error keeps the plugin from starting, and the proxy then
  /// does as its failure policy says (by default it answers 503 to every request).
  func onConfigure(_ configuration: [UInt8]) throws(PluginError) {}

  /// A stream begins.
  func makeHTTPContext() -> HTTPContext { HTTPContext() }

  /// Comes every tick period, see `setTickPeriod`.
  func onTick() {}

  /// A queue that this root has registered has a new item.
  func onQueueReady(_ queue: SharedQueue) {}

  /// The host calls a function that was offered to it; the arguments are in
  /// `Buffer(.foreignFunctionArguments)`.
  func onForeignFunction(_ function: UInt32, argumentsSize: Int) {}

  /// Calls `onTick` every so many milliseconds; 0 ends it.
  @discardableResult
  final func setTickPeriod(milliseconds: UInt32) -> ProxyStatus {
    ProxyStatus(code: hostSetTickPeriod(milliseconds))
  }
}

/// The root of a plugin that consists of its streams alone.
final class PlainRootContext: RootContext {
  private let makeStream: () -> HTTPContext

  init(makeStream: @escaping () -> HTTPContext) {
    self.makeStream = makeStream
  }

  override func makeHTTPContext() -> HTTPContext { makeStream() }
}
