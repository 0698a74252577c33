// SPDX-License-Identifier: Apache-2.0
// Queues between VMs: one registers and is told of new items, any may resolve it by vm_id and name
// and send.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#shared-queues

struct SharedQueue {
  let id: UInt32

  init(id: UInt32) {
    self.id = id
  }

  /// Opens the queue of this VM's vm_id, making it if need be; this root gets `onQueueReady`.
  init(registering name: String) throws(ProxyStatus) {
    var id: UInt32 = 0
    try ProxyStatus.check(name.withPayload { hostRegisterQueue($0, $1, &id) })
    self.id = id
  }

  /// Finds the queue that another VM has registered.
  init(resolving name: String, vmID: String) throws(ProxyStatus) {
    var id: UInt32 = 0
    try ProxyStatus.check(
      vmID.withPayload { vm, vmSize in
        name.withPayload { hostResolveQueue(vm, vmSize, $0, $1, &id) }
      })
    self.id = id
  }

  func enqueue(_ item: some Payload) throws(ProxyStatus) {
    try ProxyStatus.check(item.withPayload { hostEnqueue(id, $0, $1) })
  }

  /// Takes the oldest item; nil if another VM was faster or nothing is there.
  func dequeue() throws(ProxyStatus) -> [UInt8]? {
    do throws(ProxyStatus) {
      return try hostBytes { hostDequeue(id, $0, $1) }
    } catch {
      guard error == .empty else { throw error }
      return nil
    }
  }
}
