// SPDX-License-Identifier: Apache-2.0

import JSON
package import MeshModel
package import ObjectStore

/// An object of the API whose status is measured, as it is stored.
package struct StatusSubject: Sendable {
  package var ref: ObjectRef { stored.ref }
  package var owner: Owner { stored.owner }
  package var uid: String { stored.json.uid }
  package var generation: Int64 { stored.json.metadata["generation"]?.integerValue ?? 1 }

  let stored: StoredObject
  let resource: APIResource
}
