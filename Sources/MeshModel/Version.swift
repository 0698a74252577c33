// SPDX-License-Identifier: Apache-2.0

package import JSON

/// Which Skiff this is.
package enum Version {
  package static let current = "0.1.0-dev"

  /// `{"component": "skiff", "version": "…"}`.
  package static let json: JSONValue = ["component": "skiff", "version": .string(current)]
}
