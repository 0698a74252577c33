// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Why a store did not do what it was asked.
package enum StoreError: Error, Hashable, Sendable {
  /// There is an object of this name already.
  case exists(ObjectRef)
  /// There is no object of this name.
  case missing(ObjectRef)
  /// The object is at another revision than the writer had seen.
  case conflict(ObjectRef, found: Revision)
  /// The log begins after this revision: list again.
  case compacted(through: Revision)
  /// The storage failed; nothing was changed.
  case failed(String)
}
