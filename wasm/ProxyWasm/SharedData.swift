// SPDX-License-Identifier: Apache-2.0
// A key-value store that all VMs with one vm_id share, across worker threads.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#shared-key-value-store

enum SharedData {
  struct Entry {
    let bytes: [UInt8]
    /// Changes with every write; never 0.
    let cas: UInt32

    var text: String { String(bytes: bytes) }
  }

  /// The value under `key`; nil if there is none.
  static func get(_ key: String) -> Entry? {
    var cas: UInt32 = 0
    let bytes = key.withPayload { key, keySize in
      try? hostBytes { hostGetSharedData(key, keySize, $0, $1, &cas) }
    }
    return bytes.map { Entry(bytes: $0, cas: cas) }
  }

  /// Writes a value.
  ///
  /// `cas` is that of the entry that was read before; 0 writes in any case. Throws `casMismatch` if
  /// another VM has written meanwhile.
  static func set(_ key: String, _ value: some Payload, cas: UInt32 = 0) throws(ProxyStatus) {
    try ProxyStatus.check(
      key.withPayload { key, keySize in
        value.withPayload { hostSetSharedData(key, keySize, $0, $1, cas) }
      })
  }

  /// Reads, changes and writes until no other VM came between.
  static func update(
    _ key: String, _ change: ([UInt8]?) -> [UInt8]
  ) throws(ProxyStatus) {
    while true {
      let entry = get(key)
      do throws(ProxyStatus) {
        return try set(key, change(entry?.bytes), cas: entry?.cas ?? 0)
      } catch {
        guard error == .casMismatch else { throw error }
      }
    }
  }
}
