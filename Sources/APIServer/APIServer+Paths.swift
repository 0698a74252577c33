// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import JSON

extension APIServer {
  /// Answers what is no resource: health, version, discovery, schemas; nil for anything else.
  func documents(_ parts: [String], _ request: Request) throws(APIStatus) -> Response? {
    func json(_ value: JSONValue?) throws(APIStatus) -> Response {
      guard request.method == .get else { throw .methodNotAllowed }
      guard let value else { throw .notFound }
      return Self.json(value)
    }
    let accept = Accept(request.headers[.accept], discovery: true)
    switch parts {
    case ["healthz"], ["livez"], ["readyz"]:
      return Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
        body: ResponseBody(byteBuffer: .init(string: "ok")))
    case ["version"]: return try json(Discovery.version)
    case []:
      let paths = [
        "/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz",
        "/version",
      ]
      return try json(["paths": .array(paths.map(JSONValue.string))])
    case ["api"], ["apis"]:
      let isCore = parts == ["api"]
      guard case .discovery(let version) = accept else {
        return try json(isCore ? discovery.coreVersions : discovery.groupList)
      }
      return Self.json(
        discovery.aggregated(core: isCore, version: version),
        contentType: "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList")
    case ["openapi", "v3"]: return try json(openAPI.index)
    case ["openapi", "v2"]:
      // kubectl asks for protobuf alone, and does without where that is not to be had.
      guard Accept(request.headers[.accept]) == .json else { throw .notAcceptable }
      return try json(openAPI.version2)
    case _ where parts.count > 2 && parts[0] == "openapi" && parts[1] == "v3":
      guard let document = openAPI.document(parts.dropFirst(2).joined(separator: "/")) else {
        throw .notFound
      }
      return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: ResponseBody(byteBuffer: .init(bytes: document)))
    case ["api", "v1"]: return try json(discovery.resources(group: "", version: "v1"))
    case _ where parts.count == 2 && parts[0] == "apis":
      return try json(discovery.group(parts[1]))
    case _ where parts.count == 3 && parts[0] == "apis":
      return try json(discovery.resources(group: parts[1], version: parts[2]))
    default: return nil
    }
  }

  /// What a path of a resource is about.
  func target(_ parts: [String]) throws(APIStatus) -> Target {
    let prefix = parts.first == "api" ? 2 : parts.first == "apis" ? 3 : 0
    guard prefix > 0, parts.count > prefix else { throw .notFound }
    let group = prefix == 2 ? "" : parts[1]
    let version = parts[prefix - 1]
    var rest = parts[prefix...]
    var namespace: String?
    // `namespaces` is a collection of its own, and the parent of all others.
    if rest.first == "namespaces", rest.count > 2,
      !["status", "finalize"].contains(rest[prefix + 2])
    {
      namespace = rest[prefix + 1]
      rest = rest.dropFirst(2)
    }
    guard let plural = rest.first,
      let resource = catalog.resource(group: group, version: version, plural: plural),
      namespace == nil || resource.isNamespaced, rest.count <= 3
    else { throw .notFound }
    rest = rest.dropFirst()
    var target = Target(resource: resource, version: version, namespace: namespace)
    target.name = rest.first
    if target.name != nil, resource.isNamespaced, namespace == nil { throw .notFound }
    if let subresource = rest.dropFirst().first {
      guard subresource == "status", resource.hasStatus else { throw .notFound }
      target.subresource = subresource
    }
    return target
  }
}
