// SPDX-License-Identifier: Apache-2.0

/// How a write is done: the parameters that all of them have.
struct WriteOptions {
  var isDryRun = false
  var manager: String
  /// The client, as it names itself.
  var userAgent: String
  /// Server-side apply overrides other managers.
  var isForced = false
  var validation = FieldValidation.warn

  init(_ query: Query, userAgent: String?) throws(APIStatus) {
    switch query.all("dryRun") {
    case []: break
    case ["All"]: isDryRun = true
    case let values:
      throw .badRequest("the parameter dryRun is All or missing, found \(values)")
    }
    let agent = userAgent?.prefix { $0 != "/" } ?? ""
    self.userAgent = userAgent ?? ""
    manager = query["fieldManager"] ?? (agent.isEmpty ? "unknown" : String(agent))
    guard manager.utf8.count <= 128 else {
      throw .badRequest("the parameter fieldManager has more than 128 bytes")
    }
    isForced = query.flag("force")
    if let name = query["fieldValidation"] {
      guard let validation = FieldValidation(rawValue: name) else {
        throw .badRequest(
          "the parameter fieldValidation is Ignore, Warn or Strict, found \"\(name)\"")
      }
      self.validation = validation
    }
  }
}
