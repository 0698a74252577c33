// SPDX-License-Identifier: Apache-2.0

package import JSON
import NIOHTTP1

extension APIConnection {
  /// An object; nil where there is none.
  package func object(_ key: ObjectKey) async throws(ClientFailure) -> JSONValue? {
    do throws(ClientFailure) { return try await get(key.path) } catch {
      // The path is of a kind that the server has, so that it is the object that is missing.
      guard error.isNotFound else { throw error }
      return nil
    }
  }

  /// Server-side apply of an object.
  ///
  /// What the same manager set by other means than applying, a rollback, is its own: it does not
  /// conflict with itself.
  ///
  /// - Parameters:
  ///   - object: as its author wrote it.
  ///   - key: which object it is.
  ///   - live: as it was before, if it was there.
  ///   - query: the parameters, with `fieldManager` and `force`.
  /// - Returns: the object as it is then.
  /// - Throws: why nothing was changed.
  package func apply(
    _ object: JSONValue, to key: ObjectKey, over live: JSONValue?, query: [(String, String)]
  ) async throws(ClientFailure) -> Answer {
    do throws(ClientFailure) {
      return try await send(.PATCH, key.path, query: query, .applied(object))
    } catch {
      let manager = query.first { $0.0 == "fieldManager" }?.1 ?? ""
      guard case .server(let status) = error, status.isConflict(onlyWith: manager),
        let version = live?["metadata"]?["resourceVersion"]
      else { throw error }
      // Of what this answer was about, and of nothing that came since.
      guard case .object(var members) = object, var metadata = members["metadata"]?.objectMembers
      else { throw error }
      metadata["resourceVersion"] = version
      members["metadata"] = .object(metadata)
      let forced = query.filter { $0.0 != "force" } + [("force", "true")]
      return try await send(.PATCH, key.path, query: forced, .applied(.object(members)))
    }
  }
}

extension ServerStatus {
  /// Whether all conflicts are with what one manager changed itself.
  fileprivate func isConflict(onlyWith manager: String) -> Bool {
    code == 409 && !causes.isEmpty
      && causes.allSatisfy {
        $0.reason == "FieldManagerConflict"
          && $0.message.hasPrefix("conflict with \(JSONValue.string(manager).text()) using ")
      }
  }
}
