// SPDX-License-Identifier: Apache-2.0

import JSON

/// What became of a generation of an object, in a few words, from the conditions in its status.
enum RevisionResult {
  /// `programmed 3/3`, `rejected by 1: …`, `unknown` where nothing was measured of it.
  static func text(of object: JSONValue) -> String {
    if let rejected = condition("Rejected", of: object), rejected["status"] == "True" {
      let count = object["status"]?["proxies"]?["rejected"]?.integerValue.map { " by \($0)" } ?? ""
      return "rejected\(count): \(message(rejected))"
    }
    if let accepted = condition("Accepted", of: object), accepted["status"] == "False",
      accepted["reason"] == "Invalid"
    {
      return "refused: \(message(accepted))"
    }
    guard let programmed = condition("Programmed", of: object), programmed["status"] != "Unknown"
    else { return "unknown" }
    if programmed["reason"] == "NoProxies" { return "on no proxy" }
    let proxies = object["status"]?["proxies"]
    guard let count = proxies?["programmed"]?.integerValue,
      let total = proxies?["total"]?.integerValue
    else { return message(programmed) }
    return "programmed \(count)/\(total)"
  }

  /// Of the object's generation, not of one before.
  private static func condition(_ type: String, of object: JSONValue) -> JSONValue? {
    let generation = object.metadata["generation"]?.integerValue ?? 0
    return object["status"]?["conditions"]?.arrayElements?.first { condition in
      condition["type"]?.stringValue == type
        && (condition["observedGeneration"]?.integerValue ?? generation) >= generation
    }
  }

  private static func message(_ condition: JSONValue) -> String {
    condition["message"]?.stringValue ?? ""
  }
}
