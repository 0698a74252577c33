// SPDX-License-Identifier: Apache-2.0
// What a module asks its surroundings for: time, environment variables and the host's own
// functions.

enum Clock: UInt32 {
  case realtime = 0
  case monotonic = 1

  /// Nanoseconds: since 1970 in real time, since an unknown moment otherwise.
  ///
  /// The host may hold it still during a callback.
  var now: UInt64 {
    var time: UInt64 = 0
    return hostClockTimeGet(rawValue, 0, &time) == 0 ? time : 0
  }
}

enum Environment {
  /// The variables that the VM was configured with (a WasmPlugin's `vmConfig.env`).
  static var variables: [(name: String, value: String)] {
    var (count, size) = (0, 0)
    guard hostEnvironSizesGet(&count, &size) == 0, count > 0 else { return [] }
    var starts = [UnsafeMutablePointer<UInt8>?](repeating: nil, count: count)
    var text = [UInt8](repeating: 0, count: size)
    let status = starts.withUnsafeMutableBufferPointer { starts -> UInt32 in
      text.withUnsafeMutableBufferPointer { text in
        guard let starts = starts.baseAddress, let text = text.baseAddress else { return 1 }
        return hostEnvironGet(starts, text)
      }
    }
    guard status == 0 else { return [] }
    // NAME=value, each closed by a NUL.
    return text.split(separator: 0).map { entry in
      let name = entry.prefix { $0 != UInt8(ascii: "=") }
      return (
        String(decoding: name, as: UTF8.self),
        String(decoding: entry.dropFirst(name.count + 1), as: UTF8.self)
      )
    }
  }

  static func value(of name: String) -> String? {
    variables.first { $0.name.hasSameBytes(as: name) }?.value
  }
}

/// Calls a function that the host offers under a name of its own, such as Envoy's `compress`.
func callForeignFunction(
  _ name: String, _ arguments: some Payload
) throws(ProxyStatus) -> [UInt8] {
  try name.withPayload { name, nameSize in
    arguments.withPayload { (data, size) -> Result<[UInt8], ProxyStatus> in
      do throws(ProxyStatus) {
        return .success(
          try hostBytes { hostCallForeignFunction(name, nameSize, data, size, $0, $1) })
      } catch {
        return .failure(error)
      }
    }
  }.get()
}
