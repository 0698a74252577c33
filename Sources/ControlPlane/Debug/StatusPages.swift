// SPDX-License-Identifier: Apache-2.0

import APIServer
import ConfigStore
import Hummingbird
import JSON
import Manifests
import MeshModel
import Serving

/// `/debug/statusz` and `/debug/wait`: what really became of an object.
struct StatusPages: Sendable {
  let watch: StatusWatch

  /// Longer than any rollout that a script should wait for in one request.
  private static let longestWait = Duration.seconds(3600)

  /// `?resource=KIND/NAMESPACE/NAME`: its status; without it, that of every object in force.
  func statuses(_ request: Request) async throws -> Response {
    guard request.uri.queryParameters["resource"] == nil else {
      let object = try object(request)
      let status = await watch.statuses(of: [object])[0]
      guard status.generation != nil || !status.problems.isEmpty else {
        throw HTTPError(.notFound, message: "\(object) not found")
      }
      return .json(status.json, for: request)
    }
    let objects = await watch.store.objects().map(\.ref)
    return .json(.array(await watch.statuses(of: objects).map(\.json)), for: request)
  }

  /// `?resource=KIND/NAMESPACE/NAME[&generation=N][&for=CONDITION][&timeout=30s]`: 200 with the status
  /// when the condition is met, 504 with it when the time is up.
  ///
  /// Without a generation that of the object now; then an object that is not there is 404.
  func wait(_ request: Request) async throws -> Response {
    let parameters = request.uri.queryParameters
    let object = try object(request)
    let generation: Int64
    if let text = parameters["generation"] {
      guard let number = Int64(text), number > 0 else {
        throw HTTPError(.badRequest, message: "generation: expected a number from 1, found \(text)")
      }
      generation = number
    } else {
      guard let found = await watch.store.objects().first(where: { $0.ref == object }) else {
        throw HTTPError(.notFound, message: "\(object) not found")
      }
      generation = found.meta.generation
    }
    let name = parameters["for"].map(String.init) ?? Condition.Kind.programmed.rawValue
    let kinds = Condition.Kind.allCases
    guard let kind = kinds.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
      throw HTTPError(
        .badRequest,
        message: "for: expected one of \(kinds.map(\.rawValue).joined(separator: ", ")), "
          + "found \(name)")
    }
    let text = parameters["timeout"].map(String.init) ?? "30s"
    guard let timeout = Duration(goString: text), timeout >= .zero, timeout <= Self.longestWait
    else {
      throw HTTPError(
        .badRequest, message: "timeout: expected a duration up to 1h such as 30s, found \(text)")
    }
    let (status, isMet) = await watch.wait(
      for: kind, of: object, generation: generation, timeout: timeout)
    var response = Response.json(status.json, for: request)
    if !isMet { response.status = .gatewayTimeout }
    return response
  }

  private func object(_ request: Request) throws -> ObjectRef {
    let text = request.uri.queryParameters["resource"].map(String.init) ?? ""
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, !parts[2].isEmpty else {
      throw HTTPError(
        .badRequest, message: "say which object: ?resource=KIND/NAMESPACE/NAME, found \"\(text)\"")
    }
    guard let kind = KindName.kind(parts[0]) else {
      throw HTTPError(.badRequest, message: "unknown kind \"\(parts[0])\"")
    }
    return ObjectRef(kind: kind, namespace: parts[1], name: parts[2])
  }
}
