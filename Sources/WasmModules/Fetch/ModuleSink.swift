// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Takes a module's bytes as they come, unpacked and in order.
///
/// Calls never overlap. The source has counted the bytes against the size limit and checked that
/// they start as a Wasm module before it hands them over; the whole module is good only when
/// `ModuleSource.download` has returned.
package protocol ModuleSink: AnyObject, Sendable {
  /// An attempt begins: forget what was written. Called before the first write of every attempt.
  ///
  /// - Throws: what makes writing impossible, such as a full disk; it ends the round.
  func restart() async throws(ModuleError)

  /// Takes the next bytes, at most a few hundred KiB.
  ///
  /// - Throws: what makes writing impossible, such as a full disk; it ends the round.
  func write(_ bytes: ByteBuffer) async throws(ModuleError)
}
