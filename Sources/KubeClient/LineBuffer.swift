// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into its lines.
struct LineBuffer {
  private var rest: [UInt8] = []

  /// The lines that end in some bytes, without their ends and without empty ones.
  mutating func take(_ bytes: some Collection<UInt8>) -> [[UInt8]] {
    guard bytes.contains(0x0A) else {
      rest += bytes
      return []
    }
    let parts = (rest + bytes).split(separator: 0x0A, omittingEmptySubsequences: false)
    rest = Array(parts.last ?? [])
    return parts.dropLast().filter { !$0.isEmpty }.map(Array.init)
  }
}
