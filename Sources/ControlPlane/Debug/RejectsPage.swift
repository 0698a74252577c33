// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import XDS
import XDSServer

/// `/debug/rejectsz`: every rejection in force, with the objects to mend.
enum RejectsPage {
  /// `{"totalRejects": n, "rejects": [{proxy, type, version, since, reason, resources, objects}]}`.
  static func json(_ clients: [ClientReport]) -> JSONValue {
    let rows = clients.flatMap { client in
      client.types.flatMap { report in
        report.rejections.map { rejection -> JSONValue in
          [
            "proxy": .string(client.proxy.name),
            "connectionId": .string(client.connectionID),
            "type": .string(rejection.typeURL.rawValue),
            "version": .string("\(rejection.version)"),
            "nonce": .string(rejection.nonce.rawValue),
            "since": .string(WallClock.text(rejection.at)),
            "reason": .string(rejection.reason),
            "resources": .array(rejection.resources.map(JSONValue.string)),
            "objects": .array(rejection.origins.map(object)),
          ]
        }
      }
    }
    return ["totalRejects": .integer(rows.count), "rejects": .array(rows)]
  }

  private static func object(_ origin: Origin) -> JSONValue {
    [
      "kind": .string(origin.object.kind.kind),
      "namespace": .string(origin.object.namespace),
      "name": .string(origin.object.name),
      "generation": .integer(origin.generation),
      "field": .string("\(origin.path)"),
    ]
  }
}
