// SPDX-License-Identifier: Apache-2.0

/// Who may change an object.
package enum Owner: String, Hashable, Sendable {
  /// Clients of the API.
  case api
  /// A file: the API shows the object, and its author changes the file.
  case directory
}
