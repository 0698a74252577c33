// SPDX-License-Identifier: Apache-2.0
// What a plugin's root and its streams have in common. The ABI calls both contexts and tells them
// apart by a number; here they are objects, and the number stays inside.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#context-lifecycle

class Context {
  /// The host's number for this context; 0 until the host has created it.
  final var id: UInt32 = 0

  init() {}

  /// The host is done with this context.
  ///
  /// False keeps it alive until `done()`.
  func onDone() -> Bool { true }

  /// Last words, while headers and properties can still be read: the place for access logs.
  func onLog() {}

  /// The context is about to be released.
  func onDelete() {}

  /// Ends a context that answered `onDone` with false.
  @discardableResult
  final func done() -> ProxyStatus {
    makeEffective()
    return ProxyStatus(code: hostDone())
  }

  /// Lets the next host calls act on this context, for callbacks that come on behalf of another
  /// one.
  @discardableResult
  final func makeEffective() -> ProxyStatus {
    ProxyStatus(code: hostSetEffectiveContext(id))
  }
}
