// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The place of a record.
struct HistoryKey: Hashable, Sendable {
  let ref: ObjectRef
  let number: Int64
}
