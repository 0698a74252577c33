// SPDX-License-Identifier: Apache-2.0

import JSON

/// Kubernetes' `Status`: what a request that was not answered with an object is answered with.
///
/// Codes, reasons and messages are those of Kubernetes, since clients match on them
/// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
struct APIStatus: Error {
  struct Cause: Hashable {
    var reason: String
    var message: String
    /// `spec.url`; empty where there is none.
    var field = ""

    var json: JSONValue {
      var pairs: [(String, JSONValue)] = [
        ("reason", .string(reason)), ("message", .string(message)),
      ]
      if !field.isEmpty { pairs.append(("field", .string(field))) }
      return .object(pairs: pairs)
    }
  }

  var code: Int
  var reason: String
  var message: String
  var details: [(String, JSONValue)] = []
  var causes: [Cause] = []

  var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("kind", "Status"), ("apiVersion", "v1"), ("metadata", [:]), ("status", "Failure"),
      ("message", .string(message)), ("reason", .string(reason)),
    ]
    var details = details
    if !causes.isEmpty { details.append(("causes", .array(causes.map(\.json)))) }
    if !details.isEmpty { pairs.append(("details", .object(pairs: details))) }
    pairs.append(("code", .integer(code)))
    return .object(pairs: pairs)
  }

  /// The answer to a deletion that is done.
  static func deleted(_ resource: APIResource, name: String, uid: String) -> JSONValue {
    var details = resource.details(name)
    details.append(("uid", .string(uid)))
    return [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
      "details": .object(pairs: details),
    ]
  }
}

extension APIStatus {
  static let notFound = Self(
    code: 404, reason: "NotFound", message: "the server could not find the requested resource")

  static func notFound(_ resource: APIResource, _ name: String) -> Self {
    Self(
      code: 404, reason: "NotFound",
      message: "\(resource.groupResource) \"\(name)\" not found", details: resource.details(name))
  }

  static func alreadyExists(_ resource: APIResource, _ name: String) -> Self {
    Self(
      code: 409, reason: "AlreadyExists",
      message: "\(resource.groupResource) \"\(name)\" already exists",
      details: resource.details(name))
  }

  static func conflict(_ resource: APIResource, _ name: String, _ why: String) -> Self {
    Self(
      code: 409, reason: "Conflict",
      message: "Operation cannot be fulfilled on \(resource.groupResource) \"\(name)\": \(why)",
      details: resource.details(name))
  }

  static func stale(_ resource: APIResource, _ name: String) -> Self {
    conflict(
      resource, name,
      "the object has been modified; please apply your changes to the latest version and try again")
  }

  static func invalid(_ resource: APIResource, _ name: String, _ causes: [Cause]) -> Self {
    let texts = causes.map { $0.field.isEmpty ? $0.message : "\($0.field): \($0.message)" }
    let text = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    return Self(
      code: 422, reason: "Invalid",
      message: "\(resource.qualifiedKind) \"\(name)\" is invalid: \(text)",
      details: resource.kindDetails(name), causes: causes)
  }

  static func forbidden(_ resource: APIResource, _ name: String, _ why: String) -> Self {
    Self(
      code: 403, reason: "Forbidden",
      message: "\(resource.groupResource) \"\(name)\" is forbidden: \(why)",
      details: resource.details(name))
  }

  static func badRequest(_ message: String) -> Self {
    Self(code: 400, reason: "BadRequest", message: message)
  }

  static let unauthorized = Self(code: 401, reason: "Unauthorized", message: "Unauthorized")

  static let methodNotAllowed = Self(
    code: 405, reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource")

  static let notAcceptable = Self(
    code: 406, reason: "NotAcceptable",
    message: "only the following media types are accepted: application/json")

  static func unsupportedMediaType(_ accepted: [String]) -> Self {
    Self(
      code: 415, reason: "UnsupportedMediaType",
      message: "the body of the request was in an unknown format - accepted media types include: "
        + accepted.joined(separator: ", "))
  }

  static func tooLarge(limit: Int) -> Self {
    Self(
      code: 413, reason: "RequestEntityTooLarge",
      message: "Request entity too large: limit is \(limit)")
  }

  static func expired(_ message: String) -> Self {
    Self(code: 410, reason: "Expired", message: message)
  }

  /// A client that has seen more than this server has: it talked to another one.
  static func futureRevision(_ asked: String, current: String) -> Self {
    Self(
      code: 504, reason: "Timeout",
      message: "Too large resource version: \(asked), current: \(current)",
      details: [("retryAfterSeconds", 1)],
      causes: [Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")])
  }

  static func internalError(_ message: String) -> Self {
    Self(
      code: 500, reason: "InternalError", message: "Internal error occurred: \(message)",
      causes: [Cause(reason: "", message: message)])
  }

  static let requestTimeout = Self(
    code: 408, reason: "Timeout", message: "the body of the request did not arrive in time")
}
